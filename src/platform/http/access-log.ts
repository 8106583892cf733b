import type { Log } from '#platform/log.ts'
import type { RequestFacts } from './request-facts.ts'

interface Answered {
  readonly method: string
  readonly url: string
  readonly status: number
}

/** The line of one request. No query and no body: they carry codes and tokens; ids in the path are cut out. */
export function logAnswer(
  log: Log,
  { id, clientAddress }: RequestFacts,
  { method, url, status }: Answered,
  milliseconds: number,
): void {
  const ms = Math.round(milliseconds)
  log.info({ id, method, path: withoutIds(url), status, ms, client: clientAddress }, 'request')
}

/** A path holds an interaction's id, which is half of a browser's right to it. */
function withoutIds(url: string): string {
  const [path = ''] = url.split('?')
  return path.replace(/\/(interaction|authorize|device)\/[^/]+/, '/$1/:uid').slice(0, 200)
}
