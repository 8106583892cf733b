/** One configuration for all plans of the OpenID Foundation's conformance suite, and what it takes on our side. */
import { randomBytes } from 'node:crypto'
import type { Services } from '#core/services.ts'
import { browser, browserComingBack, browserRefusing, browserShowingConsent, browserShowingSignIn } from './browser.ts'

/** A value for every standard claim, since the suite asks for all of them. */
const PERSON = {
  email_verified: true,
  given_name: 'Ada',
  middle_name: 'Augusta',
  family_name: 'Byron',
  nickname: 'Ada',
  profile: 'https://example.com/ada',
  picture: 'https://example.com/ada.png',
  website: 'https://example.com',
  gender: 'female',
  birthdate: '1990-12-10',
  zoneinfo: 'Europe/London',
  locale: 'en-GB',
  phone_number: '+442079460000',
  phone_number_verified: true,
  address: { street_address: '12 St James’s Square', locality: 'London', postal_code: 'SW1Y 4JH', country: 'GB' },
}

const SHOWING_CONSENT = ['logo', 'policy', 'tos'].map((what) => `oidcc-registration-${what}-uri`)
const SHOWING_SIGN_IN = ['oidcc-prompt-login', 'oidcc-max-age-1']
const FAPI2 = 'fapi2-security-profile-final'
const COMING_BACK = [`${FAPI2}-par-ensure-reused-request-uri-prior-to-auth-completion-succeeds`]
const REFUSING = [`${FAPI2}-user-rejects-authentication`]

/** Registers the clients of a plan, for the suite's addresses below `base`. */
export type SuiteClients = (
  services: Services,
  alias: string,
  base: string,
) => Promise<{
  /** Members of the suite's configuration. */
  readonly members: object
  /** What single tests have instead, by their names. */
  readonly override?: object
}>

/**
 * Registers a person and the clients, all named after the alias, which is used once.
 * @param suite where the suite is, without a final slash
 * @returns the suite's configuration, with the secrets in it
 * @throws AppError(conflict) where the alias was used before
 */
export async function planConfiguration(
  services: Services,
  suite: string,
  alias: string,
  registered: SuiteClients,
): Promise<object> {
  const base = `${suite}/test/a/${alias}`
  const { issuer } = services.settings
  const password = randomBytes(18).toString('base64url')
  const signIn = { issuer, returnTo: `${base}/callback`, username: alias, password }
  await services.accounts.create({ ...PERSON, username: alias, email: `${alias}@example.com` }, password)
  const { members, override } = await registered(services, alias, base)
  return {
    alias,
    description: 'Latchkey',
    publish: 'no',
    server: { discoveryUrl: `${issuer}/.well-known/openid-configuration`, login_hint: alias },
    ...members,
    browser: browser(signIn),
    override: {
      ...forEach(SHOWING_SIGN_IN, { browser: browserShowingSignIn(signIn) }),
      ...forEach(SHOWING_CONSENT, { browser: browserShowingConsent(signIn) }),
      ...forEach(COMING_BACK, { browser: browserComingBack(signIn) }),
      ...forEach(REFUSING, { browser: browserRefusing(signIn) }),
      ...override,
    },
  }
}

function forEach(tests: readonly string[], instead: object): object {
  return Object.fromEntries(tests.map((test) => [test, instead]))
}
