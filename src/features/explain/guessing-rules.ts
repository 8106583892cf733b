/** The rules of who guesses, at whatever door. The first that matches is the one. */
import { latchkey, type Rule } from './refused.ts'

/** Of what all doors share. */
const SHARED = 'a budget of this server, for passwords, codes, client secrets and tokens together (docs/operations.md)'

const ENDS =
  'It ends within a quarter of an hour. People get in with a browser that they know, applications with the right secret.'
const who = latchkey('audit', 'list', '--type', 'guessing', '--since', '1h')

export const GUESSING_RULES: readonly Rule[] = [
  {
    on: /^guessing\.account /,
    sentence:
      'So many wrong passwords were sent for this name that none is looked at for a while, the right one included.',
    source: 'NIST SP 800-63B-4 §3.2.2',
    remedy: ({ account }) => ({
      sentence: 'It ends by itself, and not at all for a browser that the person knows. To forget what was counted:',
      command: latchkey('user', 'enable', account?.id ?? 'USER'),
    }),
  },
  {
    on: /^guessing\.user_code /,
    sentence:
      'So many codes of devices were wrong, in this browser or network or in all, that none is looked at for a while.',
    source: 'RFC 8628 §5.1',
    remedy: () => ({ sentence: 'It ends within a quarter of an hour. Then type a new code of the device.' }),
  },
  {
    on: /^guessing\.client_secret /,
    sentence:
      'So many wrong secrets were sent for this client from one network that the next were not answered as wrong.',
    source: 'RFC 6749 §2.3.1, §5.2',
    remedy: ({ client }) => ({
      sentence: 'The right one is taken at once. Mostly an old deployment still has an old one; for a new one:',
      command: latchkey('client', 'rotate-secret', client?.id ?? 'CLIENT-ID', '--overlap', '86400'),
    }),
  },
  {
    on: /^guessing\.token /,
    sentence:
      'So many wrong tokens were sent to this address from one network that the next were not answered as wrong.',
    source: 'RFC 7591 §3, RFC 7592 §2, the setting METRICS_TOKEN',
    remedy: () => ({ sentence: 'The right one is taken at once.' }),
  },
  {
    on: /^guessing\.network /,
    sentence:
      'So much that is secret was guessed wrong from this network that nothing more of it is looked at for a while.',
    source: SHARED,
    remedy: () => ({
      sentence: `${ENDS} If many networks seem to be one, name the proxy in TRUSTED_PROXIES. Who it was:`,
      command: who,
    }),
  },
  {
    on: /^guessing\.server /,
    sentence:
      'So much that is secret was guessed wrong from many networks that strangers’ guesses are not looked at for a while.',
    source: SHARED,
    remedy: () => ({ sentence: `${ENDS} Who it was:`, command: who }),
  },
]
