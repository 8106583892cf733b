/**
 * Asking the person whether an application may have what it asks for: the step `consent` of a sign-in. What is asked
 * comes from the interaction, never from the posted form; what is allowed is remembered by the dispatcher.
 * It deliberately offers all or nothing: a partial consent leaves most relying parties broken in ways people cannot see.
 */
import type { Feature } from '#core/feature.ts'
import type { Needs } from '#oidc/needs.ts'
import { consentStep } from './step.ts'

export const consent: Feature<Needs> = {
  word: 'consent',
  steps: () => [consentStep],
}
