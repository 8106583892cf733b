// Is package-lock.json one that `npm ci` can install on every platform? npm silently leaves out platform variants that
// it could not find while locking, and the install then fails on somebody else's machine.
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

/** Every reason why the lock is unfit, as sentences; none when it is fit. Both arguments are the parsed files. */
export function lockProblems(lock, manifest) {
  const entries = Object.entries(lock.packages ?? {})
  const names = new Set(entries.map(([path]) => path.replace(/^.*node_modules\//, '')))
  return [
    ...staleProblems(lock.packages?.[''] ?? {}, manifest),
    ...entries.flatMap(([path, entry]) => entryProblems(path, entry, names)),
  ]
}

function staleProblems(locked, manifest) {
  return ['dependencies', 'devDependencies', 'optionalDependencies'].flatMap((group) => {
    const wanted = manifest[group] ?? {}
    const have = locked[group] ?? {}
    return [...new Set([...Object.keys(wanted), ...Object.keys(have)])]
      .filter((name) => wanted[name] !== have[name])
      .map(
        (name) =>
          `${group}: ${name} is ${wanted[name] ?? 'absent'} in package.json and ${have[name] ?? 'absent'} in the lock; run npm run lock`,
      )
      .concat(
        Object.entries(wanted)
          .filter(([, version]) => !/^\d+\.\d+\.\d+(-[\w.]+)?$/.test(version))
          .map(([name, version]) => `${group}: ${name} is ${version}; name one exact version`),
      )
  })
}

function entryProblems(path, entry, names) {
  if (entry.link) return []
  const title = `${path || 'this project'} ${entry.version}`
  const peers = Object.keys(entry.peerDependencies ?? {}).filter(
    (name) => !entry.peerDependenciesMeta?.[name]?.optional,
  )
  const wanted = [...Object.keys(entry.optionalDependencies ?? {}), ...peers]
  const missing = wanted.filter((name) => !names.has(name))
  const problems = []
  if (missing.length > 0) {
    problems.push(`${title}: the lock misses ${missing.join(', ')}; pin a version whose variants all exist`)
  }
  if (path === '' || entry.inBundle) return problems
  if (!entry.integrity) problems.push(`${title}: no integrity hash; lock it again`)
  if (entry.resolved)
    problems.push(`${title}: names the host it came from, which others may not reach; run npm run lock`)
  return problems
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const read = (name) => JSON.parse(readFileSync(fileURLToPath(new URL(`../${name}`, import.meta.url)), 'utf8'))
  const problems = lockProblems(read('package-lock.json'), read('package.json'))
  for (const problem of problems) console.error(problem)
  process.exitCode = problems.length === 0 ? 0 : 1
}
