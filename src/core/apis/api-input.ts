/**
 * What may be said about an API, as one shape for every door (command line, REST, console), and the rules between its
 * members.
 */
import { z } from 'zod'
import { shownName } from '#core/clients/client-metadata.ts'
import { isOfferedScope } from '#core/clients/scopes.ts'
import { shownUri } from '#core/clients/web-address.ts'
import { AppError } from '#platform/errors.ts'
import { SIGNING_ALGORITHMS } from '#core/signing-keys/algorithms.ts'
import { MAX_API_TOKEN_SECONDS, type ApiDraft } from './api.ts'
import { detailTypes } from './detail-type.ts'
import { identifierProblem } from './identifier.ts'

const MAX_SCOPES = 100
const MAX_SCOPE_LENGTH = 128
const MIN_SECONDS = 30

const identifier = z.string('An identifier is text.').superRefine((text, context) => {
  const problem = identifierProblem(text)
  if (problem !== undefined) context.addIssue(problem)
})

const scopes = z
  .string('Scopes are one text, separated by spaces.')
  .transform((text) => [...new Set(text.split(' ').filter((scope) => scope !== ''))].toSorted())
  .superRefine((all, context) => {
    if (all.length > MAX_SCOPES) context.addIssue(`An API has at most ${MAX_SCOPES} scopes.`)
    // RFC 6749 §3.3
    const malformed = all.filter(
      (scope) => !/^[\x21\x23-\x5b\x5d-\x7e]+$/.test(scope) || scope.length > MAX_SCOPE_LENGTH,
    )
    if (malformed.length > 0) {
      context.addIssue(
        `${malformed.map((scope) => shownUri(scope)).join(', ')} cannot be a scope: at most ${MAX_SCOPE_LENGTH} printable characters without quotes and backslashes.`,
      )
    }
    const reserved = all.filter((scope) => isOfferedScope(scope))
    if (reserved.length > 0)
      context.addIssue(`${reserved.join(', ')} is about the person (OpenID Connect) and cannot be a scope of an API.`)
  })

const seconds = z
  .int(`A lifetime is a whole number of seconds, from ${MIN_SECONDS} to ${MAX_API_TOKEN_SECONDS}.`)
  .min(MIN_SECONDS, `At least ${MIN_SECONDS} seconds.`)
  .max(MAX_API_TOKEN_SECONDS, `At most ${MAX_API_TOKEN_SECONDS} seconds (one day), since a JWT cannot be called back.`)
  .nullable()

const clientIds = z
  .array(z.string('A client id is text.').max(255), 'A list of client ids was expected.')
  .max(1_000, 'At most 1000 clients.')
  .transform((ids) => [...new Set(ids)].toSorted())

const settings = {
  name: shownName,
  scope: scopes,
  authorization_details_types: detailTypes,
  format: z.enum(['jwt', 'opaque'], 'A format is jwt or opaque.'),
  /** null: the server's own lifetime. */
  access_token_seconds: seconds,
  signing_alg: z.enum(SIGNING_ALGORITHMS, `An algorithm is one of ${SIGNING_ALGORITHMS.join(', ')}.`),
  assignment: z.enum(['everyone', 'clients'], 'An assignment is everyone or clients.'),
  clients: clientIds,
  introspection_clients: clientIds,
}
const changeShape = z.strictObject(settings).partial()
const registrationShape = changeShape.extend({ identifier })

/** Reads a registration. @throws AppError(invalid_input) with one message a field */
export function parseApi(input: unknown): ApiDraft {
  const { identifier: named, ...given } = parsed(registrationShape, input)
  return decide(
    {
      identifier: named,
      name: named,
      scopes: [],
      detailTypes: [],
      format: 'jwt',
      accessTokenSeconds: null,
      signingAlg: 'RS256',
      assignment: 'everyone',
      clients: [],
      introspectionClients: [],
    },
    given,
  )
}

/** Reads a change: lists replace. @throws AppError(invalid_input) */
export function parseApiChange(before: ApiDraft, input: unknown): ApiDraft {
  const change = parsed(changeShape, input)
  if (Object.values(change).every((value) => value === undefined)) {
    throw new AppError('invalid_input', 'Nothing to change was given.', {
      hint: 'Name at least one setting and its new value.',
    })
  }
  return decide(before, change)
}

/** What a door shows when the API is refused for these reasons, by the public name of each member. */
export function refusedApi(fields: Readonly<Record<string, string>>): AppError {
  return new AppError('invalid_input', 'The API was refused; nothing was changed.', {
    fields,
    hint: 'Mend what is named above and try again.',
  })
}

function decide(before: ApiDraft, given: z.output<typeof changeShape>): ApiDraft {
  const assignment = given.assignment ?? before.assignment
  const draft: ApiDraft = {
    identifier: before.identifier,
    name: given.name ?? before.name,
    scopes: given.scope ?? before.scopes,
    detailTypes: given.authorization_details_types ?? before.detailTypes,
    format: given.format ?? before.format,
    accessTokenSeconds:
      given.access_token_seconds === undefined ? before.accessTokenSeconds : given.access_token_seconds,
    signingAlg: given.signing_alg ?? before.signingAlg,
    assignment,
    clients: given.clients ?? (assignment === 'clients' ? before.clients : []),
    introspectionClients: given.introspection_clients ?? before.introspectionClients,
  }
  if (assignment === 'everyone' && draft.clients.length > 0) {
    throw refusedApi({
      clients: 'Clients count only where the assignment is "clients"; this API is open to every client.',
    })
  }
  return draft
}

function parsed<T>(shape: z.ZodType<T>, input: unknown): T {
  const result = shape.safeParse(input)
  if (result.success) return result.data
  // a map, since a member may be called __proto__
  const fields = new Map<string, string>()
  for (const { path, message, ...issue } of result.error.issues.toReversed()) {
    if (issue.code === 'unrecognized_keys') for (const key of issue.keys) fields.set(key, 'There is no such setting.')
    else fields.set(String(path[0] ?? 'api'), message)
  }
  throw refusedApi(Object.fromEntries(fields))
}
