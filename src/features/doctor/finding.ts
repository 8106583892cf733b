/** What the doctor says of one thing that it looked at. */

export const LEVELS = ['ok', 'warning', 'problem'] as const
export type Level = (typeof LEVELS)[number]

export interface Finding {
  /** Names the check, for scripts. */
  readonly check: string
  readonly level: Level
  readonly message: string
  /** What to do about it; none where all is well. */
  readonly hint?: string
}

/** What a check gives of itself: `examine` adds its name. */
export type Verdict = Omit<Finding, 'check'>

export const ok = (message: string): Verdict => ({ level: 'ok', message })
export const warning = (message: string, hint: string): Verdict => ({ level: 'warning', message, hint })
export const problem = (message: string, hint: string): Verdict => ({ level: 'problem', message, hint })

/** What others have written, in a message: one short line, without the ids that are somebody's half of a secret. */
export function quoted(text: string): string {
  return text
    .replaceAll(/[\w-]{43,}/g, '…')
    .replaceAll(/\p{Cc}/gu, '?')
    .slice(0, 200)
}

export function worstOf(findings: readonly Finding[]): Level {
  return LEVELS.findLast((level) => findings.some((finding) => finding.level === level)) ?? 'ok'
}
