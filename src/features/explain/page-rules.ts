/** The rules of what a browser asks: authorization, sign-in, sign-out. The first that matches is the one. */
import {
  latchkey,
  registeredList,
  registeredText,
  wholeValue,
  type Refused,
  type Remedy,
  type Rule,
} from './refused.ts'

const NO_CLIENT = 'No application is registered with this client_id.'
const CORE = 'OpenID Connect Core 1.0'

export const PAGE_RULES: readonly Rule[] = [
  {
    on: /invalid_client .*client not found/,
    sentence: `${NO_CLIENT} A disabled one counts as none.`,
    source: 'RFC 6749 §4.1.2.1, §5.2',
    remedy: enableOrList,
  },
  {
    on: /^(authorization|pushed_request)\.refused .*redirect_uri did not match/,
    sentence: 'The redirect_uri of the request has to be one that is registered, the same in every character.',
    source: `${CORE} §3.1.2.1, RFC 9700 §2.1`,
    remedy: (refused) => addAddress(refused, 'redirect_uri', 'redirect_uris', '--redirect-uri'),
  },
  {
    on: /requires PKCE/,
    sentence:
      'The application has to send a code_challenge (PKCE), since it keeps no secret or is registered to do so.',
    source: 'RFC 7636 §4.3, RFC 9700 §2.1.1',
    remedy: () => ({ sentence: 'Turn PKCE on in the library of the application; most call it "pkce" or "S256".' }),
  },
  {
    on: /^(authorization|pushed_request)\.refused .*code_challenge/,
    sentence:
      'A code_challenge is the SHA-256 of the verifier in base64url, 43 characters, and code_challenge_method is S256.',
    source: 'RFC 7636 §4.2, §4.3',
    remedy: () => ({ sentence: 'Send code_challenge_method=S256; plain is not taken.' }),
  },
  {
    on: /^(authorization|pushed_request)\.refused invalid_scope /,
    sentence: 'The application asked for a scope that it may not ask for.',
    source: 'RFC 6749 §3.3, §4.1.2.1',
    remedy: addScopes,
  },
  {
    on: /^(authorization|pushed_request)\.refused .*response_type/,
    sentence: 'The application asked for a kind of answer that it is not registered for.',
    source: 'RFC 6749 §4.1.2.1 (unauthorized_client, unsupported_response_type)',
    remedy: (refused) => changeMetadata(refused, 'Ask with response_type=code; or register another one:'),
  },
  {
    on: /^authorization\.refused (login|consent|interaction|account_selection)_required /,
    sentence:
      'The application asked not to show a page (prompt=none), and one was needed: nobody is signed in here, or something is to be allowed.',
    source: `${CORE} §3.1.2.6`,
    remedy: () => ({ sentence: 'This is an answer, not a mistake: ask again without prompt=none.' }),
  },
  {
    on: /^authorization\.refused access_denied .*not assigned/,
    sentence: 'The application is open to groups that the person is in none of.',
    source: 'RFC 6749 §4.1.2.1',
    remedy: addToGroup,
  },
  {
    on: /^authorization\.refused access_denied /,
    sentence: 'The person turned back, or did not allow what the application asked for.',
    source: 'RFC 6749 §4.1.2.1',
  },
  {
    on: /invalid_request_uri /,
    sentence: 'The request_uri is not one that was pushed here for this client, it has expired, or it was used.',
    source: 'RFC 9126 §2.2, §7.3',
    remedy: () => ({ sentence: 'Push the request again for each sign-in, and use its request_uri once.' }),
  },
  {
    on: /(request_not_supported|request_uri_not_supported|invalid_request_object) /,
    sentence: 'The request object or its address is not one that this application is registered for.',
    source: 'RFC 9101 §6, §10',
    remedy: (refused) => changeMetadata(refused, 'Register how its requests are signed (docs/client-metadata.md):'),
  },
  {
    on: /^(authorization|device|sign_in)\.refused .*expired/,
    sentence: 'The sign-in was finished already, had expired, or was begun in another browser.',
    source: 'a rule of this server: a sign-in belongs to the browser that began it',
    remedy: () => ({
      sentence: 'Begin again in the application. If it comes back each time, the browser keeps no cookies.',
    }),
  },
  {
    on: /unmet_authentication_requirements /,
    sentence: 'The application asks for a sign-in of a class that this server, or this person, cannot reach.',
    source: 'OpenID Connect Core Error Code unmet_authentication_requirements 1.0 §2',
    remedy: () => ({ sentence: 'Ask for a class that discovery names: acr_values_supported.' }),
  },
  {
    on: /^(authorization|pushed_request)\.refused (invalid_request|unsupported_response_mode|registration_not_supported) /,
    sentence: 'A parameter has a value that this server does not take.',
    source: `${CORE} §3.1.2.1, §3.1.2.2`,
    remedy: () => ({ sentence: 'The reason on record names it; discovery names what is taken.' }),
  },
  {
    on: /^device\.refused .*code of the device is/,
    sentence: 'What the person typed is no code of a device, or of one that waits no longer.',
    source: 'RFC 8628 §3.3, §6.1',
    remedy: () => ({ sentence: 'Let the device show a new code.' }),
  },
  {
    on: /^approval\.refused not_found /,
    sentence:
      'Nothing of this address waits for an answer of this person: it was answered, expired, or is for another.',
    source: 'OpenID CIBA Core 1.0 §7.3, §8',
    remedy: () => ({ sentence: 'Let the application ask again.' }),
  },
  {
    on: /^approval\.refused forbidden /,
    sentence: 'The person was not signed in, or not in the way that the application asks for.',
    source: 'OpenID CIBA Core 1.0 §7.1 (acr_values)',
    remedy: () => ({ sentence: 'Sign in again on the page; the browser has to keep cookies.' }),
  },
  {
    on: /^logout\.refused .*post_logout_redirect_uri/,
    sentence: 'The post_logout_redirect_uri has to be one that is registered, the same in every character.',
    source: 'OpenID Connect RP-Initiated Logout 1.0 §3',
    remedy: (refused) =>
      addAddress(refused, 'post_logout_redirect_uri', 'post_logout_redirect_uris', '--post-logout-redirect-uri'),
  },
  {
    on: /^logout\.refused .*id_token_hint/,
    sentence: 'The id_token_hint has to be an ID token that this server issued to the application.',
    source: 'OpenID Connect RP-Initiated Logout 1.0 §2',
    remedy: () => ({ sentence: 'Send the ID token of the sign-in as it came, or client_id instead.' }),
  },
  {
    on: /^sign_in\.refused .*not assigned/,
    sentence: 'The application is open to groups that the person is in none of.',
    source: 'a setting of the application: assignment',
    remedy: addToGroup,
  },
  {
    on: /^sign_in\.refused .*password or the name/,
    sentence: 'The password was wrong, or nobody who can sign in has this name. The page does not tell which.',
    source: 'OWASP ASVS 5.0 §6.3.8',
    remedy: mendPerson,
  },
]

/** Commands change all addresses at once, so those that are there are named again. */
function addAddress(refused: Refused, parameter: string, member: string, option: string): Remedy {
  const value = wholeValue(refused, parameter)
  const { client } = refused
  const sentence = 'Mend the address in the application; or, if it is the application’s own address, register it too:'
  if (value === undefined || !client) return { sentence: 'Send an address that is registered.' }
  const all = [...registeredList(refused, member), value].flatMap((address) => [option, address])
  return { sentence, command: latchkey('client', 'update', client.id, ...all) }
}

function addScopes(refused: Refused): Remedy {
  const { client } = refused
  const asked = wholeValue(refused, 'scope')
  if (!client || asked === undefined) return { sentence: 'Ask for less.' }
  const scopes = new Set([...registeredText(refused, 'scope').split(' '), ...asked.split(' ')])
  return {
    sentence: 'Ask for less; or let the application ask for it, if the server offers it:',
    command: latchkey('client', 'update', client.id, '--scope', [...scopes].filter(Boolean).join(' ')),
  }
}

function changeMetadata({ client }: Refused, sentence: string): Remedy {
  return { sentence, command: latchkey('client', 'update', client?.id ?? 'CLIENT-ID', '--metadata', 'FILE.json') }
}

/** Where a client was named that is there, it is disabled. */
function enableOrList({ client }: Refused): Remedy {
  if (client?.disabled) return { sentence: 'It is disabled:', command: latchkey('client', 'enable', client.id) }
  return { sentence: 'Compare the id, and the server:', command: latchkey('client', 'list') }
}

function addToGroup({ client, account }: Refused): Remedy {
  const [group] = client?.groups ?? []
  if (!client) return { sentence: 'Put the person into one of its groups.' }
  if (group === undefined)
    return {
      sentence: 'It has no group yet. Open it to everyone, or give it one:',
      command: latchkey('client', 'update', client.id, '--assignment', 'everyone'),
    }
  return {
    sentence: `Its groups: ${client.groups.join(', ')}. To let the person in:`,
    command: latchkey('group', 'add', group, account?.id ?? 'USER'),
  }
}

function mendPerson({ account }: Refused): Remedy {
  if (!account) return { sentence: 'Nobody has this name: look for the person.', command: latchkey('user', 'list') }
  if (account.disabled) return { sentence: 'The person is disabled:', command: latchkey('user', 'enable', account.id) }
  return { sentence: 'If the password is forgotten:', command: latchkey('user', 'set-password', account.id) }
}
