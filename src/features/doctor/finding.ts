/** What the doctor says of one thing that it looked at. */

/** From what says nothing of the server's health to the worst. */
export const LEVELS = ['unchecked', 'ok', 'warning', 'problem'] as const
export type Level = (typeof LEVELS)[number]

export interface Finding {
  /** Names the check, for scripts. */
  readonly check: string
  readonly level: Level
  readonly message: string
  /** What to do about it; with warnings and problems. */
  readonly hint?: string
}

/** What a check gives of itself: `examine` adds its name. */
export type Verdict = Omit<Finding, 'check'>
export type Verdicts = Verdict | readonly Verdict[]

export const ok = (message: string): Verdict => ({ level: 'ok', message })
export const warning = (message: string, hint: string): Verdict => ({ level: 'warning', message, hint })
export const problem = (message: string, hint: string): Verdict => ({ level: 'problem', message, hint })
/** For what could not be looked at: it is neither well nor ill. */
export const unchecked = (why: string): Verdict => ({ level: 'unchecked', message: `not checked: ${why}` })

/** What was looked at, or why it could not be. */
export type Seen<T> = { readonly seen: T } | { readonly unseen: string }

/** Looks; whatever goes wrong is the reason that nothing was seen. */
export async function seenBy<T>(look: () => Promise<T>): Promise<Seen<T>> {
  try {
    return { seen: await look() }
  } catch (error) {
    return { unseen: quoted(error instanceof Error ? error.message : String(error)) }
  }
}

/** What a check makes of something that was seen; of anything else it says why it could not look. */
export function judged<T>(what: Seen<T>, judge: (seen: T) => Verdicts): Verdicts {
  return 'unseen' in what ? unchecked(what.unseen) : judge(what.seen)
}

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
