/** Settings, database, keys and clients: what can be seen without a request. */
import { existsSync, statSync, statfsSync } from 'node:fs'
import { dirname } from 'node:path'
import { judged, ok, problem, unchecked, warning, type Verdicts } from '../finding.ts'
import type { Installation } from '../installation.ts'

const DAY = 86_400
const KEY_DAYS = 365
const FULL_BYTES = 100 * 2 ** 20
const SCARCE_BYTES = 2 ** 30
const TOKEN_CHARACTERS = 20
const SHOWN = 5

export function startVerdicts({ startProblem }: Installation): Verdicts {
  return startProblem
    ? problem(startProblem.message, startProblem.hint ?? 'See latchkey config check.')
    : ok('Settings, master key, database and certificate files are fine for a start.')
}

export function settingVerdicts(installation: Installation): Verdicts {
  const { metricsToken, masterKeysGiven, trustedProxies, outbound } = installation
  const doubts: readonly (readonly [isSo: boolean, message: string, hint: string])[] = [
    [
      metricsToken !== undefined && metricsToken.reveal().length < TOKEN_CHARACTERS,
      `METRICS_TOKEN has fewer than ${TOKEN_CHARACTERS} characters and may be guessed.`,
      'Take one of openssl rand -hex 32.',
    ],
    [
      masterKeysGiven > 1,
      `MASTER_KEY has ${masterKeysGiven} values: whoever has an old one can still read what it sealed.`,
      'Take the old ones out once everything is sealed with the newest.',
    ],
    [
      trustedProxies.some(isEverywhere),
      'TRUSTED_PROXIES holds every address, so anybody can choose which address counts.',
      'Name the proxies alone.',
    ],
    [
      outbound.allow.some(isEverywhere),
      'OUTBOUND_ALLOW holds every address, so applications can have this server call inside your network.',
      'Name the addresses that need it.',
    ],
  ]
  const found = doubts.filter(([isSo]) => isSo).map(([, message, hint]) => warning(message, hint))
  return found.length > 0 ? found : ok('No setting is risky.')
}

function isEverywhere(network: string): boolean {
  return network.endsWith('/0')
}

export function databaseVerdicts({ stored }: Installation): Verdicts {
  return judged(stored.database, ({ kind, version, isReadOnly }) =>
    isReadOnly
      ? problem('The database takes no writes.', 'Have DATABASE_URL name the primary server.')
      : ok(`${kind === 'postgres' ? 'PostgreSQL' : 'SQLite'} ${version} answers.`),
  )
}

export function databaseFileVerdicts({ sqliteFile: file }: Installation): Verdicts {
  if (file === undefined || !existsSync(file)) return []
  const { mode, size } = statSync(file)
  const { bavail, bsize } = statfsSync(dirname(file))
  const free = bavail * bsize
  const message = `${Math.floor(free / 2 ** 20)} MiB are free where the database is.`
  const judge = free < FULL_BYTES ? problem : free < Math.max(SCARCE_BYTES, size) ? warning : ok
  return [
    judge(message, 'Make room: what cannot be stored is answered 503.'),
    ...(process.platform !== 'win32' && (mode & 0o077) !== 0
      ? [warning(`${file} can be read by other users of this machine.`, `Run: chmod 600 ${file}`)]
      : []),
  ]
}

export function migrationVerdicts({ stored }: Installation): Verdicts {
  return judged(stored.pending, ({ length }) =>
    length > 0
      ? warning(`${length} migrations have not run.`, 'Run latchkey migrate, or start the server.')
      : ok('All migrations have run.'),
  )
}

export function keyVerdicts({ stored, clock }: Installation): Verdicts {
  return judged(stored.keys, (keys) => {
    const current = keys.filter(({ state }) => state === 'current')
    const waiting = keys.filter(({ state }) => state === 'next').length
    const old = current.filter(({ activatesAt }) => activatesAt < clock.now() - KEY_DAYS * DAY)
    const message = `${old.map(({ alg }) => alg).join(', ')} keys have signed for more than ${KEY_DAYS} days.`
    return old.length > 0
      ? warning(message, 'Run latchkey key rotate: nobody notices.')
      : ok(`${current.length} signing keys, none older than ${KEY_DAYS} days; ${waiting} wait for their turn.`)
  })
}

export function clientVerdicts({ stored }: Installation): Verdicts {
  return judged(stored.clients, ({ count, risks, isUseKnown }) => {
    const found = risks
      .filter(({ ids }) => ids.length > 0)
      .map(({ ids, what, mend }) => {
        const [only] = ids.length === 1 ? ids : []
        return warning(`${ids.length} of ${count} clients ${what}: ${someOf(ids)}.`, mend.replace('ID', only ?? 'ID'))
      })
    return [
      ...(found.length > 0 ? found : [ok(`No client has risky settings (${count} looked at).`)]),
      ...(isUseKnown
        ? []
        : [unchecked('which clients and grants are used, since receipts or the audit are kept for less than 90 days')]),
    ]
  })
}

function someOf(ids: readonly string[]): string {
  const rest = ids.length - SHOWN
  return `${ids.slice(0, SHOWN).join(', ')}${rest > 0 ? ` and ${rest} more` : ''}`
}

/** So that who looks for it finds it. */
export function mailVerdicts(): Verdicts {
  return unchecked('this release sends no mail')
}
