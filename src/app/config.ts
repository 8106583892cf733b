/**
 * Every setting, once: its name, its default, what it may be, and the sentence that documents it. The only reader of
 * the environment. .env.example and docs/configuration.md are made from this table (`latchkey config docs`).
 */
import { existsSync, readFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { isAbsolute, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { z } from 'zod'
import type { Settings } from '#core/services.ts'
import { sqliteFileIn, sqliteUrl } from '#platform/database/sqlite-url.ts'
import { LOCALES } from '#platform/http/language.ts'
import type { LogSettings } from '#platform/log.ts'
import { Secret } from '#platform/secret.ts'
import { parseSettings, SettingsError, type Environment, type Setting } from '#platform/settings.ts'
import { CERTIFICATE_SETTINGS, certificateProblems, certificateRules } from './certificate-settings.ts'
import { crossChecks } from './cross-checks.ts'
import { OBSERVABILITY_SETTINGS } from './observability-settings.ts'
import { REGISTRATION_SETTINGS, registrationGroup } from './registration-settings.ts'
import { SESSION_SETTINGS, sessionGroup } from './session-settings.ts'
import {
  databaseProblem,
  issuerProblem,
  masterKeys,
  proxiesProblem,
  refine,
  seconds,
  setting,
  wholeNumber,
  words,
} from './setting-rules.ts'

/** Where the caller of a command stands; the launcher changes folders and hands it on. */
export function callerFolder(environment: Environment = process.env): string {
  return environment['LATCHKEY_CALLER_DIR'] ?? process.cwd()
}

/** The folder of the program: relative paths in settings start here. */
export const ROOT = fileURLToPath(new URL('../..', import.meta.url))

const DAY = 86_400
const YEAR = 365 * DAY

export const SETTINGS = {
  issuer: setting({
    name: 'ISSUER',
    schema: z.string().superRefine(refine(issuerProblem)),
    default: 'http://localhost:3000',
    sentence:
      'The public URL of this server, exactly as relying parties will know it; may have a path; https unless it is this machine.',
    example: 'https://id.example.com',
  }),
  host: setting({
    name: 'HOST',
    schema: z.string().regex(/^[\w.:-]+$/, 'must be an address of this machine, such as 127.0.0.1 or 0.0.0.0'),
    default: '127.0.0.1',
    sentence: 'The address to listen on.',
  }),
  port: setting({
    name: 'PORT',
    schema: z.optional(wholeNumber(0, 65_535)),
    default: undefined,
    defaultWords: "the issuer's port, or 3000",
    sentence: 'The port to listen on; 0 lets the system choose.',
    example: '3000',
  }),
  databaseUrl: setting({
    name: 'DATABASE_URL',
    schema: z
      .string()
      .superRefine(refine(databaseProblem))
      .transform((url) => new Secret(url)),
    default: 'sqlite:data/latchkey.db',
    sentence: 'Where everything is kept: `sqlite:` and a file, or a `postgres://` URL.',
    example: 'postgres://latchkey@db.example.com/latchkey',
  }),
  keysDir: setting({
    name: 'KEYS_DIR',
    schema: z.string(),
    default: 'keys',
    sentence: 'The folder of master.key, which is made at the first start and must be readable by this server alone.',
  }),
  masterKeys: setting({
    name: 'MASTER_KEY',
    schema: z.optional(z.string().transform(masterKeys)),
    default: undefined,
    defaultWords: 'the file in KEYS_DIR',
    sentence:
      'The master key itself instead of the file, for several hosts: 32 bytes as base64url; several, newest first, separated by commas, while one is being replaced.',
  }),
  trustedProxies: setting({
    name: 'TRUSTED_PROXIES',
    schema: z.string().transform(words).superRefine(refine(proxiesProblem)),
    default: '',
    defaultWords: 'none',
    sentence: 'Addresses or CIDRs of the proxies in front, separated by commas: only their X-Forwarded-For counts.',
    example: '10.0.0.0/8',
  }),
  workers: setting({
    name: 'WORKERS',
    schema: wholeNumber(1, 64),
    default: '1',
    sentence: 'How many processes serve on this host; more than 1 needs PostgreSQL.',
  }),
  logLevel: setting({
    name: 'LOG_LEVEL',
    schema: z.enum(
      ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'],
      'must be one of fatal, error, warn, info, debug, trace, silent',
    ),
    default: 'info',
    sentence: 'How much is logged.',
  }),
  logFormat: setting({
    name: 'LOG_FORMAT',
    schema: z.optional(z.enum(['json', 'pretty'], 'must be json or pretty')),
    default: undefined,
    defaultWords: 'pretty on a terminal, else json',
    sentence: 'One JSON object a line, or lines for a person.',
    example: 'json',
  }),
  ...OBSERVABILITY_SETTINGS,
  defaultLocale: setting({
    name: 'DEFAULT_LOCALE',
    schema: z.enum(LOCALES, `must be one of ${LOCALES.join(', ')}`),
    default: 'en',
    sentence: `The language of the pages where neither the application nor the browser asks for one of ${LOCALES.join(', ')}.`,
    example: 'de',
  }),
  outboundAllow: setting({
    name: 'OUTBOUND_ALLOW',
    schema: z.string().transform(words).superRefine(refine(proxiesProblem)),
    default: '',
    defaultWords: 'none',
    sentence:
      'Private or loopback addresses or CIDRs, separated by commas, that requests to applications may reach; http is spoken to these only.',
    example: '10.20.0.0/16',
  }),
  tlsCert: setting({
    name: 'TLS_CERT',
    schema: z.optional(z.string()),
    default: undefined,
    sentence: 'A PEM file with the certificate chain, to serve https directly; goes with TLS_KEY.',
    example: '/etc/latchkey/tls.crt',
  }),
  tlsKey: setting({
    name: 'TLS_KEY',
    schema: z.optional(z.string()),
    default: undefined,
    sentence: 'The PEM file with the key of TLS_CERT.',
    example: '/etc/latchkey/tls.key',
  }),
  ...CERTIFICATE_SETTINGS,
  ...REGISTRATION_SETTINGS,
  ...SESSION_SETTINGS,
  tokensCodeSeconds: seconds('TOKENS_CODE_SECONDS', 60, [10, 600], 'Life of an authorization code.'),
  tokensAccessSeconds: seconds('TOKENS_ACCESS_SECONDS', 3_600, [60, DAY], 'Life of an access token.'),
  tokensIdSeconds: seconds('TOKENS_ID_SECONDS', 3_600, [60, DAY], 'Life of an ID token.'),
  tokensRefreshSeconds: seconds(
    'TOKENS_REFRESH_SECONDS',
    30 * DAY,
    [60, YEAR],
    'A refresh token that was not used for so long ends.',
  ),
  tokensRefreshAbsoluteSeconds: seconds(
    'TOKENS_REFRESH_ABSOLUTE_SECONDS',
    YEAR,
    [60, 10 * YEAR],
    'However often it was used, a chain of refresh tokens ends after so long.',
  ),
  tokensRefreshReuseSeconds: seconds(
    'TOKENS_REFRESH_REUSE_SECONDS',
    10,
    [0, 60],
    'A refresh token used again within so long yields the same successor again (two tabs, a lost answer); later uses end the whole chain. 0 forgives nothing.',
  ),
  keysPublishAheadSeconds: seconds(
    'KEYS_PUBLISH_AHEAD_SECONDS',
    3_600,
    [1, 30 * DAY],
    'A new signing key is published so long before it signs: longer than any relying party keeps the JWKS.',
  ),
  claimReceiptsRetentionSeconds: seconds(
    'CLAIM_RECEIPTS_RETENTION_SECONDS',
    90 * DAY,
    [0, 10 * YEAR],
    'How long it is kept which application was given which claims of a person, and when; 0 keeps nothing.',
  ),
  auditRetentionSeconds: seconds(
    'AUDIT_RETENTION_SECONDS',
    YEAR,
    [DAY, 10 * YEAR],
    'How long it is kept who did what and which requests were refused.',
  ),
  passwordHashSlots: setting({
    name: 'PASSWORD_HASH_SLOTS',
    schema: z.optional(wholeNumber(1, 3)),
    default: undefined,
    defaultWords: 'the number of processors for each worker, at most 3',
    sentence:
      'How many passwords each worker hashes at once; each takes 19 MiB for some 25 ms, and one of the four threads that signatures need too.',
    example: '2',
  }),
} satisfies Record<string, Setting>

/** All settings, in the groups that the rooms are given. */
export interface Config extends Settings {
  readonly listen: {
    readonly host: string
    readonly port: number
    readonly tls: { readonly cert: string; readonly key: string } | undefined
  }
  readonly workers: number
  readonly databaseUrl: Secret
  readonly keysDir: string
  readonly masterKeys: Secret<readonly Buffer[]> | undefined
  readonly trustedProxies: readonly string[]
  readonly log: LogSettings
  readonly passwordHashSlots: number
}

/**
 * Reads every setting from the environment and from `.env` in the program's folder.
 * @throws SettingsError with every problem at once
 */
export function loadConfig(environment: Environment = process.env, folder: string = ROOT): Config {
  const file = join(folder, '.env')
  const values = parseSettings(SETTINGS, environment, existsSync(file) ? readFileSync(file, 'utf8') : undefined)
  const problems = [...crossChecks(values, environment), ...certificateProblems(values)]
  if (problems.length > 0) throw new SettingsError(problems)

  const absolute = (path: string) => (isAbsolute(path) ? path : join(ROOT, path))
  const issuerPort = Number(new URL(values.issuer).port || 3000)
  const { tlsCert, tlsKey } = values
  return Object.freeze({
    issuer: values.issuer,
    listen: {
      host: values.host,
      port: values.port ?? issuerPort,
      tls:
        tlsCert !== undefined && tlsKey !== undefined ? { cert: absolute(tlsCert), key: absolute(tlsKey) } : undefined,
    },
    workers: values.workers,
    databaseUrl: new Secret(absoluteSqlite(values.databaseUrl.reveal(), absolute)),
    keysDir: absolute(values.keysDir),
    masterKeys: values.masterKeys,
    trustedProxies: values.trustedProxies,
    log: { level: values.logLevel, format: values.logFormat ?? (process.stdout.isTTY ? 'pretty' : 'json') },
    defaultLocale: values.defaultLocale,
    session: sessionGroup(values),
    tokens: {
      codeSeconds: values.tokensCodeSeconds,
      accessSeconds: values.tokensAccessSeconds,
      idSeconds: values.tokensIdSeconds,
      refreshSeconds: values.tokensRefreshSeconds,
      refreshAbsoluteSeconds: values.tokensRefreshAbsoluteSeconds,
      refreshReuseSeconds: values.tokensRefreshReuseSeconds,
    },
    keys: { publishAheadSeconds: values.keysPublishAheadSeconds },
    claimReceipts: { retentionSeconds: values.claimReceiptsRetentionSeconds },
    audit: { retentionSeconds: values.auditRetentionSeconds },
    outbound: { allow: values.outboundAllow },
    clientCertificates: certificateRules(values, absolute),
    registration: registrationGroup(values),
    metricsToken: values.metricsToken,
    passwordHashSlots: values.passwordHashSlots ?? hashSlots(values.workers),
  })
}

/** All workers together hash on as many processors as there are. */
function hashSlots(workers: number): number {
  return Math.max(1, Math.min(3, Math.floor(availableParallelism() / workers)))
}

function absoluteSqlite(url: string, absolute: (path: string) => string): string {
  const file = sqliteFileIn(url)
  return file === undefined ? url : sqliteUrl(absolute(file))
}
