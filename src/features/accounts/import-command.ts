/** `latchkey user import`: people of another system, by the thousand. */
import type { ImportOutcome } from '#core/accounts/account-import.ts'
import type { Accounts } from '#core/accounts/accounts.ts'
import type { CommandResult, CommandSpec } from '#platform/cli.ts'
import type { Terminal } from '#platform/terminal.ts'
import { peopleIn, type PersonInFile } from './import-file.ts'

/** So many are written in one transaction: a server beside waits for none of them for long. */
const AT_ONCE = 1_000
const TOLD_EVERY = 10_000
/** A file in which nobody can be taken is told of by its first ones. */
const MOST_REFUSALS_TOLD = 1_000

interface Summary {
  readonly dry_run: boolean
  imported: number
  existing: number
  refused: number
  readonly refusals: { readonly place: string; readonly problems: Readonly<Record<string, string>> }[]
}

export const importCommand: CommandSpec<{ readonly accounts: Accounts }> = {
  verb: 'import',
  summary: 'Add people from another system with the hashes of their passwords (docs/import.md).',
  arguments: ['<file>'],
  options: [{ flags: '--dry-run', description: 'write nothing, only tell what would become of each' }],
  async run({ needs: { accounts }, args: [file = ''], options, terminal }) {
    const dryRun = options['dryRun'] === true
    const summary: Summary = { dry_run: dryRun, imported: 0, existing: 0, refused: 0, refusals: [] }
    for await (const people of inBatches(peopleIn(file, terminal))) {
      const outcomes = await accounts.importPeople(
        people.map(({ person }) => person),
        { dryRun },
      )
      for (const [index, { place }] of people.entries()) count(summary, place, outcomes[index], terminal)
      const read = summary.imported + summary.existing + summary.refused
      if (read % TOLD_EVERY === 0) terminal.say(`${read} read\n`)
    }
    return resultOf(summary)
  },
}

async function* inBatches(people: AsyncIterable<PersonInFile>): AsyncGenerator<readonly PersonInFile[]> {
  let batch: PersonInFile[] = []
  for await (const person of people) {
    batch.push(person)
    if (batch.length < AT_ONCE) continue
    yield batch
    batch = []
  }
  if (batch.length > 0) yield batch
}

function count(summary: Summary, place: string, outcome: ImportOutcome | undefined, terminal: Terminal): void {
  if (!outcome) throw new Error('every person has an outcome')
  summary[outcome.kind] += 1
  if (outcome.kind !== 'refused' || summary.refusals.length >= MOST_REFUSALS_TOLD) return
  summary.refusals.push({ place, problems: outcome.problems })
  for (const [member, problem] of Object.entries(outcome.problems))
    // a name comes from the file, and must not end the line
    terminal.say(`${place}: ${member.replaceAll(/\p{Cc}/gu, '\ufffd')}: ${problem}\n`)
}

function resultOf(summary: Summary): CommandResult {
  const { dry_run, imported, existing, refused } = summary
  const text = [
    `${dry_run ? 'Would be imported' : 'Imported'}: ${imported}`,
    `There already, and left as they are: ${existing}`,
    `Refused: ${refused}`,
  ].join('\n')
  return { json: summary, text, refused: refused > 0 }
}
