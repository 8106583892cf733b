/** `latchkey audit …`: reads what was typed, calls one rule of core/audit, prints what came of it. */
import { setTimeout as sleep } from 'node:timers/promises'
import { auditJson, type AuditEntry } from '#core/audit/event.ts'
import type { AuditTrail } from '#core/audit/trail.ts'
import type { CommandGroup, CommandResult, OptionSpec } from '#platform/cli.ts'
import { inColumns, utc } from '#platform/columns.ts'
import { AppError } from '#platform/errors.ts'
import type { Terminal } from '#platform/terminal.ts'

interface Needs {
  readonly auditTrail: AuditTrail
}

const FOLLOW_MS = 1_000

const FILTERS: readonly OptionSpec[] = [
  { flags: '--user <who>', description: 'about one person: id, e-mail address or user name' },
  { flags: '--client <id>', description: 'about one application' },
  { flags: '--type <type>', description: 'of one type, such as sign_in.refused, or kind, such as client' },
  { flags: '--since <time>', description: 'in the time that has passed, such as 90m, 24h or 7d' },
]

export const auditCommands: CommandGroup<Needs> = {
  noun: 'audit',
  summary: 'Who did what to whom, from where, and which rule refused.',
  commands: [
    {
      verb: 'list',
      summary: 'List what happened, newest first.',
      options: [
        ...FILTERS,
        { flags: '--limit <number>', description: 'how many at once, 50 unless told' },
        { flags: '--cursor <text>', description: 'go on after an earlier page: its "next"' },
        { flags: '--follow', description: 'print what happens from now on, as it happens; --json prints JSON lines' },
      ],
      async run({ needs: { auditTrail }, options: { follow, ...options }, terminal }) {
        if (follow === true) return following(auditTrail, options, terminal)
        const { items, next } = await auditTrail.list(options)
        if (next !== undefined) terminal.say(`There are more: add --cursor ${next}\n`)
        return { json: { items: items.map(auditJson), next: next ?? null }, text: entriesText(items) }
      },
    },
    {
      verb: 'export',
      summary: 'Print what is sealed as JSON lines, in the order of the chain.',
      options: FILTERS,
      run: async ({ needs: { auditTrail }, options }) => exported(auditTrail, options),
    },
    {
      verb: 'verify',
      summary: 'Tell whether anything was changed, removed, moved or slipped in; exit 1 if so.',
      options: [
        { flags: '--head <head>', description: 'the head of an earlier time: nothing may have been cut off since' },
      ],
      run: async ({ needs: { auditTrail }, options: { head } }) =>
        verified(auditTrail, typeof head === 'string' ? head : undefined),
    },
  ],
}

async function* following(
  trail: AuditTrail,
  options: Readonly<Record<string, unknown>>,
  terminal: Pick<Terminal, 'say'>,
): AsyncGenerator<CommandResult> {
  const filter = await trail.filter(options)
  await trail.seal()
  let { sequence } = filter.from === undefined ? await trail.end() : { sequence: 0 }
  for (let isAway = false; ; await sleep(FOLLOW_MS)) {
    try {
      await trail.seal()
      for await (const entry of trail.after(sequence, filter)) {
        sequence = entry.sequence ?? sequence
        yield { json: auditJson(entry), text: entriesText([entry]) }
      }
      if (isAway) terminal.say('The database answers again.\n')
      isAway = false
    } catch (error) {
      if (!(error instanceof AppError) || error.code !== 'unavailable') throw error
      if (!isAway) terminal.say('The database does not answer; nothing is missed, and it is asked again each second.\n')
      isAway = true
    }
  }
}

async function* exported(trail: AuditTrail, options: Readonly<Record<string, unknown>>): AsyncGenerator<CommandResult> {
  const filter = await trail.filter(options)
  await trail.seal()
  for await (const entry of trail.after(0, filter)) {
    const json = auditJson(entry)
    yield { json, text: JSON.stringify(json) }
  }
}

async function verified(trail: AuditTrail, head: string | undefined): Promise<CommandResult> {
  const { problems, ...verification } = await trail.verify(head)
  if (problems.length > 0)
    throw new AppError('conflict', 'The audit is not what was written.', {
      fields: Object.fromEntries(problems.map(({ where, problem }) => [where, problem])),
      hint: 'Somebody changed the database from outside. Compare it with a backup, or with an export kept elsewhere.',
    })
  const { events, head: end } = verification
  return {
    json: verification,
    text: `${events} events, and each is what was written, in its place.\nKeep the head somewhere else: latchkey audit verify --head ${end} misses what is cut off behind it.`,
  }
}

function entriesText(entries: readonly AuditEntry[]): string {
  if (entries.length === 0) return 'Nothing is on record, as far as the audit goes back.'
  return inColumns(entries.map(columnsOf))
}

function columnsOf({ at, type, actor, account_id, client_id, address, request_id, rule }: AuditEntry): string[] {
  return [
    utc(at),
    type.padEnd(24),
    actor.padEnd(13),
    account_id ?? '-',
    client_id ?? '-',
    address ?? '-',
    request_id ?? '-',
    rule ?? '',
  ]
}
