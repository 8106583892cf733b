import { errors, type Provider } from 'oidc-provider'

/**
 * Names the mistake of a client that asks for a kind of answer it is not registered for (RFC 6749 §4.1.2.1); the
 * library says invalid_request. test/attacks/authorization-request.test.ts fails if the method goes away.
 */
export function refuseUnregisteredAnswers({ Client }: Provider): void {
  const { prototype } = Client
  const isRegistered = prototype.responseTypeAllowed
  prototype.responseTypeAllowed = function (type) {
    if (isRegistered.call(this, type)) return true
    throw new errors.UnauthorizedClient('this response_type is not registered for the client')
  }
}
