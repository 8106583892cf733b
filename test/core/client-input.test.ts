import { describe, expect, test } from 'vitest'
import { parseChange, parseRegistration } from '#core/clients/client-input.ts'
import { AppError } from '#platform/errors.ts'

const web = { name: 'Shop', redirect_uris: ['https://app.example/callback'] }
const withMetadata = (metadata: unknown) => ({ ...web, metadata })

const refused: [string, Record<string, unknown>, string, RegExp][] = [
  ['without a name', { redirect_uris: web.redirect_uris }, 'name', /needs a name/],
  ['with an empty name', { ...web, name: '  ' }, 'name', /at least one/],
  ['with a name of 257 characters', { ...web, name: 'n'.repeat(257) }, 'name', /256/],
  ['with a line break in its name', { ...web, name: 'Shop\nAdmin' }, 'name', /control/],
  ['with a name that turns the writing direction', { ...web, name: 'Shop\u202eevil' }, 'name', /control/],
  ['with a mark in its name that nobody sees', { ...web, name: 'Shop\u200b' }, 'name', /control/],
  ['with a NUL in its name', { ...web, name: 'Shop\0' }, 'name', /control/],
  ['of an unknown type', { ...web, type: 'machine' }, 'type', /web/],
  ['without a redirect URI', { name: 'Shop' }, 'redirect_uris', /at least one/],
  ['of type spa without a redirect URI', { name: 'Shop', type: 'spa' }, 'redirect_uris', /at least one/],
  [
    'A4 with a script as redirect URI',
    { ...web, redirect_uris: ['javascript:alert(1)'] },
    'redirect_uris',
    /run or open/,
  ],
  [
    'A4 with a script to go to after logout',
    { ...web, post_logout_redirect_uris: ['javascript:alert(1)'] },
    'post_logout_redirect_uris',
    /run or open/,
  ],
  [
    'A4 with a script smuggled in by metadata',
    withMetadata({ post_logout_redirect_uris: ['data:x'] }),
    'post_logout_redirect_uris',
    /run or open/,
  ],
  ['of type service with a redirect URI', { ...web, type: 'service' }, 'redirect_uris', /signs nobody in/],
  ['with a scope that is not offered', { ...web, scope: 'openid root' }, 'scope', /"root".*offers openid/],
  ['with no scope at all', { ...web, scope: ' ' }, 'scope', /at least one/],
  ['with groups while open to everyone', { ...web, groups: ['staff'] }, 'groups', /open to everyone/],
  ['of type spa without PKCE', { ...web, type: 'spa', require_pkce: false }, 'require_pkce', /always/],
  ['with a setting that does not exist', { ...web, admin: true }, 'admin', /no such setting/],
  ['A77 with its own client_id', withMetadata({ client_id: 'mine' }), 'client_id', /not a member/],
  ['A77 with its own secret', withMetadata({ client_secret: 'mine' }), 'client_secret', /not a member/],
  ['A77 that grants itself first_party', withMetadata({ first_party: true }), 'first_party', /not a member/],
  ['A77 with metadata that nobody knows', withMetadata({ skip_consent: true }), 'skip_consent', /not a member/],
  [
    'A77 with a prototype in its metadata',
    withMetadata(JSON.parse('{"__proto__": {"x": 1}}')),
    '__proto__',
    /not a member/,
  ],
  [
    'A77 with a grant its type has not',
    { ...web, type: 'spa', metadata: { grant_types: ['authorization_code', 'implicit'] } },
    'grant_types',
    /may have refresh_token/,
  ],
  ['A77 with the password grant', withMetadata({ grant_types: ['password'] }), 'grant_types', /authorization_code/],
  [
    'A77 with an implicit response type and grants that do not hold it',
    withMetadata({ response_types: ['code', 'id_token'], grant_types: ['authorization_code'] }),
    'response_types',
    /code/,
  ],
  [
    'with the implicit grant and no use for it',
    withMetadata({ grant_types: ['authorization_code', 'implicit'] }),
    'response_types',
    /id_token/,
  ],
  [
    'A77 with a response type its type has not',
    { ...web, type: 'spa', metadata: { response_types: ['code', 'id_token'] } },
    'response_types',
    /code/,
  ],
  [
    'without a secret although it is of type web',
    withMetadata({ token_endpoint_auth_method: 'none' }),
    'token_endpoint_auth_method',
    /client_secret_basic or/,
  ],
  [
    'with a secret although it is of type spa',
    { ...web, type: 'spa', metadata: { token_endpoint_auth_method: 'client_secret_basic' } },
    'token_endpoint_auth_method',
    /none/,
  ],
  [
    'with an application type that is not its own',
    withMetadata({ application_type: 'native' }),
    'application_type',
    /web/,
  ],
  [
    'with refresh tokens always and never the grant for them',
    { ...web, refresh_tokens: 'always', metadata: { grant_types: ['authorization_code'] } },
    'grant_types',
    /always/,
  ],
  [
    'with an unsigned ID token',
    withMetadata({ id_token_signed_response_alg: 'none' }),
    'id_token_signed_response_alg',
    /RS256/,
  ],
  [
    'with an ID token signed by a secret that it does not have',
    { ...withMetadata({ id_token_signed_response_alg: 'HS256' }), type: 'spa' },
    'id_token_signed_response_alg',
    /secret/,
  ],
  ['with a logo by http', withMetadata({ logo_uri: 'http://app.example/logo.png' }), 'logo_uri', /https/],
  ['with a script as its home page', withMetadata({ client_uri: 'javascript:alert(1)' }), 'client_uri', /https/],
  ['with a quote in a link', withMetadata({ tos_uri: 'https://app.example/"onclick' }), 'tos_uri', /percent-encoded/],
  ['with a password in a link', withMetadata({ policy_uri: 'https://a:b@app.example/' }), 'policy_uri', /user name/],
  ['with a contact that is no e-mail address', withMetadata({ contacts: ['me'] }), 'contacts', /e-mail/],
  ['with a negative age', withMetadata({ default_max_age: -1 }), 'default_max_age', /0/],
  ['with metadata that is a list', withMetadata([]), 'metadata', /./],
]

describe('a registration', () => {
  test.each(refused)('is refused %s', (_, input, field, reason) => {
    expect(fieldsOf(() => parseRegistration(input))[field]).toMatch(reason)
  })

  test('names every problem at once', () => {
    const fields = fieldsOf(() => parseRegistration({ type: 'service', redirect_uris: ['x:'], groups: ['staff'] }))
    expect(Object.keys(fields).toSorted()).toEqual(['groups', 'name', 'redirect_uris'])
  })

  test('takes from its metadata what has no setting of its own, and lets the setting win', () => {
    const metadata = {
      client_name: 'File',
      redirect_uris: ['https://file.example/cb'],
      scope: 'openid',
      contacts: ['it@app.example'],
    }
    expect(parseRegistration({ metadata })).toMatchObject({
      name: 'File',
      registered: { redirect_uris: ['https://file.example/cb'], scope: 'openid' },
    })
    expect(parseRegistration({ ...web, scope: 'openid email', metadata })).toMatchObject({
      name: 'Shop',
      registered: { redirect_uris: web.redirect_uris, scope: 'openid email', contacts: ['it@app.example'] },
    })
  })

  test('A9 demands PKCE of public clients, and of others when told to', () => {
    expect(parseRegistration({ ...web, type: 'spa' }).requirePkce).toBe(true)
    expect(parseRegistration({ ...web, type: 'native' }).requirePkce).toBe(true)
    expect(parseRegistration(web).requirePkce).toBe(false)
    expect(parseRegistration({ ...web, require_pkce: true }).requirePkce).toBe(true)
  })

  test('drops what is said twice', () => {
    const draft = parseRegistration({
      ...web,
      redirect_uris: [...web.redirect_uris, ...web.redirect_uris],
      scope: 'openid  openid',
    })
    expect(draft.registered).toEqual({ redirect_uris: web.redirect_uris, scope: 'openid' })
  })

  test('may be limited to groups before any group is named: it is then open to nobody', () => {
    expect(parseRegistration({ ...web, assignment: 'groups' })).toMatchObject({ assignment: 'groups', groups: [] })
  })
})

describe('a change', () => {
  const before = parseRegistration({
    ...web,
    assignment: 'groups',
    groups: ['staff'],
    metadata: { tos_uri: 'https://app.example/terms' },
  })

  test('leaves what is not named', () => {
    expect(parseChange(before, { name: 'New' })).toEqual({ ...before, name: 'New' })
  })

  test('replaces lists as a whole', () => {
    const after = parseChange(before, { redirect_uris: ['https://new.example/cb'], groups: ['sales', 'board'] })
    expect(after).toMatchObject({
      groups: ['board', 'sales'],
      registered: { redirect_uris: ['https://new.example/cb'] },
    })
  })

  test('takes a member of the metadata away by null', () => {
    const after = parseChange(before, { metadata: { tos_uri: null, client_uri: 'https://app.example/' } })
    expect(after.registered).toEqual({ redirect_uris: web.redirect_uris, client_uri: 'https://app.example/' })
  })

  test('forgets the groups when the client opens to everyone', () => {
    expect(parseChange(before, { assignment: 'everyone' })).toMatchObject({ assignment: 'everyone', groups: [] })
  })

  test('is refused when it says nothing', () => {
    expect(() => parseChange(before, { name: undefined })).toThrow('Nothing to change')
  })

  test('is refused when a client with a secret would become one without', () => {
    expect(fieldsOf(() => parseChange(before, { type: 'spa' }))['type']).toMatch(/Register a new client/)
  })

  test('is judged together with what was there before', () => {
    const spa = parseRegistration({ ...web, type: 'spa' })
    expect(parseChange(spa, { type: 'native' }).type).toBe('native')
    const local = parseRegistration({ ...web, type: 'spa', redirect_uris: ['https://localhost/cb'] })
    expect(fieldsOf(() => parseChange(local, { type: 'native' }))['redirect_uris']).toMatch(/loopback/)
  })
})

function fieldsOf(run: () => unknown): Readonly<Record<string, string>> {
  try {
    run()
  } catch (error) {
    if (error instanceof AppError && error.code === 'invalid_input') return error.fields ?? {}
    throw error
  }
  throw new Error('it was accepted')
}
