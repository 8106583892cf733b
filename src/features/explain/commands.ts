import type { Services } from '#core/services.ts'
import type { CommandGroup } from '#platform/cli.ts'
import { AppError } from '#platform/errors.ts'
import { isJsonObject } from '#platform/json-object.ts'
import { errorIdIn } from './error-id.ts'
import { explanationText } from './explanation-text.ts'
import { explanationOf } from './explanation.ts'
import type { Refused } from './refused.ts'

type Needs = Pick<Services, 'auditTrail' | 'clients' | 'accounts'>

export const explainCommands: CommandGroup<Needs> = {
  noun: 'explain',
  summary: 'Tell why a request was refused, and what would mend it.',
  commands: [
    {
      verb: '',
      summary: '',
      arguments: ['<error-id...>'],
      async run({ needs, args }) {
        const explanation = explanationOf(await refusedIn(args.join(' '), needs))
        return { json: explanation, text: explanationText(explanation) }
      },
    },
  ],
}

/** The refusal with the id in what was pasted. @throws AppError(invalid_input, not_found) */
async function refusedIn(pasted: string, { auditTrail, clients, accounts }: Needs): Promise<Refused> {
  const id = errorIdIn(pasted)
  if (id === undefined) throw noId()
  const entries = await auditTrail.ofRequest(id)
  const entry = entries.findLast(({ type }) => /^guessing\.|\.(refused|reuse_detected)$/.test(type))
  if (!entry) throw entries.length > 0 ? notRefused(id) : unknown()
  const received = receivedIn(entry.facts['received'])
  const clientId = entry.client_id ?? (typeof received['client_id'] === 'string' ? received['client_id'] : undefined)
  return {
    id,
    entry,
    received,
    client: clientId === undefined ? undefined : await clients.find(clientId),
    account: entry.account_id === null ? undefined : await accounts.findById(entry.account_id),
  }
}

function receivedIn(value: unknown): Refused['received'] {
  if (!isJsonObject(value)) return {}
  return Object.fromEntries(
    Object.entries(value).map(([name, sent]) => [name, Array.isArray(sent) ? sent.map(String) : String(sent)]),
  )
}

function noId(): AppError {
  return new AppError('invalid_input', 'There is no error id in this.', {
    hint: 'An error id has 12 letters and digits. Paste it, or the whole error, in quotes: latchkey explain "(error id: w0xx8g1q3m5z)".',
  })
}

function unknown(): AppError {
  return new AppError('not_found', 'Nothing is known of this error id.', {
    hint: 'It may be mistyped, of another server or database, older than AUDIT_RETENTION_SECONDS, or one of so many refusals of its network that they were only counted. The log may have it as "id".',
  })
}

function notRefused(id: string): AppError {
  return new AppError('not_found', 'The request with this id was not refused.', {
    hint: `What came of it: latchkey audit list --json, where request_id is ${id}.`,
  })
}
