/**
 * Sessions, kept for several tabs. The library reads the session of a browser when a request begins and writes all of
 * it when the request ends, so of two tabs that sign in to two applications the second would wipe out what the first
 * wrote, and with it the first one's tokens, which live by the session. Here a write holds only for the row that was
 * read; where another tab was faster, what this request added and removed is done to the newer row. A session that was
 * ended meanwhile stays ended, and what was done in it is not answered. And a session gets its new id in one step, so
 * that at no moment there is none.
 */
import { Provider, type Adapter, type AdapterPayload } from 'oidc-provider'
import type { Artifact, ArtifactStore, NewArtifact } from '#core/artifacts/store.ts'
import { attached } from '#platform/attached.ts'
import { AppError } from '#platform/errors.ts'
import { bringGrant, grantExpectedWith } from './brought-along.ts'

type Lifetime = number | undefined
type Authorizations = NonNullable<AdapterPayload['authorizations']>

export interface SessionAdapterNeeds {
  readonly artifacts: ArtifactStore
  readonly now: () => number
  readonly keyOf: (id: string) => string
  readonly rowOf: (id: string, payload: AdapterPayload, expiresIn: Lifetime) => NewArtifact
  readonly read: (row: Artifact | undefined) => AdapterPayload | undefined
}

/** A row as the request has it before its eyes: what it read, then what it wrote. */
interface Seen {
  readonly key: string
  readonly text: string
  readonly authorizations: Authorizations
}

/** @param plain keeps a session as any other model */
export function sessionAdapter(plain: Adapter, needs: SessionAdapterNeeds): Adapter {
  const { artifacts, now, keyOf, rowOf, read } = needs
  const seenBy = attached<Seen>()
  const seenNow = (): Seen | undefined => Provider.ctx && seenBy.of(Provider.ctx)
  const see = (
    { id, payload: text }: Pick<NewArtifact, 'id' | 'payload'>,
    { authorizations = {} }: AdapterPayload,
  ): void => {
    // a copy: the library goes on changing the object that it was given
    if (Provider.ctx) seenBy.to(Provider.ctx, { key: id, text, authorizations: structuredClone(authorizations) })
  }

  return {
    ...plain,

    async find(id) {
      const row = await artifacts.find(keyOf(id), now())
      const payload = read(row)
      if (row && payload) see(row, payload)
      return payload
    },

    findByUid: async (uid) => (await wholeSession(uid, needs))?.payload,

    async upsert(id, payload, expiresIn) {
      const seen = seenNow()
      if (!seen) return plain.upsert(id, payload, expiresIn)
      let write: Write | undefined = { before: { id: seen.key, payload: seen.text }, after: { id, payload } }
      while (write) {
        const row = rowOf(write.after.id, write.after.payload, expiresIn)
        if (await written(write.before, row, artifacts)) return see(row, write.after.payload)
        write = await afterOthers(seen, id, payload, needs)
      }
      if (payload.accountId !== undefined && !(await wholeSession(payload.uid ?? '', needs))) throw endedMeanwhile()
    },

    async destroy(id) {
      // the old id of a session that is about to be saved under its new one goes with that write
      if (seenNow()?.key === keyOf(id) && oldIdOfSession() === id) return
      await plain.destroy(id)
    },
  }
}

interface Write {
  /** The row to replace, or undefined to add one. */
  readonly before: Pick<NewArtifact, 'id' | 'payload'> | undefined
  readonly after: { readonly id: string; readonly payload: AdapterPayload }
}

async function written(before: Write['before'], row: NewArtifact, artifacts: ArtifactStore): Promise<boolean> {
  if (before) return artifacts.replace(before, row)
  await artifacts.upsert(row)
  return true
}

/** What to write where another tab has changed, renamed or ended the session since; undefined for nothing. */
async function afterOthers(
  seen: Seen,
  id: string,
  ours: AdapterPayload,
  needs: SessionAdapterNeeds,
): Promise<Write | undefined> {
  const { artifacts, now, keyOf, read } = needs
  const own = await artifacts.find(seen.key, now())
  const ownPayload = read(own)
  const theirs = own && ownPayload ? { row: own, payload: ownPayload } : await wholeSession(ours.uid ?? '', needs)
  const renamed = keyOf(id) !== seen.key
  const samePerson = theirs !== undefined && theirs.payload.accountId === ours.accountId
  const authorizations =
    theirs && samePerson
      ? applied(seen.authorizations, ours.authorizations, theirs.payload.authorizations)
      : ours.authorizations
  // a sign-in, and leaving an application, give the browser a new id; only the first makes a session where there is none
  if (!theirs && !Provider.ctx?.oidc.result?.login) return undefined
  if (renamed)
    return { before: own, after: { id, payload: { ...ours, ...(authorizations ? { authorizations } : {}) } } }
  if (!theirs || !samePerson) return undefined
  const { state = theirs.payload.state } = ours
  const payload: AdapterPayload = {
    ...theirs.payload,
    ...(state ? { state } : {}),
    ...(authorizations ? { authorizations } : {}),
  }
  return { before: theirs.row, after: { id: theirs.payload.jti ?? id, payload } }
}

/** All rows of one session as one: two tabs that renamed it at the same moment left one each. */
async function wholeSession(
  uid: string,
  needs: SessionAdapterNeeds,
): Promise<{ row: Artifact; payload: AdapterPayload } | undefined> {
  const { read } = needs
  const [newest, ...others] = (await rowsOf(uid, needs)).flatMap((row) => {
    const payload = read(row)
    return payload ? [{ row, payload }] : []
  })
  if (!newest || others.length === 0) return newest
  const authorizations: Authorizations = { ...newest.payload.authorizations }
  for (const { payload } of others) {
    if (payload.accountId !== newest.payload.accountId) continue
    for (const [client, authorization] of Object.entries(payload.authorizations ?? {}))
      authorizations[client] ??= authorization
  }
  return { row: newest.row, payload: { ...newest.payload, authorizations } }
}

async function rowsOf(uid: string, { artifacts, now }: SessionAdapterNeeds): Promise<Artifact[]> {
  const grantKey = grantExpectedWith(uid)
  if (grantKey === undefined) return artifacts.listBySessionUid(uid, now())
  const { ofSession, beside } = await artifacts.listBySessionUidWith(uid, grantKey, now())
  bringGrant(beside)
  return ofSession
}

/** What was done in a session that is no more is not answered: no code of it reaches anybody. */
function endedMeanwhile(): AppError {
  return new AppError('expired', 'The session ended during this request.', {
    hint: 'Go back to the app and sign in again.',
  })
}

/** Client by client: what this request changed since `base`, and everything else as it is now. */
function applied(base: Authorizations, ours: Authorizations = {}, theirs: Authorizations = {}): Authorizations {
  const result: Authorizations = {}
  for (const client of Object.keys({ ...theirs, ...ours })) {
    const changed = JSON.stringify(base[client]) !== JSON.stringify(ours[client])
    const authorization = changed ? ours[client] : theirs[client]
    if (authorization) result[client] = authorization
  }
  return result
}

/** Set by the library's resetIdentifier. */
function oldIdOfSession(): unknown {
  // boundary: a property that the library's types leave out
  return (Provider.ctx?.oidc.session as { readonly oldId?: unknown } | undefined)?.oldId
}
