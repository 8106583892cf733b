/** Tokens, codes and proofs live by the clock: of the server, of this machine and of the database. */
import { ok, problem, warning, type Verdict, type Verdicts } from '../finding.ts'
import type { Installation } from '../installation.ts'
import type { Answers } from '../questions.ts'

const NOTICEABLE_SECONDS = 5
/** Applications forgive about so much. */
const FORGIVEN_SECONDS = 60

export function serverClockVerdicts(_: Installation, { refusal }: Answers): Verdicts {
  const date = Date.parse(refusal?.headers.get('date') ?? '')
  if (!refusal || Number.isNaN(date)) return warning('No answer says what time it is.', 'Hand on the header Date.')
  return clockVerdict('server at ISSUER', Math.round(date / 1_000) - refusal.receivedAt)
}

export function databaseClockVerdicts({ stored: { database } }: Installation): Verdicts {
  const ahead = 'seen' in database ? database.seen.secondsAhead : undefined
  return ahead === undefined ? [] : clockVerdict('database', ahead)
}

function clockVerdict(whose: string, ahead: number): Verdict {
  const off = Math.abs(ahead)
  if (off <= NOTICEABLE_SECONDS) return ok(`The clock of the ${whose} agrees with this machine's.`)
  const message = `The clock of the ${whose} is ${off} seconds ${ahead > 0 ? 'ahead of' : 'behind'} this machine's.`
  const hint = 'Let both be set by NTP.'
  return off > FORGIVEN_SECONDS ? problem(message, hint) : warning(message, hint)
}
