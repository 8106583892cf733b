/** What a person reads about APIs on a terminal. */
import type { Api } from '#core/apis/api.ts'
import { inColumns, named } from '#platform/columns.ts'
import { detailTypeText } from '#core/apis/detail-type.ts'

export function apiDetails(api: Api): string {
  return named([
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
  ])
}

export function apiTable(apis: readonly Api[]): string {
  if (apis.length === 0) return 'No APIs yet. Register one: latchkey api create --identifier URI\n'
  return inColumns(apis.map(({ identifier, format, name }) => [identifier, format, name]))
}
