import { parseArgs } from 'node:util'
import { z } from 'zod'
import { OPERATIONS } from './operations/all.ts'

/** What is measured besides the operations. */
const OTHERS = ['start', 'flood']
const NAMES = [...OPERATIONS.map(({ name }) => name), ...OTHERS]
/** Takes too long to be measured where nobody asks for it. */
const LONG = ['soak']
/** A token that the soak gets at its beginning, and shows until its end, is good for an hour. */
const MOST_MINUTES = 55

export const USAGE = `Usage: npm run bench -- [options]
  --database sqlite|postgres  what Latchkey keeps its data in (sqlite)
  --workers N                 processes of Latchkey; more than 1 needs postgres (1)
  --only NAME                 one of the names below; may be repeated (all but soak)
  --rows N                    people, clients, grants and tokens that are there before (0)
  --rounds N --seconds N      how often, and how long, each server is measured in turn (3, 2)
  --warm N                    seconds that each server is under load before the first round (1.5)
  --minutes N                 how long soak takes, 3 to ${MOST_MINUTES} (30)
  --lanes N                   how many clients ask at once (16)
  --profile                   keeps a .cpuprofile of each server and operation in data/profiles
  --json                      one JSON object on stdout instead of the table
Names: ${[...NAMES, ...LONG].join(' ')}
postgres is a server of the bench's own, unless BENCH_POSTGRES_URL names an empty database.
`

const count = (least: number) => z.coerce.number().int().min(least)

const shape = z
  .object({
    database: z.enum(['sqlite', 'postgres']).default('sqlite'),
    workers: count(1).default(1),
    only: z.array(z.enum([...NAMES, ...LONG])).default(NAMES),
    rows: count(0).default(0),
    rounds: count(1).default(3),
    seconds: z.coerce.number().positive().default(2),
    warm: z.coerce.number().nonnegative().default(1.5),
    minutes: count(3).max(MOST_MINUTES).default(30),
    lanes: count(1).default(16),
    profile: z.boolean().default(false),
    json: z.boolean().default(false),
  })
  .refine(({ workers, database }) => workers === 1 || database === 'postgres', 'more than one worker needs postgres')

export type BenchOptions = z.infer<typeof shape>

/** @throws Error with what is wrong, in words for the command line */
export function parseOptions(argv: readonly string[]): BenchOptions {
  const text = { type: 'string' } as const
  const flag = { type: 'boolean' } as const
  const { values } = parseArgs({
    args: [...argv],
    options: {
      database: text,
      workers: text,
      only: { ...text, multiple: true },
      rows: text,
      rounds: text,
      seconds: text,
      warm: text,
      minutes: text,
      lanes: text,
      profile: flag,
      json: flag,
    },
  })
  const parsed = shape.safeParse(values)
  if (!parsed.success) throw new Error(z.prettifyError(parsed.error))
  return parsed.data
}
