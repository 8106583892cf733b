/**
 * The one error of the house. Everything that is thrown on purpose is an AppError; whatever else is thrown is a
 * bug: it is logged whole and shown as "Something went wrong". The code is a closed union, mapped in three
 * places only: HTTP (platform/http/errors.ts), the command line (platform/cli.ts) and OAuth (oidc/errors.ts).
 */
import type words from '#views/error/words.json'

export type AppErrorCode =
  | 'invalid_input' // what was sent breaks a rule; nothing was changed
  | 'not_found' // the thing named does not exist
  | 'conflict' // it exists already, or was changed meanwhile
  | 'forbidden' // understood, and not allowed
  | 'expired' // it was valid once
  | 'too_many_attempts' // it was tried too often; what was sent now was not looked at
  | 'unavailable' // a resource is busy or out of reach; trying again later may work
  | 'configuration' // the operator has to change a setting, a file or a permission

/** What a person is told, as keys of the error page's words. */
export interface RefusalWords {
  readonly title: Word & `title.${string}`
  readonly message: Word
  readonly hint: HintWord
}

type Word = keyof typeof words
type HintWord<K = Word & `hint.${string}`> = K extends `${infer Key}_${'one' | 'other'}` ? Key : K

export interface AppErrorDetails {
  /** What the reader can do about it, as a full sentence. */
  readonly hint?: string | undefined
  /** One message a field, keyed by the field's public name. */
  readonly fields?: Readonly<Record<string, string>> | undefined
  readonly retryAfterSeconds?: number | undefined
  /** The rule that refused, by the name it has in the log. */
  readonly rule?: string | undefined
  /** What a person is told on a page, where that is not what is told of every error with the code. */
  readonly told?: Partial<RefusalWords> | undefined
  readonly cause?: unknown
}

export class AppError extends Error {
  readonly code: AppErrorCode
  readonly hint: string | undefined
  readonly fields: Readonly<Record<string, string>> | undefined
  readonly retryAfterSeconds: number | undefined
  readonly rule: string | undefined
  readonly told: Partial<RefusalWords> | undefined

  constructor(code: AppErrorCode, message: string, details: AppErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause })
    this.name = 'AppError'
    this.code = code
    this.hint = details.hint
    this.fields = details.fields
    this.retryAfterSeconds = details.retryAfterSeconds
    this.rule = details.rule
    this.told = details.told
  }
}
