// `npm run fuzz -- --runs 1000000 --seed 7`: the odd requests of test/fuzz for as long as you like. Without a seed each
// run has another; what fails names it, and how to see it again.
import { spawn } from 'node:child_process'
import { parseArgs } from 'node:util'

const { values } = parseArgs({ options: { runs: { type: 'string' }, seed: { type: 'string' } } })
const { runs = '100000', seed = String(Date.now() % 2 ** 31) } = values
console.log(`${runs} requests, seed ${seed}`)
spawn('vitest', ['run', 'test/fuzz'], {
  shell: true,
  stdio: 'inherit',
  env: { ...process.env, FUZZ_RUNS: runs, FUZZ_SEED: seed },
}).on('close', (code) => (process.exitCode = code ?? 1))
