/** The rules that requests of every kind have to keep before anybody asks what they mean. The first that matches is the one. */
import { latchkey, type Rule } from './refused.ts'

export const REQUEST_RULES: readonly Rule[] = [
  {
    on: / unread$/,
    sentence: 'The request is malformed: two readers could read it in two ways, so nobody read it.',
    source: 'RFC 6749 §3.1, §3.2 and appendix B, RFC 3986 §2.1, RFC 8259 §4',
    remedy: () => ({ sentence: 'Let a library encode the parameters, and send no more of them than are needed.' }),
  },
  {
    on: / too_many_attempts /,
    sentence: 'So much came from one network that no more is looked at for a while.',
    source: 'RFC 6585 §4',
    remedy: () => ({ sentence: 'It ends by itself, after the seconds in Retry-After.' }),
  },
  {
    on: / forbidden .*came from another (site|page)| (xsrf token invalid|could not find logout details) /,
    sentence: 'The form was not sent from the page of this server that it belongs to, or was left open for too long.',
    source: 'OWASP ASVS 5.0 §3.5.1',
    remedy: () => ({ sentence: 'Reload the page, and send it again. If it comes back, the browser keeps no cookies.' }),
  },
  {
    on: /^registration\.refused - status 404/,
    sentence: 'Software cannot register itself here; where it can, it posts its metadata to /register.',
    source: 'RFC 7591 §3, and the setting REGISTRATION',
    remedy: () => ({
      sentence: 'Set REGISTRATION to token or open, or register the application:',
      command: latchkey('client', 'create'),
    }),
  },
  {
    on: / - status 40[45] /,
    sentence: 'There is nothing at this address, or not for this method.',
    source: 'RFC 9110 §15.5.5, §15.5.6',
    remedy: () => ({ sentence: 'Discovery names the endpoints; tokens are asked for by POST, pages by GET.' }),
  },
  {
    on: /must not be provided twice/,
    sentence: 'A parameter was sent more than once.',
    source: 'RFC 6749 §3.1, §3.2',
    remedy: () => ({ sentence: 'Send it once.' }),
  },
  {
    on: /missing (one of )?required parameter/,
    sentence: 'A parameter is missing without which nobody can tell what was asked.',
    source: 'RFC 6749 §3.1.1, §4.1.1, §4.1.3, §6, RFC 8628 §3.4, OpenID CIBA Core 1.0 §7.1',
    remedy: () => ({ sentence: 'Send it with the request.' }),
  },
  {
    on: /content-type bodies are supported/,
    sentence: 'The body is of another kind than this endpoint reads: it reads forms, and metadata as JSON.',
    source: 'RFC 6749 §3.2 and appendix B, RFC 7591 §3.1',
    remedy: () => ({ sentence: 'Send it as the Content-Type that the reason names.' }),
  },
  {
    on: /invalid_request .*(client authentication|authorization header value|client_assertion|client_id mismatch)/,
    sentence: 'The application said who it is in no way, in two ways at once, or in one that nobody can read.',
    source: 'RFC 6749 §2.3, §2.3.1, RFC 7521 §4.2',
    remedy: () => ({ sentence: 'Let it authenticate in the one way that it is registered for.' }),
  },
]
