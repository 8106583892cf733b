import { Provider, type Grant } from 'oidc-provider'
import { attached } from '#platform/attached.ts'

/**
 * Two things in the life of what is polled for (a device code, a backchannel authentication request) that the library
 * does in an order in which somebody loses. They hang on methods of its models; test/conformance/single-use.test.ts
 * fails if they go away.
 */
export function orderPolledCodes(provider: Provider): void {
  saveSessionsFirst(provider)
  findGrantsFirst(provider)
}

/**
 * A code is approved once the session in the database knows of the grant. The other way round a device that asks in
 * between is told that its code is unknown, and a session that was ended meanwhile would approve.
 */
function saveSessionsFirst({ DeviceCode }: Provider): void {
  const model = DeviceCode.prototype
  const save = model.save
  model.save = async function (this: typeof model): Promise<string> {
    if (this.accountId !== undefined) await Provider.ctx?.oidc.session?.persist()
    return save.call(this)
  }
}

interface Polled {
  readonly grantId: string | undefined
  consume(): Promise<void>
}

/**
 * A code's grant is looked up before the code is used up. Whoever comes second ends the grant (adapter.ts); where the
 * first looks for it only then, of many at the same moment nobody gets an answer.
 */
function findGrantsFirst({ DeviceCode, BackchannelAuthenticationRequest, Grant: model }: Provider): void {
  const held = attached<Grant | undefined>()
  // boundary: the published type is generic over the class, which is always this one here
  const finding = model as { find(id: string, options?: object): Promise<Grant | undefined> }
  const find = finding.find.bind(finding)
  finding.find = async (id, options) => {
    const grant = Provider.ctx && held.of(Provider.ctx)
    return grant?.jti === id ? grant : find(id, options)
  }

  // boundary: the published types leave out the method of the second model, and that there is a time before the grant
  for (const { prototype } of [DeviceCode, BackchannelAuthenticationRequest] as unknown as { prototype: Polled }[]) {
    const { consume } = prototype
    prototype.consume = async function (this: Polled): Promise<void> {
      const { ctx } = Provider
      // what the person turned down has no grant
      if (ctx && this.grantId !== undefined) held.to(ctx, await find(this.grantId, { ignoreExpiration: true }))
      await consume.call(this)
    }
  }
}
