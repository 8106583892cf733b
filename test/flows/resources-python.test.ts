// A resource server in Python (Django REST framework and its like): the key by kid, out of the certificate in x5c[0].
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { text } from 'node:stream/consumers'
import { expect, test } from 'vitest'
import { startApp } from '../support/app.ts'
import { databases } from '../support/databases.ts'
import { token, tokensIn } from '../support/protocol.ts'

const ORDERS = 'https://api.example/orders'

const RESOURCE_SERVER = `
import base64, json, sys, urllib.request
import jwt
from cryptography.x509 import load_der_x509_certificate

issuer, audience, token = sys.argv[1:]
def get(url): return json.load(urllib.request.urlopen(url))
keys = get(get(issuer + "/.well-known/openid-configuration")["jwks_uri"])["keys"]
header = jwt.get_unverified_header(token)
[key] = [key for key in keys if key["kid"] == header["kid"]]
certificate = load_der_x509_certificate(base64.b64decode(key["x5c"][0]))
claims = jwt.decode(token, certificate.public_key(), algorithms=["RS256", "ES256"], audience=audience, issuer=issuer)
print(json.dumps(claims))
`

const [sqlite] = databases

test('PyJWT takes access tokens by the certificate of their key, and none for another audience', async ({ skip }) => {
  const found = spawnSync('python3', ['-c', 'import jwt, cryptography'], { encoding: 'utf8' })
  skip(found.status !== 0, 'python3 with PyJWT and cryptography is not here')
  if (!sqlite) throw new Error('SQLite is always there')
  const app = await startApp(sqlite)
  try {
    const robot = await app.services.clients.register({ name: 'Robot', type: 'service' })
    await app.services.apis.create({ identifier: ORDERS, scope: 'read' })
    for (const alg of ['RS256', 'ES256']) {
      await app.services.apis.update(ORDERS, { signing_alg: alg })
      const fields = { grant_type: 'client_credentials', resource: ORDERS, scope: 'read' }
      const { accessToken } = tokensIn(await token(app, robot, fields))
      const { status, stdout } = await python(app.issuer, ORDERS, accessToken)
      expect([status, JSON.parse(stdout)]).toEqual([
        0,
        expect.objectContaining({ iss: app.issuer, aud: ORDERS, sub: robot.client.id, scope: 'read' }),
      ])
      const elsewhere = await python(app.issuer, 'https://api.example/stock', accessToken)
      expect([elsewhere.status, elsewhere.stderr]).toEqual([1, expect.stringContaining('InvalidAudienceError')])
    }
  } finally {
    await app.close()
  }
})

/** Not spawnSync: the server that it asks runs in this process. */
async function python(...argv: readonly string[]) {
  const running = spawn('python3', ['-c', RESOURCE_SERVER, ...argv], { stdio: ['ignore', 'pipe', 'pipe'] })
  const [stdout, stderr, [status]] = await Promise.all([
    text(running.stdout),
    text(running.stderr),
    once(running, 'exit'),
  ])
  return { status, stdout, stderr }
}
