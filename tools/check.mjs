// `npm run check`: everything that can be judged without running the product, each in turn, one line for each.
// What a failing check has to say follows its line; the exit code is 1 if any failed.
import { spawn } from 'node:child_process'

const CHECKS = [
  ['types', 'tsc -p . --noEmit'],
  ['lint', 'oxlint --type-aware'],
  ['format', 'prettier --check --log-level warn .'],
  ['lock file', 'node tools/check-lock.mjs'],
  ['dead code', 'knip'],
  ['generated docs', 'node src/cli.ts config docs --check'],
]

let failures = 0
for (const [name, command] of CHECKS) {
  const started = performance.now()
  const { ok, output } = await run(command)
  const seconds = ((performance.now() - started) / 1000).toFixed(1)
  console.log(`${ok ? 'ok    ' : 'FAILED'} ${name} (${seconds} s)${ok ? '' : `: ${command}`}`)
  if (ok) continue
  failures += 1
  console.log(output.trim())
}
process.exitCode = failures === 0 ? 0 : 1

function run(command) {
  return new Promise((resolve) => {
    const child = spawn(command, { shell: true, stdio: ['ignore', 'pipe', 'pipe'] })
    const output = []
    child.stdout.on('data', (chunk) => output.push(chunk))
    child.stderr.on('data', (chunk) => output.push(chunk))
    child.on('close', (code) => resolve({ ok: code === 0, output: Buffer.concat(output).toString() }))
  })
}
