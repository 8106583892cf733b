// `node tools/conformance.ts SUITE ALIAS CLIENTS…`: registers the clients and the person that the OpenID Foundation's
// conformance suite needs, in the database of the settings, and prints the suite's configuration. See docs/conformance.md.
import { loadConfig } from '#app/config.ts'
import { openServices } from '#app/services.ts'
import { fapi2Clients } from './conformance/fapi2.ts'
import { dynamicClients, openidClients } from './conformance/openid.ts'
import { planConfiguration, type SuiteClients } from './conformance/plan.ts'

const USAGE = `Usage: node tools/conformance.ts https://suite.example:8443 ALIAS CLIENTS > plan.json
CLIENTS  openid | dynamic
         fapi2 private_key_jwt|mtls dpop|mtls [signed]
`

const [suite, alias, ...words] = process.argv.slice(2)
const registered = clientsOf(words)
if (suite === undefined || alias === undefined || registered === undefined) {
  process.stderr.write(USAGE)
  process.exitCode = 2
} else {
  const { services, close } = await openServices({ ...loadConfig(), log: { level: 'silent', format: 'json' } })
  try {
    const plan = await planConfiguration(services, suite, alias, registered)
    process.stdout.write(`${JSON.stringify(plan, null, 2)}\n`)
  } finally {
    await close()
  }
}

function clientsOf([kind, clientAuth, senderConstrain, signed]: readonly string[]): SuiteClients | undefined {
  if (kind === 'openid') return openidClients
  if (kind === 'dynamic') return dynamicClients
  if (kind !== 'fapi2') return undefined
  if (clientAuth !== 'private_key_jwt' && clientAuth !== 'mtls') return undefined
  if (senderConstrain !== 'dpop' && senderConstrain !== 'mtls') return undefined
  return fapi2Clients({ clientAuth, senderConstrain, signed: signed === 'signed' })
}
