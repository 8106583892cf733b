/**
 * Software that registers itself (RFC 7591, RFC 7592). The endpoints, their tokens and their errors are the library's;
 * what may be registered is judged by core/clients, as for an administrator. Four joints hold the two together: the
 * door finds out within which bounds a request may register; the library's validator makes its client of our draft
 * instead of what was sent; the adapter stores that draft, in one transaction with the token it costs; and the answer
 * leaves out what is the house's own.
 */
import type { Context, Middleware } from 'koa'
import { errors, Provider, type ClientMetadata, type Configuration, type KoaContextWithOIDC } from 'oidc-provider'
import type { Actor } from '#core/audit/event.ts'
import { artifactStore } from '#core/artifacts/store.ts'
import { keepsSecret } from '#core/clients/client-authentication.ts'
import { newClientId } from '#core/clients/client-id.ts'
import { parseRegistration } from '#core/clients/client-input.ts'
import { clientMetadata } from '#core/clients/client-metadata.ts'
import { newClientSecret } from '#core/clients/client-secret.ts'
import { wholeMetadata } from '#core/clients/presets.ts'
import { OPEN_BOUNDS, type RegistrationBounds } from '#core/registration/bounds.ts'
import type { Services, Settings } from '#core/services.ts'
import { AppError } from '#platform/errors.ts'
import { factsOf } from '#platform/http/request-facts.ts'
import { isJsonObject } from '#platform/json-object.ts'
import { artifactKey, type RegisteredClients } from './adapter.ts'
import { clientSettings } from './clients.ts'
import { isDocumentId } from './client-documents.ts'
import { limitRegistrations } from './registration-limits.ts'
import { documentReader, inItsWords, metadataReader, refusedInItsWords } from './registration-metadata.ts'

type Features = NonNullable<Configuration['features']>

/** The library's endpoints, where the operator opened them. */
export function registration({
  registration: { mode },
}: Settings): Pick<Features, 'registration' | 'registrationManagement'> {
  if (mode === 'off') return {}
  return {
    registration: {
      enabled: true,
      initialAccessToken: mode === 'token',
      idFactory: newClientId,
      secretFactory: newClientSecret,
    },
    registrationManagement: { enabled: true, rotateRegistrationAccessToken: true },
  }
}

/** What a request may register, and the token that lets it. */
interface Permit {
  readonly bounds: RegistrationBounds
  readonly tokenId: string | undefined
}

const PERMIT = 'registrationPermit'
/** Where no token and no client is found. Mostly the library refuses such a request before it looks at the metadata. */
const NOTHING: Permit = { bounds: { types: [], groups: [] }, tokenId: undefined }

/** Around the library: how often, within which bounds, and what of the client is told. */
export function registrationDoor(services: Services): Middleware {
  const { clients, registrationTokens, settings } = services
  const { mode } = settings.registration
  const limit = limitRegistrations(services)

  const permitOf = async (ctx: Context): Promise<Permit> => {
    if (ctx.path === '/register') {
      if (mode === 'open') return { bounds: OPEN_BOUNDS, tokenId: undefined }
      const token = await registrationTokens.findLive(/^bearer (.+)$/i.exec(ctx.get('Authorization'))?.[1] ?? '')
      return token ? { bounds: token.bounds, tokenId: token.id } : NOTHING
    }
    // the library reads other spellings of an id as the same client: those lead to nothing
    const client = await clients.find(ctx.path.slice('/register/'.length))
    if (!client) return NOTHING
    const { registrationTokenId: tokenId } = client
    return { bounds: tokenId === undefined ? OPEN_BOUNDS : (await registrationTokens.get(tokenId)).bounds, tokenId }
  }

  const door: Middleware = async (ctx, next) => {
    if (allowOtherOrigins(ctx)) return
    if (mode === 'open' && ctx.method === 'POST') await limit(ctx)
    ctx.state[PERMIT] = await permitOf(ctx)
    await next()
    if (ctx.status < 300 && isJsonObject(ctx.body)) ctx.body = told(ctx.body)
    // RFC 6750 §3.1: what came without a token was not looked at, so it is not the request that is wrong
    const isWithoutToken = ctx.get('Authorization') === '' && (mode === 'token' || ctx.path !== '/register')
    if (ctx.status === 400 && isWithoutToken) ctx.status = 401
  }

  return (ctx, next) => (mode !== 'off' && /^\/register(\/|$)/.test(ctx.path) ? door(ctx, next) : next())
}

/** OpenID Connect Dynamic Client Registration 1.0 §3; nothing here goes by a cookie. True where that was the question. */
function allowOtherOrigins(ctx: Context): boolean {
  ctx.set('Access-Control-Allow-Origin', '*')
  if (ctx.method !== 'OPTIONS') return false
  ctx.set('Access-Control-Allow-Methods', 'GET, POST, PUT, DELETE')
  ctx.set('Access-Control-Allow-Headers', 'Authorization, Content-Type')
  ctx.status = 204
  return true
}

/** What is registered in the request, within what it may register. @throws InvalidClientMetadata */
function requestReader(settings: Settings) {
  const read = metadataReader(settings)
  return (ctx: KoaContextWithOIDC) => {
    const metadata = isJsonObject(ctx.oidc.body) ? ctx.oidc.body : {}
    if (metadata['software_statement'] !== undefined)
      throw new errors.CustomOIDCProviderError(
        'unapproved_software_statement',
        'software statements are not taken here: send the metadata itself',
      )
    return refusedInItsWords(() => read(metadata, permitIn(ctx).bounds))
  }
}

/**
 * Makes the library's client of our draft of it, where software speaks for itself. The library hands `metadata` over to
 * be changed, and a context with requests to register only.
 * @throws InvalidClientMetadata
 */
export function draftedClient(settings: Settings) {
  const readRequest = requestReader(settings)
  const readDocument = documentReader(settings)
  return (ctx: KoaContextWithOIDC | undefined, metadata: ClientMetadata): void => {
    const { client_id, client_secret } = metadata
    if (!ctx && !isDocumentId(client_id)) return
    const draft = refusedInItsWords(() => parseRegistration(ctx ? readRequest(ctx) : readDocument(metadata), 'dynamic'))
    for (const member of Object.keys(metadata)) Reflect.deleteProperty(metadata, member)
    Object.assign(metadata, {
      ...wholeMetadata(draft),
      client_id,
      client_name: draft.name,
      ...(keepsSecret(draft) ? { client_secret, client_secret_expires_at: 0 } : {}),
    })
  }
}

export function registeredClients({ clients, registrationTokens, clock, settings }: Services): RegisteredClients {
  const readRequest = requestReader(settings)
  return {
    remove: (id) => clients.remove(id, itself()),

    async save(id, secret) {
      const { ctx } = Provider
      if (!ctx) throw new Error('a client is stored within a request to register it, and in no other way')
      const { tokenId, bounds } = permitIn(ctx)
      const input = readRequest(ctx)
      const { RegistrationAccessToken: manager } = ctx.oidc.entities
      try {
        if (ctx.oidc.route === 'registration') {
          const { groups } = bounds
          const open = groups.length === 0 ? {} : { assignment: 'groups', groups }
          const software = { id, secret, tokenId, origin: 'dynamic', by: itself(), together: spend } as const
          await clients.register({ ...input, ...open }, software)
        } else {
          await clients.replace(id, input, itself(), async (trx) => {
            // of several changes at once with one token, one is made
            const key = artifactKey('RegistrationAccessToken', manager?.jti ?? '')
            if (!(await artifactStore(trx).consume(key, clock.now(), 0)))
              throw new AppError('forbidden', 'The registration access token was used already.')
          })
        }
      } catch (error) {
        throw inItsWords(error)
      }

      async function spend(trx: Parameters<typeof registrationTokens.spend>[0]): Promise<void> {
        if (tokenId !== undefined) await registrationTokens.spend(trx, tokenId)
      }
    },
  }
}

/** Who registers, for the record. */
function itself(): Actor {
  const { ctx } = Provider
  return ctx ? { kind: 'client', request: factsOf(ctx.req) } : { kind: 'client' }
}

/** Only software that registered itself, and that no administrator took over, reads and changes its record. */
export function keepAdministrators({ Client }: Provider): void {
  Object.defineProperty(Client.prototype, 'noManage', {
    get(this: InstanceType<Provider['Client']>) {
      return clientSettings(this).origin !== 'dynamic'
    },
  })
}

function permitIn({ state }: Context): Permit {
  // boundary: the door has put it there
  return (state[PERMIT] as Permit | undefined) ?? NOTHING
}

const TOLD = new Set([
  ...Object.keys(clientMetadata.shape),
  'client_id',
  'client_secret',
  'client_secret_expires_at',
  'registration_access_token',
  'registration_client_uri',
])

function told(body: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(body).filter(([member]) => TOLD.has(member)))
}
