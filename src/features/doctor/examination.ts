/** The table of checks, from the outside in, and what becomes of it. */
import { answerVerdicts, cookieVerdicts, headerVerdicts } from './checks/browser.ts'
import { databaseClockVerdicts, serverClockVerdicts } from './checks/clock.ts'
import { discoveryVerdicts, endpointVerdicts, jwksVerdicts, metadataVerdicts } from './checks/documents.ts'
import { reachVerdicts, tlsVerdicts } from './checks/edge.ts'
import {
  clientVerdicts,
  databaseFileVerdicts,
  databaseVerdicts,
  keyVerdicts,
  mailVerdicts,
  migrationVerdicts,
  settingVerdicts,
  startVerdicts,
} from './checks/inside.ts'
import { forwardingVerdicts, healthVerdicts, sizeVerdicts } from './checks/proxy.ts'
import type { Finding, Verdicts } from './finding.ts'
import type { Installation } from './installation.ts'
import type { Outside } from './outside.ts'
import type { Answers } from './questions.ts'

/** ISSUER itself. */
const EDGE = {
  reachable: reachVerdicts,
  tls: tlsVerdicts,
  discovery: discoveryVerdicts,
  endpoints: endpointVerdicts,
} satisfies Readonly<Record<string, (installation: Installation, outside: Outside) => Verdicts>>

/** What else arrives, where ISSUER answers. */
const ANSWERS = {
  metadata: metadataVerdicts,
  jwks: jwksVerdicts,
  authorization_response: answerVerdicts,
  cookies: cookieVerdicts,
  headers: headerVerdicts,
  forwarding: forwardingVerdicts,
  sizes: sizeVerdicts,
  health: healthVerdicts,
  clock: serverClockVerdicts,
} satisfies Readonly<Record<string, (installation: Installation, answers: Answers) => Verdicts>>

const INSIDE = {
  start: startVerdicts,
  settings: settingVerdicts,
  database: databaseVerdicts,
  database_file: databaseFileVerdicts,
  database_clock: databaseClockVerdicts,
  migrations: migrationVerdicts,
  keys: keyVerdicts,
  clients: clientVerdicts,
  mail: mailVerdicts,
} satisfies Readonly<Record<string, (installation: Installation) => Verdicts>>

export interface Examination {
  readonly outside: readonly Finding[]
  readonly inside: readonly Finding[]
}

/** Every check, in order; each gives what it found, or nothing where there was nothing to look at. */
export function examine(installation: Installation, outside: Outside): Examination {
  const { answers } = outside
  return {
    outside: [
      ...findings(EDGE, (look) => look(installation, outside)),
      ...(answers ? findings(ANSWERS, (look) => look(installation, answers)) : []),
    ],
    inside: findings(INSIDE, (look) => look(installation)),
  }
}

function findings<Look>(checks: Readonly<Record<string, Look>>, run: (look: Look) => Verdicts): Finding[] {
  return Object.entries(checks).flatMap(([check, look]) => [run(look)].flat().map((verdict) => ({ check, ...verdict })))
}
