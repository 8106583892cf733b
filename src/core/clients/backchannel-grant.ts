/**
 * OpenID Client-Initiated Backchannel Authentication (CIBA) Core 1.0 §4: what a client registers to have a person asked
 * who is not in front of it, and how it hears of the answer.
 */
import type { Problems } from '#core/problems.ts'
import type { ClientDraft } from './client.ts'

export const CIBA_GRANT = 'urn:openid:params:grant-type:ciba'

/** How the client learns of the answer. */
export const DELIVERY_MODES = ['poll', 'ping'] as const
export type DeliveryMode = (typeof DELIVERY_MODES)[number]
export const DELIVERY_WORDS = `The delivery mode is ${DELIVERY_MODES.join(' or ')}; push, where tokens come unasked, is not offered.`

const ENDPOINT = 'backchannel_client_notification_endpoint'

/** The members that have no meaning without the grant type. */
export const BACKCHANNEL_MEMBERS: readonly string[] = [
  'backchannel_token_delivery_mode',
  ENDPOINT,
  'backchannel_authentication_request_signing_alg',
]

/** One sentence, or undefined, for each member that is missing or has no use. */
export function backchannelProblems(registered: ClientDraft['registered'], grantTypes: readonly string[]): Problems {
  if (!grantTypes.includes(CIBA_GRANT)) {
    const idle = BACKCHANNEL_MEMBERS.filter((member) => registered[member] !== undefined)
    return Object.fromEntries(idle.map((member) => [member, `It has no use without the grant type ${CIBA_GRANT}.`]))
  }
  return {
    backchannel_token_delivery_mode:
      registered['backchannel_token_delivery_mode'] === undefined
        ? `The grant type ${CIBA_GRANT} needs a delivery mode: ${DELIVERY_MODES.join(' or ')}.`
        : undefined,
    [ENDPOINT]: endpointProblem(registered),
    ...(registered['subject_type'] === 'pairwise' && {
      subject_type: 'Pairwise subjects do not go with CIBA: an id_token_hint could not be matched to the person.',
    }),
  }
}

/** The metadata without the members that a switch to this delivery, or (false) to none, leaves without a use. */
export function withoutIdleDelivery(
  registered: Readonly<Record<string, unknown>>,
  delivery: DeliveryMode | false | undefined,
): Readonly<Record<string, unknown>> {
  const idle = delivery === false ? BACKCHANNEL_MEMBERS : delivery === 'poll' ? [ENDPOINT] : []
  return Object.fromEntries(Object.entries(registered).filter(([member]) => !idle.includes(member)))
}

function endpointProblem(registered: ClientDraft['registered']): string | undefined {
  const isPing = registered['backchannel_token_delivery_mode'] === 'ping'
  const hasEndpoint = registered[ENDPOINT] !== undefined
  if (isPing && !hasEndpoint) return 'Delivery by ping needs the https address that is told of an answer.'
  return hasEndpoint && !isPing ? 'Only delivery by ping has a use for it.' : undefined
}
