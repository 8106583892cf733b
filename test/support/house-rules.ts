// The rules of the house that a machine can check, as pure functions from a file's path and text to its offences. Each
// offence names its remedy: whoever meets one should not have to look the rule up.
import path from 'node:path'

export interface HouseFile {
  /** Relative to the checkout, with forward slashes. */
  path: string
  source: string
}

interface ImportSeen {
  specifier: string
  isTypeOnly: boolean
}

/** Lowest first: a floor may import itself and those before it. Entry files such as src/main.ts stand above all. */
const FLOORS = ['platform', 'core', 'oidc', 'features', 'app']

const STORES = /^(src\/.*\/)?(store|[a-z0-9-]+-store|adapter)\.ts$/

/** Package → where it may be imported. A package that is not named here may be imported anywhere in src. */
const ONLY: Record<string, { where: RegExp; said: string }> = {
  'oidc-provider': { where: /^src\/oidc\//, said: 'src/oidc; ask there for a function that says it in our words' },
  'better-sqlite3': { where: /^src\/platform\/database\/dialects\//, said: 'src/platform/database/dialects' },
  pg: { where: /^src\/platform\/database\/dialects\//, said: 'src/platform/database/dialects' },
  kysely: {
    where: /^(migrations|src\/(platform|core|oidc))\/|^src\/features\/.*\/([a-z0-9-]+-)?store\.ts$/,
    said: "migrations, platform, core, oidc and a room's store.ts; move the query there",
  },
  'koa-views': { where: /^src\/platform\/http\//, said: 'src/platform/http; render through its render.ts' },
  ejs: { where: /^src\/platform\/http\//, said: 'src/platform/http; render through its render.ts' },
  argon2: { where: /^src\/core\//, said: 'src/core; take its password functions' },
  bcryptjs: { where: /^src\/core\//, said: 'src/core; take its password functions' },
  dotenv: { where: /^src\/(app\/|platform\/settings\.ts$)/, said: 'src/app and src/platform/settings.ts' },
}

/** Every offence of one file against the rules of the house, as sentences; empty when it keeps them. */
export function offencesIn(file: HouseFile): string[] {
  if (file.path.endsWith('.ejs')) return viewOffences(file)
  const source = withoutComments(file.source)
  const offences = [...nameOffences(file), ...shapeOffences(file, source)]
  if (file.path.startsWith('src/')) offences.push(...srcOffences(file, source))
  if (file.path.startsWith('migrations/')) offences.push(...migrationOffences(source))
  return offences
}

function viewOffences({ source }: HouseFile): string[] {
  return [...source.matchAll(/<%-(.*?)%>/gs)]
    .map((match) => (match[1] ?? '').trim())
    .filter((inside) => !/^(await\s+)?include\(/.test(inside) && !/^(\w+\.)?body\s*[-_]?$/.test(inside))
    .map((inside) => `<%- ${inside}: prints unescaped; write <%= (only include() and the layout's body stay unescaped)`)
}

function nameOffences(file: HouseFile): string[] {
  const offences: string[] = []
  const migration = /^migrations\/\d{4}_[a-z0-9]+(_[a-z0-9]+)*\.ts$/
  const kebab = /^([a-z0-9]+(-[a-z0-9]+)*\/)+[a-z0-9]+(-[a-z0-9]+)*(\.test)?\.(ts|mjs)$/
  const inMigrations = file.path.startsWith('migrations/')
  if (inMigrations && !migration.test(file.path)) offences.push('its name is no migration: NNNN_what_it_adds.ts')
  if (!inMigrations && !kebab.test(file.path)) offences.push('its name is not kebab-case')
  const vague = /(^|[/-])(utils?|helpers?|common|managers?|base|types)(?=[./])/.exec(file.path)
  if (vague) offences.push(`"${vague[2]}" says nothing: name it after the one thing in it, or put it where that lives`)
  return offences
}

function shapeOffences(file: HouseFile, source: string): string[] {
  const offences: string[] = []
  const lines = file.source.replace(/\n$/, '').split('\n').length
  if (lines > 300) offences.push(`${lines} lines: more than 300 are two files; find the second thing in it`)
  if (/^\s*export\s+default\b|^\s*export\s*\{[^}]*\bas\s+default\b/m.test(source))
    offences.push('default export: export it by its name')
  if (/^\s*export\s*\*/m.test(source)) offences.push('export *: no barrels; import from the file that has it')
  return offences
}

function migrationOffences(source: string): string[] {
  return importsOf(source)
    .filter(({ specifier }) => packageOf(specifier) !== 'kysely')
    .map(({ specifier }) => `${specifier}: a migration imports nothing but kysely; write out what it needs`)
}

function srcOffences(file: HouseFile, source: string): string[] {
  return [
    ...importsOf(source).flatMap((seen) => importOffences(file.path, seen)),
    ...environmentOffences(file.path, source),
    ...queryOffences(file.path, source),
    ...stateOffences(source),
    ...outboundOffences(file.path, source),
  ]
}

function importOffences(from: string, { specifier, isTypeOnly }: ImportSeen): string[] {
  if (specifier.startsWith('.')) return relativeOffences(from, specifier)
  if (specifier.startsWith('#views/'))
    return isTypeOnly ? [] : [`${specifier}: take only its type; platform/http/words.ts reads the words`]
  if (specifier.startsWith('#')) return floorOffences(from, specifier)
  const name = packageOf(specifier)
  const only = ONLY[name]
  if (only && !only.where.test(from)) return [`${specifier}: only ${only.said}`]
  if (name === 'koa' && from.startsWith('src/core/') && !(isTypeOnly && from === 'src/core/feature.ts')) {
    return [`${specifier}: core takes no ctx; pass what it needs as arguments (core/feature.ts may import the type)`]
  }
  return []
}

function relativeOffences(from: string, specifier: string): string[] {
  const target = path.posix.join(path.posix.dirname(from), specifier)
  if (!`${target}/`.startsWith(`${roomOf(from)}/`)) return [`${specifier}: leaves its room; name the floor (#core/…)`]
  const floor = target.split('/')[1] ?? ''
  if (floorOf(from) === FLOORS.length && FLOORS.includes(floor)) {
    return [`${specifier}: name the floor (#${target.slice('src/'.length)})`]
  }
  return directionOffences(from, target, specifier)
}

function floorOffences(from: string, specifier: string): string[] {
  const [floor = '', room = ''] = specifier.slice(1).split('/')
  if (floor === 'migrations') {
    const allowed = /^src\/(platform\/database|app)\//.test(from)
    return allowed ? [] : [`${specifier}: only platform/database and app know the migrations`]
  }
  if (!FLOORS.includes(floor)) return [`${specifier}: no such floor; there are ${FLOORS.join(', ')}`]
  if (FLOORS.indexOf(floor) > floorOf(from)) {
    return [`${specifier}: imports upwards; take it as an argument, or move what both need to a lower floor`]
  }
  const target = `src/${specifier.slice(1)}`
  if (floor === 'features' && from.startsWith('src/features/') && roomOf(from) !== `src/features/${room}`) {
    return [`${specifier}: a room opens into another; fill a socket of core/feature.ts, or move the noun to core`]
  }
  return roomOf(from) === roomOf(target) ? directionOffences(from, target, specifier) : []
}

/** In a room knowledge runs index → doors → rules → store. */
function directionOffences(from: string, target: string, specifier: string): string[] {
  if (!from.startsWith('src/features/') || depthInRoom(target) <= depthInRoom(from)) return []
  return [`${specifier}: runs back; in a room index → routes and other doors → rules → store: take it as an argument`]
}

function depthInRoom(file: string): number {
  const name = path.posix.basename(file, '.ts')
  if (name === 'index') return 3
  if (['routes', 'api', 'console', 'commands', 'jobs'].includes(name)) return 2
  return /^(.+-)?store$/.test(name) ? 0 : 1
}

function environmentOffences(from: string, source: string): string[] {
  const reads =
    /\bprocess\s*(\?\.|\.)\s*env\b|\bprocess\[|\{[^}]*\benv\b[^}]*\}\s*(=\s*process\b|from\s*['"](node:)?process['"])/
  if (from === 'src/app/config.ts' || !reads.test(source)) return []
  return ['reads process.env: declare the setting in app/config.ts and take it from Config']
}

function queryOffences(from: string, source: string): string[] {
  const query = /\.(selectFrom|insertInto|replaceInto|updateTable|deleteFrom|mergeInto)\s*\(|\bsql(<[^`]*>)?`/.exec(
    source,
  )
  if (!query || STORES.test(from) || from.startsWith('src/platform/database/')) return []
  return [`${query[0].trim()}: queries live in store.ts, adapter.ts, migrations and platform/database; move it there`]
}

/** What a server takes of the modules that can call out, too. */
const NO_CALL = /^(type .*|createServer( as \w+)?|isIP(v[46])?|BlockList|TLSSocket)$/

function outboundOffences(from: string, source: string): string[] {
  if (from.startsWith('src/platform/fetch')) return []
  const remedy = 'take a GuardedFetch (#platform/fetch.ts), which looks where a call goes'
  const taken = [
    ...source.matchAll(/import\s*\{([^}]*)\}\s*from\s*'(?:node:)?(https?|http2|net|tls|dgram|dns(?:\/promises)?)'/g),
  ]
    .flatMap(([, names = '']) => names.split(','))
    .map((name) => name.trim())
    .filter((name) => name !== '' && !NO_CALL.test(name))
  const whole = /import\s+(\*\s+as\s+)?\w+\s+from\s*'((node:)?(https?|http2|net|tls|dgram|dns)|undici|axios|got)'/.exec(
    source,
  )
  const calls = /(?<![.\w])fetch\(|\bglobalThis\s*\.\s*fetch\b|\bnew (WebSocket|EventSource)\b/.test(source)
  return [
    ...taken.map((name) => `${name}: calls out by itself; ${remedy}`),
    ...(whole ? [`${whole[2]}: calls out by itself; ${remedy}`] : []),
    ...(calls && !source.includes('GuardedFetch') ? [`fetch: calls out unguarded; ${remedy}`] : []),
  ]
}

function stateOffences(source: string): string[] {
  return /^(export )?let\s/m.test(source)
    ? ['module-level let: no state on import; keep it in a closure or a service']
    : []
}

/** `src/features/passkey/store.ts` → `src/features/passkey`; a file that stands on its floor directly: the floor. */
function roomOf(file: string): string {
  const segments = file.split('/')
  return segments.slice(0, Math.min(3, segments.length - 1)).join('/')
}

function floorOf(file: string): number {
  const floor = FLOORS.indexOf(file.split('/')[1] ?? '')
  return floor === -1 ? FLOORS.length : floor
}

function packageOf(specifier: string): string {
  return specifier.split('/', specifier.startsWith('@') ? 2 : 1).join('/')
}

function importsOf(source: string): ImportSeen[] {
  const statements = [
    ...source.matchAll(/(?:^|[;\n])\s*(?:import|export)(\s+type\b)?[^;'"`]*?\bfrom\s*['"]([^'"]+)['"]/g),
  ]
  const bare = [...source.matchAll(/\bimport\s*()\(?\s*['"`]([^'"`]+)['"`]/g)]
  const required = [...source.matchAll(/\brequire\s*()\(\s*['"`]([^'"`]+)['"`]/g)]
  return [...statements, ...bare, ...required].map((match) => ({
    specifier: match[2] ?? '',
    isTypeOnly: match[1] !== undefined && match[1] !== '',
  }))
}

/** Drops comments and leaves strings and templates alone, so that prose about a rule is no offence against it. */
function withoutComments(source: string): string {
  const token = /'(?:\\.|[^'\\\n])*'|"(?:\\.|[^"\\\n])*"|`(?:\\.|[^`\\])*`|\/\*[\s\S]*?\*\/|\/\/[^\n]*/g
  return source.replace(token, (found) => (found.startsWith('/*') || found.startsWith('//') ? ' ' : found))
}
