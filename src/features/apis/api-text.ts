/** What a person reads about APIs on a terminal. */
import type { Api } from '#core/apis/api.ts'
import { detailTypeText } from '#core/apis/detail-type.ts'

export function apiDetails(api: Api): string {
  const lines = [
    ['identifier', api.identifier],
    ['name', api.name],
    ['scopes', api.scopes.join(' ') || 'none'],
    ...api.detailTypes.map((type) => ['details', detailTypeText(type)] as const),
    ['access tokens', api.format === 'jwt' ? `JWT, signed with ${api.signingAlg}` : 'opaque, to be introspected'],
    [
      'they live',
      api.accessTokenSeconds === null
        ? 'as long as any access token of this server'
        : `${api.accessTokenSeconds} seconds`,
    ],
    ['open to', api.assignment === 'everyone' ? 'every client' : api.clients.join(' ') || 'no client yet'],
    ['may introspect', api.introspectionClients.join(' ') || 'nobody but the client that a token was issued to'],
  ] as const
  const width = Math.max(...lines.map(([label]) => label.length))
  return lines.map(([label, value]) => `  ${label.padEnd(width)}  ${value}\n`).join('')
}

export function apiTable(apis: readonly Api[]): string {
  if (apis.length === 0) return 'No APIs yet. Register one: latchkey api create --identifier URI\n'
  const width = Math.max(...apis.map(({ identifier }) => identifier.length))
  return apis
    .map(({ identifier, format, name }) => `${identifier.padEnd(width)}  ${format.padEnd(6)}  ${name}\n`)
    .join('')
}
