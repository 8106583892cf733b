import { errors, interactionPolicy, type KoaContextWithOIDC, type Provider } from 'oidc-provider'

/**
 * Names the mistake of a client that asks for a kind of answer it is not registered for (RFC 6749 §4.1.2.1); the
 * library says invalid_request. test/attacks/authorization-request.test.ts fails if the method goes away.
 */
export function refuseUnregisteredAnswers({ Client }: Provider): void {
  const { prototype } = Client
  const isRegistered = prototype.responseTypeAllowed
  prototype.responseTypeAllowed = function (type) {
    if (isRegistered.call(this, type)) return true
    throw notRegistered()
  }
}

/** Asks once more where a sign-in comes back: the client may have lost the kind of answer meanwhile. Never prompts. */
export function stillRegistered(): interactionPolicy.Check {
  return new interactionPolicy.Check(
    'answer_not_registered',
    'the kind of answer is not registered',
    ({ oidc }: KoaContextWithOIDC) => {
      const asked = oidc.params?.['response_type']
      if (typeof asked === 'string' && !oidc.client?.responseTypes?.some((type) => type === asked))
        throw notRegistered()
      return false
    },
  )
}

function notRegistered(): errors.UnauthorizedClient {
  return new errors.UnauthorizedClient('this response_type is not registered for the client')
}
