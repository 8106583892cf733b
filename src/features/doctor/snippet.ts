/** The configuration of a proxy that fits: the file of deploy/proxy, with this installation's names in the place of its own. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Installation } from './installation.ts'
import type { Outside } from './outside.ts'

const FILES = { nginx: 'nginx.conf', caddy: 'Caddyfile', traefik: 'traefik.yaml', apache: 'apache.conf' } as const
export type Proxy = keyof typeof FILES
export const PROXIES = Object.keys(FILES).filter(isProxy)

export function isProxy(name: unknown): name is Proxy {
  return typeof name === 'string' && name in FILES
}

/** The proxy that says its name in what arrives; Traefik says none. */
export function proxyIn({ discovery }: Outside): Proxy | undefined {
  if ('failure' in discovery) return undefined
  const said = `${discovery.headers.get('server') ?? ''} ${discovery.headers.get('via') ?? ''}`.toLowerCase()
  return PROXIES.find((name) => said.includes(name))
}

/** @param folder of the files */
export function snippetFor(proxy: Proxy, folder: string, { issuer, listen }: SnippetFacts): string {
  const { hostname, host, port } = new URL(issuer)
  const home = /^(0\.0\.0\.0|::)$/.test(listen.host) ? '127.0.0.1' : listen.host
  const upstream = `${home.includes(':') ? `[${home}]` : home}:${listen.port}`
  return readFileSync(join(folder, FILES[proxy]), 'utf8')
    .replaceAll('https://id.example.com', issuer)
    .replaceAll(/^id\.example\.com/gm, host)
    .replaceAll('id.example.com', hostname)
    .replaceAll('127.0.0.1:3000', upstream)
    .replaceAll(/(listen |\*:)443\b/g, `$1${port || 443}`)
}

type SnippetFacts = Pick<Installation, 'issuer' | 'listen'>
