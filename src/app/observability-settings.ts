/** The settings of what machines may ask about the server. */
import { z } from 'zod'
import { Secret } from '#platform/secret.ts'
import { setting } from './setting-rules.ts'

export const OBSERVABILITY_SETTINGS = {
  metricsToken: setting({
    name: 'METRICS_TOKEN',
    schema: z.optional(
      z
        .string()
        .regex(/^[!-~]+$/, 'must be one word of visible ASCII characters, such as `openssl rand -hex 32` gives')
        .transform((token) => new Secret(token)),
    ),
    default: undefined,
    sentence: 'The bearer token that /metrics asks for; without it there is no /metrics.',
  }),
}
