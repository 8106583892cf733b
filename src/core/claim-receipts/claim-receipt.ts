/** Where the claims stood. */
export type ReleasePlace = 'id_token' | 'userinfo'

export interface ClaimReceipt {
  readonly id: string
  readonly at: number
  readonly accountId: string
  readonly clientId: string
  readonly place: ReleasePlace
  /** Names, sorted. */
  readonly claims: readonly string[]
}

export type Release = Pick<ClaimReceipt, 'accountId' | 'clientId' | 'place' | 'claims'>

/** A receipt as every door shows it; times in epoch seconds. */
export function claimReceiptJson({ id, at, accountId, clientId, place, claims }: ClaimReceipt) {
  return { id, at, user: accountId, client_id: clientId, place, claims }
}
