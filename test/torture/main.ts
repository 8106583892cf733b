// `npm run torture -- --rounds 500 --database postgres --fault kill --seed 7 --rows 1000000`: the long form. Prints the
// seed, a line a round and a summary; ends with 1 where anything was lost, used twice or answered wrongly. docs/torture.md
// says more.
import { parseArgs } from 'node:util'
import { createPostgres, createSqlite } from '../support/fresh-databases.ts'
import { startPostgres } from '../support/postgres-server.ts'
import { faults, type Fault } from './faults.ts'
import { torture, type TortureOptions } from './torture.ts'

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '20' },
    seed: { type: 'string', default: String(Date.now() % 1_000_000) },
    database: { type: 'string', default: 'sqlite' },
    fault: { type: 'string', default: 'kill' },
    rows: { type: 'string', default: '0' },
    'reuse-seconds': { type: 'string', default: '60' },
  },
})

const say = (line: string): void => void process.stdout.write(`${line}\n`)
const possible = faults.filter(({ databases }) => databases.some((one) => one === values.database))
const chosen = values.fault.split(',').map((name) => possible.find((fault) => fault.name === name))
process.exitCode = chosen.every((fault) => fault !== undefined) ? await run(chosen) : misuse()

function misuse(): number {
  say(`These are the faults for each database; of several, with commas between them, each round has the next one.`)
  for (const { name, databases } of faults) say(`  --fault ${name} (${databases.join(', ')})`)
  return 2
}

async function run(faults: readonly Fault[]): Promise<number> {
  const { seed, rounds, rows, 'reuse-seconds': reuseSeconds } = values
  say(`torture: ${values.fault} on ${values.database}, ${rounds} rounds, seed ${seed}`)
  const options = {
    faults,
    rounds: Number(rounds),
    seed: Number(seed),
    rows: Number(rows),
    reuseSeconds: Number(reuseSeconds),
  }
  const { violations, turns, counts, verified } = await onDatabase((database) =>
    torture({ ...database, ...options }, say),
  )
  for (const [what, count] of Object.entries(counts).toSorted()) say(`  ${String(count).padStart(7)} ${what}`)
  say(
    `${rounds} rounds, ${turns} turns of work, ${verified} ID tokens verified by cached keys, ${violations.length} violations`,
  )
  for (const violation of violations) say(`  ${violation}`)
  return violations.length === 0 ? 0 : 1
}

async function onDatabase<T>(
  work: (database: Pick<TortureOptions, 'kind' | 'restartDatabase'>) => Promise<T>,
): Promise<T> {
  if (values.database === 'sqlite')
    return work({ kind: { name: 'sqlite', create: createSqlite }, restartDatabase: undefined })
  const server = await startPostgres({ durable: true })
  try {
    const create = () => createPostgres({ url: server.url, prefix: 'torture_' })
    return await work({ kind: { name: 'postgres', create }, restartDatabase: server.restart })
  } finally {
    await server.stop()
  }
}
