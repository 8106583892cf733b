import { z } from 'zod'
import { CLIENT_TYPES } from '#core/clients/client.ts'

/** Software that nobody knows signs people in; a service, which would act for itself, takes an operator's word. */
const USUAL_TYPES = ['web', 'spa', 'native'] as const

/** What may be registered by whoever comes with a token, and what becomes of it. */
export const registrationBounds = z.object({
  types: z.array(z.enum(CLIENT_TYPES)).default([...USUAL_TYPES]),
  /** Where redirect URIs may lead: hosts, `*.` and a domain, or schemes of native apps with their colon. Undefined: anywhere. */
  redirectHosts: z.array(z.string()).optional(),
  /** The most that it may ask for. Undefined: what the server offers. */
  scopes: z.array(z.string()).optional(),
  /** Names of the groups that it is open to; none: to everyone. */
  groups: z.array(z.string()).default([]),
})

export type RegistrationBounds = Readonly<z.output<typeof registrationBounds>>

/** Where anybody may register. */
export const OPEN_BOUNDS: RegistrationBounds = registrationBounds.parse({})
