/**
 * What a connection may cost before any request is looked at: how long a request may take to arrive, how large its
 * head may be, how long nothing may move, and how many connections there may be. What Node itself finds malformed it
 * answers with 400, 408 or 431, and closes.
 */
import type { Server, ServerOptions } from 'node:http'

/** A proxy keeps its connections for about a minute (nginx: 60 s); who closes first must not be us. */
const KEEP_ALIVE_MS = 65_000
/** A request's line and headers, from the opening of the connection or the end of the request before. */
const HEAD_MS = 10_000
const WHOLE_REQUEST_MS = 30_000
/** Nobody sends, nobody reads; what waits to be read is given one such time more. */
const STILLNESS_MS = 15_000
const HOW_OFTEN_MS = 2_000
/** Line and headers together; larger is answered 431. */
const HEAD_BYTES = 16_384

/**
 * Files of the process that are not for connections from outside: the database, its log, calls to applications.
 */
const OTHER_FILES = 128

/** For `createServer`. All are said, since NODE_OPTIONS could change some of Node's own defaults for the worse. */
export const SERVER_OPTIONS = {
  headersTimeout: HEAD_MS,
  requestTimeout: WHOLE_REQUEST_MS,
  keepAliveTimeout: KEEP_ALIVE_MS,
  connectionsCheckingInterval: HOW_OFTEN_MS,
  maxHeaderSize: HEAD_BYTES,
  insecureHTTPParser: false,
  requireHostHeader: true,
} as const satisfies ServerOptions

/** Bounds what the options cannot. One connection more than fits is closed at once; the process goes on. */
export function boundConnections(server: Pick<Server, 'setTimeout' | 'maxConnections'>): void {
  // without a listener of its own the connection is destroyed
  server.setTimeout(STILLNESS_MS)
  const files = openFilesLimit()
  if (files !== undefined) server.maxConnections = Math.max(files - OTHER_FILES, Math.floor(files / 2))
}

/** How many files the process may have open (RLIMIT_NOFILE); undefined where there is no such limit. */
function openFilesLimit(): number | undefined {
  // or it would look up the names of all peers; the types do not know the switch
  Object.assign(process.report, { excludeNetwork: true })
  // boundary: the shape of a diagnostic report is documented, and typed as an object
  const { userLimits } = process.report.getReport() as { userLimits?: { open_files?: { soft: unknown } } }
  const soft = userLimits?.open_files?.soft
  return typeof soft === 'number' ? soft : undefined
}
