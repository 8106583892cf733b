// The rules of claims under names of one's own: what they may be called, what they may hold, how they are written.
import { describe, expect, test } from 'vitest'
import { parseAccountChanges, parseNewAccount } from '#core/accounts/account-input.ts'
import { claimNameProblem, STANDARD_CLAIMS } from '#core/custom-claims/claim-name.ts'
import { claimRules, needsConsent, rulesFor, SOURCES } from '#core/custom-claims/claim-rules.ts'
import { claimRuleText, parseClaimRule, parseClaimValue } from '#core/custom-claims/claim-text.ts'
import { changedCustomClaims } from '#core/custom-claims/custom-claims.ts'
import { claimsByRules, SCOPE_CLAIMS } from '#oidc/claims.ts'
import { AppError } from '#platform/errors.ts'

const PERSON = { email: 'ada@example.com' }

function problemOf(work: () => unknown): string | undefined {
  try {
    work()
    return undefined
  } catch (error) {
    if (error instanceof AppError) return error.fields?.['custom_claims']
    throw error
  }
}

describe('the name of a claim of one’s own', () => {
  test.each([
    'department',
    'staff_no',
    'Roles',
    'urn:example:roles',
    'https://example.com/groups',
    'roles',
    '_x',
    'a-b',
  ])('may be %s', (name) => expect(claimNameProblem(name)).toBeUndefined())

  test.each(
    'iss sub aud exp nbf iat jti nonce at_hash c_hash acr amr azp auth_time sid cnf act scope client_id events _claim_names'.split(
      ' ',
    ),
  )('may not be %s, which the protocol gives a meaning to', (name) =>
    expect(claimNameProblem(name)).toContain('meaning of its own'),
  )

  test.each([...STANDARD_CLAIMS])('may not be the standard claim %s', (name) =>
    expect(claimNameProblem(name)).toContain('meaning of its own'),
  )

  test.each([
    '__proto__',
    'constructor',
    'prototype',
    '',
    ' ',
    'a b',
    'a=b',
    'a@b',
    '1st',
    'grün',
    'a"',
    'a\n',
    '<b>',
    'x'.repeat(129),
  ])('may not be %j', (name) => expect(claimNameProblem(name)).toEqual(expect.any(String)))
})

describe('the claims of a person', () => {
  test.each([
    ['Finance'],
    [''],
    [7],
    [0.5],
    [true],
    [false],
    [['a', 'b']],
    [[]],
    [{ level: { of: 'trust' }, none: null }],
  ])('may hold %j', (value) =>
    expect(parseNewAccount({ ...PERSON, custom_claims: { x: value } }).custom_claims).toEqual({ x: value }),
  )

  test.each([
    ['more than 4 KiB', 'é'.repeat(2_048), '4 KiB'],
    ['what is too deep', JSON.parse(`${'['.repeat(9)}1${']'.repeat(9)}`), 'deep'],
    ['a key that programs trip over', JSON.parse('{"__proto__":{"admin":true}}'), 'no JSON'],
    ['half a character', '\ud800', 'no JSON'],
    ['a number without end', Number.POSITIVE_INFINITY, 'no JSON'],
  ])('may not hold %s', (_, value, word) =>
    expect(problemOf(() => parseNewAccount({ ...PERSON, custom_claims: { x: value } }))).toContain(word),
  )

  test.each([[[]], ['x'], [5]])('are an object: %j is refused', (value) =>
    expect(problemOf(() => parseNewAccount({ ...PERSON, custom_claims: value }))).toContain('must be an object'),
  )

  test('are refused with the name of the one that is wrong, __proto__ included', () => {
    const claims: unknown = JSON.parse('{"fine":1,"__proto__":2}')
    expect(problemOf(() => parseNewAccount({ ...PERSON, custom_claims: claims }))).toContain('__proto__')
    expect(problemOf(() => parseAccountChanges({ custom_claims: { email: 'x' } }))).toContain('email')
    expect(problemOf(() => parseAccountChanges({ custom_claims: null }))).toContain('cannot be cleared')
  })

  test('change one by one: null takes a claim away, the others stay', () => {
    const before = { a: 1, b: 2 }
    expect(changedCustomClaims(before, { c: 3, a: null, nothing: null })).toEqual({ b: 2, c: 3 })
    expect(Object.keys(changedCustomClaims({}, { z: 1, a: 1 }))).toEqual(['a', 'z'])
  })

  test('are at most fifty', () => {
    const fifty = Object.fromEntries(Array.from({ length: 50 }, (_, index) => [`claim${index}`, index]))
    expect(Object.keys(changedCustomClaims({}, fifty))).toHaveLength(50)
    expect(problemOf(() => changedCustomClaims(fifty, { further: 1 }))).toContain('at most 50')
    expect(Object.keys(changedCustomClaims(fifty, { further: 1, claim0: null }))).toHaveLength(50)
  })
})

describe('a value on the command line', () => {
  test.each([
    ['department="Finance"', ['department', 'Finance']],
    ['department=Finance', ['department', 'Finance']],
    ['roles=["a","b"]', ['roles', ['a', 'b']]],
    ['level=3', ['level', 3]],
    ['vip=true', ['vip', true]],
    ['old=null', ['old', null]],
    ['equation=a=b', ['equation', 'a=b']],
    ['empty=', ['empty', '']],
    ['staff_no=007', ['staff_no', '007']],
    ['version=1.0', ['version', '1.0']],
    ['card=12345678901234567890', ['card', '12345678901234567890']],
    ['big=1e400', ['big', '1e400']],
    ['department', undefined],
  ])('%s is %j', (text, expected) => expect(parseClaimValue(text)).toEqual(expected))
})

describe('a rule on the command line', () => {
  test.each([
    ['department', { claim: 'department', source: 'custom.department' }],
    ['groups', { claim: 'groups', source: 'groups' }],
    ['roles=groups', { claim: 'roles', source: 'groups' }],
    ['roles=groups@groups', { claim: 'roles', source: 'groups', scope: 'groups' }],
    ['department@profile', { claim: 'department', source: 'custom.department', scope: 'profile' }],
    ['https://example.com/groups=groups', { claim: 'https://example.com/groups', source: 'groups' }],
    ['dep=custom.department', { claim: 'dep', source: 'custom.department' }],
    ['tenant="acme"', { claim: 'tenant', value: 'acme' }],
    ['tenant="a@b"', { claim: 'tenant', value: 'a@b' }],
    ['tenant="a@b"@email', { claim: 'tenant', value: 'a@b', scope: 'email' }],
    ['api={"level":1}@profile', { claim: 'api', value: { level: 1 }, scope: 'profile' }],
  ])('%s', (text, rule) => {
    expect(parseClaimRule(text)).toEqual(rule)
    expect(parseClaimRule(claimRuleText(parseClaimRule(text)))).toEqual(rule)
    expect(claimRules.safeParse([parseClaimRule(text)]).success).toBe(true)
  })

  test.each([
    ['tenant=acme', 'no source "acme"'],
    ['password=password_hash', 'no source'],
    ['x=custom.', 'no source'],
    ['x=custom.sub', 'no source'],
    ['roles=groups@wishes', 'scopes that the server offers'],
    ['email=custom.work_email', 'meaning of its own'],
    ['sub="root"', 'meaning of its own'],
    ['aud=["other"]', 'meaning of its own'],
    ['x=null', 'no JSON'],
  ])('%s is refused', (text, word) => {
    const { error } = claimRules.safeParse([parseClaimRule(text)])
    expect(error?.issues.map(({ message }) => message).join(' ')).toContain(word)
  })

  test('a claim is given once, from one place', () => {
    const words = (rules: unknown) =>
      claimRules
        .safeParse(rules)
        .error?.issues.map(({ message }) => message)
        .join(' ')
    expect(words([parseClaimRule('a=groups'), parseClaimRule('a=email')])).toContain('given twice')
    expect(words([{ claim: 'a', source: 'email', value: 1 }])).toContain('one of the two')
    expect(words([{ claim: 'a' }])).toContain('one of the two')
    expect(words([{ claim: 'a', source: 'email', more: 1 }])).toBeDefined()
    expect(words(Array.from({ length: 51 }, (_, index) => ({ claim: `c${index}`, value: 1 })))).toContain('at most 50')
  })
})

describe('rules', () => {
  const account = {
    id: 'an-id',
    username: 'ada',
    email: 'ada@example.com',
    emailVerified: true,
    name: undefined,
    givenName: 'Ada',
    familyName: undefined,
    claims: {},
    customClaims: { department: 'Finance' },
    groups: ['staff'],
    admin: false,
    disabled: false,
    createdAt: 1,
    updatedAt: 2,
  }
  const ofScope = (scope: string) => SCOPE_CLAIMS[scope] ?? []

  test('find what is known, under the client’s own name, and leave out what is not', () => {
    const rules = [
      'dep=custom.department',
      'roles=groups',
      'login=username',
      'id_for_me=sub',
      'tenant="acme"',
      'none=custom.none',
      'pic=picture',
      'changed=updated_at',
      'n=name',
    ]
    expect(claimsByRules(rules.map(parseClaimRule), account, 'a-sub')).toEqual({
      dep: 'Finance',
      roles: ['staff'],
      login: 'ada',
      id_for_me: 'a-sub',
      tenant: 'acme',
      changed: 2,
      n: 'Ada',
    })
  })

  test('find nothing but what people are said to have', () => {
    expect(
      claimsByRules(
        [
          { claim: 'x', source: 'custom.toString' },
          { claim: 'y', source: 'admin' },
        ],
        account,
        's',
      ),
    ).toEqual({})
  })

  test('may take from every claim that a scope gives', () => {
    const given = Object.values(SCOPE_CLAIMS)
      .flat()
      .filter((claim) => !['auth_time', 'amr', 'acr'].includes(claim))
    expect([...SOURCES].toSorted()).toEqual([...given, 'username'].toSorted())
  })

  test('with a scope count where it was granted', () => {
    const rules = ['a=email', 'b=email@email'].map(parseClaimRule)
    expect(rulesFor(rules, new Set(['openid'])).map(({ claim }) => claim)).toEqual(['a'])
    expect(rulesFor(rules, new Set(['openid', 'email'])).map(({ claim }) => claim)).toEqual(['a', 'b'])
  })

  test.each([
    ['roles=groups', true],
    ['roles=groups@groups', false],
    ['roles=groups@profile', true],
    ['login=username@profile', false],
    ['department', true],
    ['department@profile', true],
    ['tenant="acme"', false],
    ['user_id=sub', false],
  ])('%s: the person is asked for it by name: %s', (text, asked) =>
    expect(needsConsent(parseClaimRule(text), ofScope)).toBe(asked),
  )
})
