import { expect, test } from 'vitest'
import { lockProblems } from '../../tools/check-lock.mjs'

const manifest = { version: '1.0.0', dependencies: { alpha: '2.0.0' } }
const alpha = { version: '2.0.0', integrity: 'sha512-x' }
const lockWith = (entry: object, more: object = {}): object => ({
  packages: { '': { version: '1.0.0', dependencies: { alpha: '2.0.0' } }, 'node_modules/alpha': entry, ...more },
})

test('a whole lock has no problems', () => {
  const peers = { peerDependencies: { beta: '1' }, peerDependenciesMeta: { beta: { optional: true } } }
  expect(lockProblems(lockWith({ ...alpha, ...peers }), manifest)).toEqual([])
})

test.each([
  [
    'a platform variant that npm left out',
    { ...alpha, optionalDependencies: { 'alpha-win': '2.0.0' } },
    'misses alpha-win',
  ],
  ['a peer that npm left out', { ...alpha, peerDependencies: { beta: '1' } }, 'misses beta'],
  ['a package without its hash', { version: '2.0.0' }, 'no integrity hash'],
  ['a package bound to one host', { ...alpha, resolved: 'https://mirror.example/alpha.tgz' }, 'names the host'],
])('refuses %s', (_, entry, problem) => {
  expect(lockProblems(lockWith(entry), manifest)).toEqual([expect.stringContaining(problem)])
})

test('refuses a lock that says otherwise than package.json', () => {
  const changed = { ...manifest, dependencies: { alpha: '2.0.1', gamma: '1.0.0' } }
  expect(lockProblems(lockWith(alpha), changed)).toEqual([
    expect.stringContaining('alpha is 2.0.1 in package.json and 2.0.0 in the lock'),
    expect.stringContaining('gamma is 1.0.0 in package.json and absent in the lock'),
  ])
})

test('refuses a range where one exact version is wanted', () => {
  const lock = {
    packages: { '': { version: '1.0.0', dependencies: { alpha: '^2.0.0' } }, 'node_modules/alpha': alpha },
  }
  expect(lockProblems(lock, { dependencies: { alpha: '^2.0.0' } })).toEqual([expect.stringContaining('exact version')])
})
