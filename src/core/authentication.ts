/**
 * How sure a sign-in is: what each method proves (`amr`, RFC 8176), which authentication context classes (`acr`, OpenID
 * Connect Core 1.0 §2) that meets, and what a relying party's demand for one of them leads to. Pure: a session keeps
 * its `amr` and nothing else, all other answers follow from it. docs/decisions/005-acr.md tells why these names.
 */

/** What kind of thing was proven; two kinds make a sign-in multi-factor (RFC 8176 §2, `mfa`). */
export type Factor = 'knowledge' | 'possession' | 'inherence'

export interface Proof {
  /** Authentication Method References (RFC 8176 §2). */
  readonly amr: readonly string[]
  readonly factors: readonly Factor[]
}

/** The one table from a method to what it proves. A new method is one row; what it makes possible follows. */
const PROOFS = {
  password: { amr: ['pwd'], factors: ['knowledge'] },
} as const satisfies Readonly<Record<string, Proof>>

/** A way to prove who you are. */
export type Method = keyof typeof PROOFS

interface AcrRule {
  readonly acr: string
  readonly met: (amr: ReadonlySet<string>) => boolean
}

/** The classes, strongest first. */
const RULES: readonly AcrRule[] = [
  // OpenID Connect EAP ACR Values 1.0: a page that only looks like ours learns nothing it could sign in with
  { acr: 'phrh', met: (amr) => amr.has('hwk') },
  { acr: 'phr', met: (amr) => amr.has('pop') || amr.has('swk') || amr.has('hwk') },
  { acr: 'urn:latchkey:acr:mfa', met: (amr) => amr.has('mfa') },
  { acr: 'urn:latchkey:acr:1fa', met: (amr) => amr.size > 0 },
]

/** The `amr` of a sign-in in which these methods succeeded. */
export function amrOf(methods: readonly Method[]): string[] {
  return amrOfProofs(methods.map((method) => PROOFS[method]))
}

/** The references of all proofs, each once, and `mfa` where they are of more than one kind. */
export function amrOfProofs(proofs: readonly Proof[]): string[] {
  const factors = new Set(proofs.flatMap((proof) => proof.factors))
  return [...new Set([...proofs.flatMap(({ amr }) => amr), ...(factors.size > 1 ? ['mfa'] : [])])]
}

/** The classes that a sign-in with this `amr` meets, strongest first. */
export function metAcrs(amr: readonly string[]): string[] {
  const proven = new Set(amr)
  return RULES.filter(({ met }) => met(proven)).map(({ acr }) => acr)
}

/** The classes that somebody can meet here, strongest first: what discovery may list. */
export const SUPPORTED_ACRS: readonly string[] = metAcrs(amrOfProofs(Object.values(PROOFS)))

/** What a relying party asks of the sign-in's class. */
export interface AcrDemand {
  /** Any of these will do; the first is liked best. Empty where none was named. */
  readonly values: readonly string[]
  /** Essential: without one of them there is no answer. Otherwise they are a wish (OpenID Connect Core 1.0 §5.5.1.1). */
  readonly essential: boolean
}

export interface AcrSituation {
  /** Of the session; empty where nobody is signed in. */
  readonly amr: readonly string[]
  /** What could be met here. */
  readonly supported: readonly string[]
  /** True once a sign-in for this very request has ended: asking again would go round without end. */
  readonly justSignedIn: boolean
  /** True where nobody may be asked (prompt=none). */
  readonly silent: boolean
}

/** `go-on`: nothing is missing, or it was a wish only. `prove`: ask for a stronger sign-in. `unmet`: say no. */
export type AcrVerdict = 'go-on' | 'prove' | 'unmet'

/** Whether the session's sign-in is enough. What is essential is met or refused, never passed over. */
export function judgeAcr({ values, essential }: AcrDemand, situation: AcrSituation): AcrVerdict {
  const { amr, supported, justSignedIn, silent } = situation
  if (values.length === 0 || anyOf(values, metAcrs(amr))) return 'go-on'
  const canBeMet = anyOf(values, supported) && !justSignedIn
  if (essential) return canBeMet ? 'prove' : 'unmet'
  return canBeMet && !silent ? 'prove' : 'go-on'
}

/**
 * The class to name in the ID token: of those that are met, the one that was asked for first, else the strongest;
 * undefined where nothing was proven.
 */
export function statedAcr({ values }: Pick<AcrDemand, 'values'>, amr: readonly string[]): string | undefined {
  const met = metAcrs(amr)
  return values.find((value) => met.includes(value)) ?? met[0]
}

function anyOf(wanted: readonly string[], had: readonly string[]): boolean {
  return wanted.some((value) => had.includes(value))
}
