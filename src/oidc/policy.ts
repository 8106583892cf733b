/**
 * When the person has to be asked, and what. The library's own checks (no session, max_age, hints, missing consent)
 * stay, but for those of acr; ours come beside them, each a Check with the error that `prompt=none` gets.
 */
import { interactionPolicy, type KoaContextWithOIDC } from 'oidc-provider'
import { isOpenTo } from '#core/clients/client.ts'
import { accountOf } from './accounts.ts'
import { refuseAnotherSubject, replaceAcrChecks, unmetAcr } from './authentication.ts'
import { askForOwnClaims } from './claim-consent.ts'
import { clientSettings } from './clients.ts'
import { hintedPerson } from './hinted-person.ts'
import { stillRegistered } from './registered-answers.ts'
import { apiGranted } from './resource-consent.ts'
import type { SubjectFor } from './subjects.ts'

const { base, Check, Prompt } = interactionPolicy

/** The prompts in their order: select_account, login, access, consent. */
export function policy(pairwiseSubject: SubjectFor): ReturnType<typeof base> {
  const prompts = base()
  prompts.get('login')?.checks.add(stillRegistered())
  prompts.get('login')?.checks.add(hintedPerson(pairwiseSubject))
  prompts.get('login')?.checks.add(
    // the session names somebody who was disabled or deleted meanwhile; without this check the library answers 500
    new Check(
      'account_unusable',
      'the signed-in account cannot be used',
      'login_required',
      ({ oidc }) => oidc.session?.accountId !== undefined && !oidc.account,
    ),
  )
  prompts.get('consent')?.checks.add(apiGranted())
  askForOwnClaims(prompts.get('consent'))
  prompts.add(
    new Prompt(
      { name: 'access', requestable: false },
      new Check('not_assigned', 'the client is not assigned to this person', 'access_denied', isClosed),
    ),
    1, // after login, before consent: nobody is asked to share with an application that is closed to them
  )
  replaceAcrChecks(prompts)
  refuseAnotherSubject(prompts)
  // first of all: before anybody signs in, consents or is turned away it is settled who that is
  prompts.add(new Prompt({ name: 'select_account', requestable: true }, unmetAcr()), 0)
  return prompts
}

/** What `prompt` may say, for discovery (Initiating User Registration via OpenID Connect 1.0 §4.2). */
export function promptValues(prompts: ReturnType<typeof policy>): string[] {
  return ['none', ...prompts.flatMap(({ name, requestable }) => (requestable ? [name] : []))]
}

/** Nobody signed in, or an account that cannot be used: the login prompt has come before. */
function isClosed({ oidc }: KoaContextWithOIDC): boolean {
  const account = accountOf(oidc.account)
  return account !== undefined && oidc.client !== undefined && !isOpenTo(clientSettings(oidc.client), account)
}
