// `npm run sbom`: writes sbom.cdx.json, the software bill of materials (CycloneDX) of what runs in production. It is made
// from the lock alone, so that the same lock gives the same file. (npm's own, as of npm 11, leaves out every package that
// a development dependency needs as well, such as pg.)
import { readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

/**
 * What `npm ci --omit=dev` may install, by its place in the lock: all that the dependencies need, for every platform.
 * Each entry lists the places of what it needs itself.
 */
export function productionPackages(lock) {
  const packages = lock.packages ?? {}
  const found = new Map()
  const visit = (place) => {
    if (found.has(place)) return
    const needed = neededBy(packages[place]).flatMap((name) => placeOf(name, place, packages) ?? [])
    found.set(place, needed)
    for (const other of needed) visit(other)
  }
  visit('')
  return found
}

function neededBy({ dependencies, optionalDependencies, peerDependencies, peerDependenciesMeta }) {
  const peers = Object.keys(peerDependencies ?? {}).filter((name) => !peerDependenciesMeta?.[name]?.optional)
  return [...new Set([...Object.keys({ ...dependencies, ...optionalDependencies }), ...peers])]
}

/** Where Node.js finds a package from another one's place; undefined for one that is for no platform of ours. */
function placeOf(name, from, packages) {
  for (let folder = from; ; folder = folder.replace(/(^|\/)node_modules\/(@[^/]+\/)?[^/]+$/, '')) {
    const place = folder === '' ? `node_modules/${name}` : `${folder}/node_modules/${name}`
    if (packages[place]) return place
    if (folder === '') return undefined
  }
}

/** CycloneDX 1.5, without a serial number and a time: it tells of the lock, not of when somebody asked. */
export function sbomOf(lock) {
  const found = productionPackages(lock)
  const refs = new Map([...found.keys()].map((place) => [place, refOf(place, lock)]))
  const { name, version, license } = lock.packages['']
  return {
    $schema: 'http://cyclonedx.org/schema/bom-1.5.schema.json',
    bomFormat: 'CycloneDX',
    specVersion: '1.5',
    version: 1,
    metadata: {
      component: { 'bom-ref': refs.get(''), type: 'application', name, version, licenses: [{ expression: license }] },
    },
    components: [...found.keys()].filter((place) => place !== '').map((place) => componentOf(place, refs, lock)),
    dependencies: [...found].map(([place, needed]) => ({
      ref: refs.get(place),
      dependsOn: [...new Set(needed.map((other) => refs.get(other)))].toSorted(),
    })),
  }
}

function componentOf(place, refs, lock) {
  const { version, integrity, license, optional } = lock.packages[place]
  const [algorithm, digest = ''] = (integrity ?? '').split('-')
  return {
    'bom-ref': refs.get(place),
    type: 'library',
    name: nameAt(place),
    version,
    scope: optional ? 'optional' : 'required',
    ...(algorithm === 'sha512' && {
      hashes: [{ alg: 'SHA-512', content: Buffer.from(digest, 'base64').toString('hex') }],
    }),
    ...(license && { licenses: [{ expression: license }] }),
    purl: purlOf(place, lock),
  }
}

/** One version of a package may stand at several places. */
function refOf(place, lock) {
  return place === '' ? purlOf(place, lock) : `${purlOf(place, lock)}#${place}`
}

function purlOf(place, lock) {
  const { name = nameAt(place), version } = lock.packages[place]
  return `pkg:npm/${name.replace('@', '%40')}@${version}`
}

function nameAt(place) {
  return place.replace(/^.*node_modules\//, '')
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const at = (name) => fileURLToPath(new URL(`../${name}`, import.meta.url))
  const sbom = sbomOf(JSON.parse(readFileSync(at('package-lock.json'), 'utf8')))
  writeFileSync(at('sbom.cdx.json'), `${JSON.stringify(sbom, null, 2)}\n`)
  console.log(`sbom.cdx.json lists ${sbom.components.length} packages.`)
}
