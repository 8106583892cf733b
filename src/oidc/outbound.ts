import type { Configuration } from 'oidc-provider'
import type { Services } from '#core/services.ts'
import { timedFetch } from '#platform/fetch-telemetry.ts'
import { guardedFetch, type GuardedFetch } from '#platform/fetch.ts'

const TIMEOUT_MS = 2_500
const MAX_BYTES = 65_536

/** How this server calls what relying parties have registered: key sets, logout addresses. */
export function outboundFetch({ settings, metrics }: Pick<Services, 'settings' | 'metrics'>): GuardedFetch {
  const { allow } = settings.outbound
  return timedFetch(guardedFetch({ allow, timeoutMs: TIMEOUT_MS, maxBytes: MAX_BYTES }), metrics.outbound)
}

/** Makes the library call out in the same way. */
export function outboundCalls(fetch: GuardedFetch): Configuration {
  return {
    fetch: (input, init) => fetch(input instanceof Request ? input.url : input, init),
    fetchResponseBodyLimits: { jwks_uri: MAX_BYTES, sector_identifier_uri: MAX_BYTES },
  }
}
