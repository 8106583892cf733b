/** Who may register software without an administrator: nobody, who holds a token, or anybody. */
export const REGISTRATION_MODES = ['off', 'token', 'open'] as const

export type RegistrationMode = (typeof REGISTRATION_MODES)[number]
