// An application with Auth.js on its own, without the framework around it: node auth-js-site.mjs PORT AUTH_FILE, where the
// file exports `auth`, its configuration. Plain JavaScript, since the types of Auth.js are those of a browser.
import { createServer } from 'node:http'
import { text } from 'node:stream/consumers'
import { pathToFileURL } from 'node:url'
import { Auth } from '@auth/core'

const [port, file] = process.argv.slice(2)
const { auth } = await import(pathToFileURL(file).href)
const config = { ...auth, secret: process.env.SESSION_SECRET, trustHost: true, basePath: '/api/auth' }

createServer((incoming, outgoing) => {
  void answer(incoming, outgoing)
}).listen(Number(port), 'localhost')

async function answer(incoming, outgoing) {
  const { method, headers, url } = incoming
  const body = method === 'POST' ? { body: await text(incoming) } : {}
  const response = await Auth(
    new Request(new URL(url, `http://localhost:${port}`), { method, headers, ...body }),
    config,
  )
  outgoing.writeHead(response.status, {
    ...Object.fromEntries(response.headers),
    'set-cookie': response.headers.getSetCookie(),
  })
  outgoing.end(await response.text())
}
