import type { Services } from '#core/services.ts'
import type { CommandGroup } from '#platform/cli.ts'
import { AppError } from '#platform/errors.ts'
import { isJsonObject } from '#platform/json-object.ts'
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
      arguments: ['<error-id>'],
      async run({ needs, args: [text = ''] }) {
        const explanation = explanationOf(await refusedIn(text, needs))
        return { json: explanation, text: explanationText(explanation) }
      },
    },
  ],
}

/** The refusal with the id as it was copied: with the words around it, or in capitals. @throws AppError(not_found) */
async function refusedIn(text: string, { auditTrail, clients, accounts }: Needs): Promise<Refused> {
  const id = text
    .replace(/^.*error id:?/i, '')
    .replaceAll(/[^0-9a-z]/gi, '')
    .toLowerCase()
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
