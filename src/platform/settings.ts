/**
 * The machinery of settings: a table of definitions goes in, a typed value or the list of every problem comes out.
 * It knows how a setting is read (environment, `.env`, NAME_FILE), never which settings there are.
 */
import { readFileSync } from 'node:fs'
import { parse as parseDotenv } from 'dotenv'
import type { z } from 'zod'

export interface Setting<T = unknown> {
  readonly name: string
  /** From the text of the environment to the typed value. Its messages are read by operators: name the remedy. */
  readonly schema: z.ZodType<T>
  /** The text used when the setting is absent; undefined makes the schema see undefined. */
  readonly default: string | undefined
  /** What stands in the documentation when the default is worked out from other settings. */
  readonly defaultWords?: string
  /** One sentence for the documentation. */
  readonly sentence: string
  readonly example?: string
}

export interface Problem {
  readonly setting: string
  readonly message: string
}

export type Values<S extends Record<string, Setting>> = { [K in keyof S]: S[K] extends Setting<infer T> ? T : never }

export type Environment = Readonly<Record<string, string | undefined>>

/** Thrown by parseSettings; carries every problem at once. */
export class SettingsError extends Error {
  readonly problems: readonly Problem[]

  constructor(problems: readonly Problem[]) {
    super(problems.map(({ setting, message }) => `${setting} ${message}`).join('\n'))
    this.name = 'SettingsError'
    this.problems = problems
  }
}

/**
 * Reads every setting of the table, the environment before the file.
 * @throws SettingsError with all problems of all settings, and with every unknown name of the `.env` file.
 */
export function parseSettings<S extends Record<string, Setting>>(
  table: S,
  environment: Environment,
  envFile: string | undefined,
): Values<S> {
  const problems: Problem[] = []
  const fromFile = envFile === undefined ? {} : parseDotenv(envFile)
  problems.push(...unknownNames(table, fromFile))

  const values: Record<string, unknown> = {}
  for (const [key, setting] of Object.entries(table)) {
    const raw = rawValue(setting, { ...fromFile, ...withoutEmpty(environment) }, problems)
    const parsed = setting.schema.safeParse(raw ?? setting.default)
    if (parsed.success) values[key] = parsed.data
    else problems.push({ setting: setting.name, message: parsed.error.issues.map(({ message }) => message).join('; ') })
  }

  if (problems.length > 0) throw new SettingsError(problems)
  return values as Values<S>
}

/** An empty variable counts as absent, so that `PORT= npm start` means the default. */
function withoutEmpty(environment: Environment): Environment {
  return Object.fromEntries(Object.entries(environment).filter(([, value]) => value !== ''))
}

function rawValue(setting: Setting, source: Environment, problems: Problem[]): string | undefined {
  const direct = source[setting.name]
  const fileName = source[`${setting.name}_FILE`]
  if (fileName === undefined || fileName === '') return direct === '' ? undefined : direct
  if (direct !== undefined && direct !== '') {
    problems.push({ setting: setting.name, message: `is set twice: keep either it or ${setting.name}_FILE` })
    return direct
  }
  try {
    return readFileSync(fileName, 'utf8').replace(/\r?\n$/, '')
  } catch (error) {
    const reason = error instanceof Error && 'code' in error ? String(error.code) : 'unknown reason'
    problems.push({
      setting: `${setting.name}_FILE`,
      message: `cannot read ${fileName} (${reason}): name a readable file`,
    })
    return undefined
  }
}

function unknownNames(table: Record<string, Setting>, fromFile: Environment): Problem[] {
  const known = new Set(Object.values(table).flatMap(({ name }) => [name, `${name}_FILE`]))
  return Object.keys(fromFile)
    .filter((name) => !known.has(name))
    .map((name) => ({
      setting: name,
      message: 'is not a setting of Latchkey: correct the name in .env or remove the line',
    }))
}
