// `npm run bench`: what an operation costs, beside the bare protocol library. See docs/performance.md.
import { bench } from './bench/bench.ts'
import { parseOptions, USAGE, type BenchOptions } from './bench/options.ts'
import { tableOf } from './bench/report.ts'

const argv = process.argv.slice(2)
const options = argv.includes('--help') ? undefined : optionsOf(argv)
if (argv.includes('--help')) process.stdout.write(USAGE)
if (options) {
  const report = await bench(options, (line) => process.stderr.write(`${line}\n`))
  process.stdout.write(options.json ? `${JSON.stringify(report, null, 2)}\n` : tableOf(report))
}

function optionsOf(words: readonly string[]): BenchOptions | undefined {
  try {
    return parseOptions(words)
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n${USAGE}`)
    process.exitCode = 2
    return undefined
  }
}
