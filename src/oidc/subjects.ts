import type { Client } from 'oidc-provider'
import { sectorOf } from '#core/subjects/sector.ts'
import type { PairwiseSubjects } from '#core/subjects/pairwise-subjects.ts'

/** The `sub` by which a client knows a person: the account's id, or one of the client's sector. */
export type SubjectFor = (client: Client, accountId: string) => Promise<string>

export function pairwise(subjects: PairwiseSubjects): SubjectFor {
  return async ({ clientId, redirectUris = [], sectorIdentifierUri }, accountId) => {
    const sector = sectorOf(redirectUris, sectorIdentifierUri)
    if (sector === undefined) throw new Error(`client ${clientId} was registered for pairwise subjects without a host`)
    return subjects.subjectFor(sector, accountId)
  }
}
