/**
 * Client ID Metadata Documents: a client id that is the address of the client's own metadata, for software that nobody
 * registers. The library fetches and keeps the documents; where they may lie, what they may say and what is remembered
 * of them is ours. A client of the kind has a row like any other, so that consent, tokens and administrators find it,
 * and what an administrator decided about it stays whatever the document says.
 */
import type { Client, Configuration, KoaContextWithOIDC } from 'oidc-provider'
import { isClientId } from '#core/clients/client-id.ts'
import { rememberDocument } from '#core/clients/document-clients.ts'
import { houseMembers } from '#core/clients/client-json.ts'
import { isAmongHosts } from '#core/registration/hosts.ts'
import type { Services } from '#core/services.ts'
import { inItsWords, metadataReader } from './registration-metadata.ts'
import { limitRegistrations } from './registration-limits.ts'

type Documents = NonNullable<NonNullable<Configuration['features']>['clientIdMetadataDocument']>

/**
 * In seconds: a document is asked for again after it said, within these. Each process keeps its own copies, which end by
 * this time and by nothing else.
 */
const KEPT = { min: 300, max: 3_600 }

/** The library's feature, where the operator named hosts that such documents may lie at. */
export function clientDocuments(services: Services): { readonly clientIdMetadataDocument?: Documents } {
  const { clients, settings, database } = services
  const { documentHosts } = settings.registration
  if (documentHosts.length === 0) return {}
  const limit = limitRegistrations(services)
  const read = metadataReader(settings)

  const clientIdMetadataDocument: Documents = {
    enabled: true,
    ack: 'draft-02',
    cacheDuration: KEPT,

    async allowFetch(ctx: KoaContextWithOIDC | undefined, id) {
      // a row with an id that is no client's id could be found by nobody, nor closed
      if (!isClientId(id) || !isAmongHosts(documentHosts, id)) return false
      // a job of ours asks without a request; and strangers who name many documents close no client that is in use
      // apart, since what comes next may be to wait for what another request has asked for already
      await database.apart(async () => {
        if (ctx && !(await clients.find(id))) await limit(ctx)
      })
      return true
    },

    async allowClient(_ctx, client: Client) {
      try {
        // the library keeps what it fetched whatever becomes of this request, and so does the row
        const known = await database.apart(() => rememberDocument(clients, client.clientId, read(client.metadata())))
        // what was decided about refresh tokens is told in the grant types
        Object.assign(client, houseMembers(known), { grantTypes: known.metadata['grant_types'] })
        return !known.disabled
      } catch (error) {
        throw inItsWords(error)
      }
    },
  }
  return { clientIdMetadataDocument }
}

/** True for a client id that is an address: no other client has such an id. */
export function isDocumentId(clientId: unknown): boolean {
  return typeof clientId === 'string' && /^https:/i.test(clientId)
}
