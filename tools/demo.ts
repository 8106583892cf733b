// `npm run demo`: the server with a person, a client and a sample application to sign in to, for trying out. PORT and
// SAMPLE_PORT choose other ports, DEMO_DIR another folder, LOG_LEVEL=info shows every request; nothing else is read.
import path from 'node:path'
import { runUntilSignal } from '#app/serve.ts'
import { AppError } from '#platform/errors.ts'
import { PERSON, startDemo, type Demo } from './demo/demo.ts'

const FIRST_SAMPLE_PORT = 4000

const { DEMO_DIR } = process.env
const folder = DEMO_DIR || path.join(import.meta.dirname, '..', 'data', 'demo')

await runUntilSignal(start, announce)

async function start(): Promise<Demo> {
  const { PORT, SAMPLE_PORT, LOG_LEVEL, LOG_FORMAT } = process.env
  return startDemo({
    folder,
    port: portFrom('PORT', PORT) ?? 3000,
    samplePorts: samplePorts(portFrom('SAMPLE_PORT', SAMPLE_PORT)),
    log: { level: LOG_LEVEL || 'warn', format: LOG_FORMAT || (process.stdout.isTTY ? 'pretty' : 'json') },
  })
}

function announce(demo: Demo): string {
  return `
The demo is ready.
  Open       ${demo.sample}   the sample application
  Sign in    ${PERSON.email}
  Password   ${PERSON.password}

  Latchkey itself is at ${demo.issuer}; what it keeps is in ${DEMO_DIR ? folder : 'data/demo'}.
  Ctrl-C ends both.

`
}

function portFrom(name: string, text: string | undefined): number | undefined {
  if (!text) return undefined
  const port = /^\d+$/.test(text) ? Number(text) : 0
  if (port > 0 && port < 65_536) return port
  throw new AppError('configuration', `${name} must be a port from 1 to 65535.`, {
    hint: 'Correct it, or leave it out.',
  })
}

function samplePorts(chosen: number | undefined): readonly number[] {
  return chosen === undefined ? Array.from({ length: 10 }, (_, index) => FIRST_SAMPLE_PORT + index) : [chosen]
}
