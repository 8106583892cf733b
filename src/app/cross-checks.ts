import type { Secret } from '#platform/secret.ts'
import type { Environment, Problem } from '#platform/settings.ts'

interface CrossChecked {
  readonly workers: number
  readonly databaseUrl: Secret
  readonly issuer: string
  readonly tlsCert: string | undefined
  readonly tlsKey: string | undefined
  readonly sessionIdleSeconds: number
  readonly sessionAbsoluteSeconds: number
}

/** Rules that concern more than one setting. */
export function crossChecks(values: CrossChecked, environment: Environment): Problem[] {
  const problems: Problem[] = []
  if ((values.tlsCert === undefined) !== (values.tlsKey === undefined)) {
    problems.push({
      setting: values.tlsCert === undefined ? 'TLS_CERT' : 'TLS_KEY',
      message: 'is missing: TLS_CERT and TLS_KEY go together',
    })
  }
  if (values.tlsCert !== undefined && !values.issuer.startsWith('https:')) {
    problems.push({ setting: 'ISSUER', message: 'must start with https: where TLS_CERT is set' })
  }
  if (values.sessionIdleSeconds > values.sessionAbsoluteSeconds) {
    problems.push({
      setting: 'SESSION_IDLE_SECONDS',
      message: 'is longer than SESSION_ABSOLUTE_SECONDS: make it shorter',
    })
  }
  if (values.issuer.startsWith('https:') && /oidc-provider/.test(environment['DEBUG'] ?? '')) {
    problems.push({
      setting: 'DEBUG',
      message: 'would write tokens and codes to the log: unset it where the issuer is https',
    })
  }
  if (values.workers > 1 && values.databaseUrl.reveal().startsWith('sqlite:')) {
    problems.push({
      setting: 'WORKERS',
      message: 'must be 1 on SQLite, where all processes would wait for one writer: set DATABASE_URL to PostgreSQL',
    })
  }
  return problems
}
