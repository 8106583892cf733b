import { z } from 'zod'
import type { Services } from '#core/services.ts'
import { payloadIn } from './adapter.ts'

const MODEL = 'BackchannelAuthenticationRequest'

const member = z.record(z.string(), z.unknown()).default({})

/** What the library keeps of a backchannel authentication request, as far as it is looked at. */
const requestShape = z.object({
  /** `auth_req_id`, which the client redeems. */
  jti: z.string(),
  iat: z.int(),
  accountId: z.string(),
  clientId: z.string(),
  scope: z.string().default(''),
  claims: z.object({ id_token: member, userinfo: member }).prefault({}),
  params: z.record(z.string(), z.unknown()),
  /** Set by a yes. */
  grantId: z.string().optional(),
  /** Set by a no. */
  error: z.string().optional(),
})

export type BackchannelRequest = Omit<z.output<typeof requestShape>, 'grantId' | 'error'> & {
  /** Of the row: a digest. */
  readonly id: string
  /** undefined while the request waits for one. */
  readonly answer: 'approved' | 'denied' | undefined
}

/** What all clients together may have asked of one person, answered or not, until it expires. */
export const MOST_OF_PERSON = 100

/** The requests of all clients for the person that have not expired, the first to expire first. */
export async function requestsOf(
  { artifacts, secrets, clock }: Pick<Services, 'artifacts' | 'secrets' | 'clock'>,
  accountId: string,
): Promise<BackchannelRequest[]> {
  const rows = await artifacts.listOfAccount(MODEL, accountId, clock.now(), MOST_OF_PERSON + 1)
  return rows.map((row) => {
    const { grantId, error, ...request } = requestShape.parse(payloadIn(row, secrets))
    const answer = grantId !== undefined ? 'approved' : error !== undefined ? 'denied' : undefined
    return { ...request, id: row.id, answer }
  })
}
