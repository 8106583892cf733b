// The short form of `npm run torture`: a few rounds with a kept seed.
import { expect, test } from 'vitest'
import { databases } from '../support/databases.ts'
import { faults } from './faults.ts'
import { torture } from './torture.ts'

const SHORT = { sqlite: ['kill'], postgres: ['kill', 'backends'] }

test.each(databases)(
  'F1 F2 F3 F12 F19 a server on $name that is killed, or loses its connections, has kept all that it acknowledged, and lets nothing be used twice',
  async (kind) => {
    const chosen = faults.filter(({ name }) => SHORT[kind.name].includes(name))
    const lines: string[] = []
    const outcome = await torture(
      {
        kind,
        faults: chosen,
        rounds: chosen.length,
        seed: 7,
        rows: 0,
        reuseSeconds: 60,
        restartDatabase: undefined,
      },
      (line) => lines.push(line),
    )
    expect(outcome.violations, lines.join('\n')).toEqual([])
    expect(outcome.turns).toBeGreaterThan(0)
  },
  180_000,
)
