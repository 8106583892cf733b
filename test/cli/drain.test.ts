// F20: what a server does between a signal and its end, told by the connections it has.
import { mkdtempSync, rmSync } from 'node:fs'
import { connect, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { freePort } from '../support/free-port.ts'
import { startServer, type ServerProcess } from '../support/processes.ts'

let folder: string
let port: number
let server: ServerProcess

beforeEach(async () => {
  folder = mkdtempSync(path.join(tmpdir(), 'latchkey-drain-'))
  port = await freePort('127.0.0.1')
  server = await startServer(port, {
    ISSUER: `http://127.0.0.1:${port}`,
    DATABASE_URL: `sqlite:${path.join(folder, 'latchkey.db')}`,
    KEYS_DIR: path.join(folder, 'keys'),
  })
})
afterEach(async () => {
  await server.end('SIGKILL')
  rmSync(folder, { recursive: true, force: true })
})

const isClosing = () => vi.waitFor(() => expect(server.stdout()).toContain('closing: requests'), { timeout: 10_000 })

test('on SIGTERM it is not ready, answers what is under way, closes what is idle, and ends with 0', async () => {
  const idle = await Promise.all(Array.from({ length: 100 }, () => openConnection(port)))
  for (const connection of idle) connection.says(get('/healthz'))
  for (const connection of idle) await vi.waitFor(() => expect(connection.heard()).toContain('200 OK'))
  // half a request each: the rest comes after the signal
  const underWay = await Promise.all(Array.from({ length: 20 }, () => openConnection(port)))
  const halves = underWay.map((connection, index) => {
    const request = index === 0 ? get('/readyz') : TOKEN_REQUEST
    connection.says(request.slice(0, -2))
    return () => connection.says(request.slice(-2))
  })
  await sleep(50)
  const silent = await openConnection(port)
  const ended = server.end('SIGTERM')
  await isClosing()
  await silent.closed
  expect(server.stdout()).not.toContain('cut off')
  for (const finish of halves) finish()
  await Promise.all([...idle, ...underWay].map(({ closed }) => closed))
  const [readiness, ...answers] = underWay.map((connection) => connection.heard())
  expect(readiness).toContain('503 Service Unavailable')
  for (const answer of answers) expect(answer).toMatch(/^HTTP\/1\.1 401 .*^connection: close\r\n.*invalid_client/ims)
  for (const { reset } of [...idle, ...underWay]) expect(reset()).toBe(false)
  expect(await ended).toBe(0)
})

test('signals within a second are one; a later one ends it at once', async () => {
  const hanging = await openConnection(port)
  hanging.says(TOKEN_REQUEST.slice(0, -2))
  await sleep(50)
  const ended = server.end('SIGINT')
  void server.end('SIGTERM')
  await isClosing()
  await sleep(1_100)
  expect(server.stdout()).not.toContain('closing at once')
  void server.end('SIGTERM')
  expect(await ended).toBe(1)
  expect(server.stdout()).toContain('closing at once')
})

const get = (target: string): string => `GET ${target} HTTP/1.1\r\nHost: localhost\r\n\r\n`

const BODY = 'grant_type=client_credentials&client_id=nobody&client_secret=nothing'
const TOKEN_REQUEST = `POST /token HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: ${BODY.length}\r\n\r\n${BODY}`

interface Connection {
  says(text: string): void
  heard(): string
  /** Was it torn rather than closed? */
  reset(): boolean
  readonly closed: Promise<void>
}

async function openConnection(target: number): Promise<Connection> {
  const socket: Socket = connect(target, '127.0.0.1')
  const state = { heard: '', reset: false }
  socket.on('data', (chunk: Buffer) => (state.heard += chunk.toString()))
  socket.on('error', () => (state.reset = true))
  const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()))
  await new Promise<void>((resolve) => socket.once('connect', () => resolve()))
  return { says: (text) => void socket.write(text), heard: () => state.heard, reset: () => state.reset, closed }
}
