import { describe, expect, test } from 'vitest'
import { accountJson, type Account } from '#core/accounts/account.ts'
import { parseAccountChanges, parseNewAccount } from '#core/accounts/account-input.ts'
import { AppError } from '#platform/errors.ts'

function problemsOf(run: () => unknown): Readonly<Record<string, string>> {
  try {
    run()
  } catch (error) {
    if (error instanceof AppError && error.code === 'invalid_input') return error.fields ?? {}
    throw error
  }
  return {}
}

describe('what describes a person', () => {
  test('is trimmed and brought into one form', () => {
    expect(
      parseNewAccount({
        email: ' Ada@Example.com ',
        given_name: ' Ada ',
        groups: ['staff', ' staff '],
        locale: 'en_gb',
        phone_number: '+44 (20) 7946-0000',
        website: 'https://ada.example/',
        address: { locality: ' London ', country: 'United Kingdom' },
      }),
    ).toEqual({
      email: 'Ada@Example.com',
      given_name: 'Ada',
      groups: ['staff'],
      locale: 'en-GB',
      phone_number: '+442079460000',
      website: 'https://ada.example/',
      address: { locality: 'London', country: 'United Kingdom' },
    })
  })

  test.each([
    ['an e-mail address that is none', 'email', 'ada'],
    ['an e-mail address that is too long', 'email', `${'a'.repeat(250)}@example.com`],
    ['a user name with an @', 'username', 'ada@home'],
    ['a user name with a full-width @', 'username', 'ada＠home'],
    ['a user name with a space', 'username', 'ada l'],
    ['a user name with an invisible character', 'username', 'ad\u200ba'],
    ['a user name of 65 characters', 'username', 'a'.repeat(65)],
    ['an empty name', 'name', '  '],
    ['a name with a control character', 'name', 'Ada\u0007'],
    ['a name with a line separator', 'name', 'Ada\u2028Byron'],
    ['a name that turns the writing direction', 'name', 'Ada \u202enoryB'],
    ['a name with half a character', 'given_name', 'Ada\ud800'],
    ['a name of 257 characters', 'given_name', 'a'.repeat(257)],
    ['a script as website', 'website', 'javascript:alert(1)'],
    ['a web address with a line break', 'picture', 'https://a.example/\nx'],
    ['a web address with a password', 'profile', 'https://a:b@a.example/'],
    ['a day that does not exist', 'birthdate', '2023-02-29'],
    ['a birthdate in another order', 'birthdate', '24.12.1990'],
    ['an unknown time zone', 'zoneinfo', 'Europe/Atlantis'],
    ['an offset as time zone', 'zoneinfo', '+01:00'],
    ['a locale that is none', 'locale', 'plain english'],
    ['a phone number without country', 'phone_number', '020 7946 0000'],
    ['an address that is text', 'address', 'London'],
    ['an address without parts', 'address', {}],
    ['an address with a part of another name', 'address', { city: 'London' }],
    ['text as a yes', 'admin', 'true'],
    ['one group that is not in a list', 'groups', 'staff'],
    ['A107 a member that cannot be set', 'password_hash', 'x'],
    ['A107 an id', 'id', 'x'],
  ])('%s is refused by name', (_, member, value) => {
    const input = { email: 'ada@example.com', [member]: value }
    expect(problemsOf(() => parseNewAccount(input))).toEqual({ [member]: expect.stringMatching(/: .*\.$|[.-]$|_ -$/) })
    expect(Object.keys(problemsOf(() => parseAccountChanges(input)))).toEqual([member])
  })

  test.each([
    ['birthdate', '1990-12-24'],
    ['birthdate', '1990'],
    ['birthdate', '0000-02-29'],
    ['zoneinfo', 'Asia/Kolkata'],
    ['phone_number', '+442079460000;ext=12'],
    ['username', 'Ädä-1.x_'],
    ['email', "o'neil+tag@localhost"],
  ])('%s %s is taken as it is', (member, value) => {
    expect(parseNewAccount({ email: 'ada@example.com', [member]: value })).toMatchObject({ [member]: value })
  })

  test('every problem is told at once, and a missing e-mail address is one', () => {
    expect(Object.keys(problemsOf(() => parseNewAccount({ username: 'a b', gender: '', foo: 1 }))).toSorted()).toEqual([
      'email',
      'foo',
      'gender',
      'username',
    ])
  })

  test.each([undefined, null, 'ada', []])('%j is no description', (input) => {
    expect(() => parseNewAccount(input)).toThrow(AppError)
    expect(() => parseAccountChanges(input)).toThrow(AppError)
  })
})

describe('changes of a person', () => {
  test('null clears what a person may be without', () => {
    expect(parseAccountChanges({ username: null, website: null, name: 'Ada' })).toEqual({
      set: { name: 'Ada' },
      clear: ['username', 'website'],
    })
  })

  test.each(['email', 'admin', 'groups', 'email_verified', 'sub'])('%s cannot be cleared', (member) => {
    expect(Object.keys(problemsOf(() => parseAccountChanges({ [member]: null })))).toEqual([member])
  })
})

test('the name shown falls back to given and family name', () => {
  const account: Account = {
    id: '1',
    username: undefined,
    email: 'ada@example.com',
    emailVerified: true,
    name: undefined,
    givenName: 'Ada',
    familyName: 'Lovelace',
    claims: { nickname: 'A' },
    customClaims: {},
    groups: ['staff'],
    admin: false,
    disabled: false,
    createdAt: 10,
    updatedAt: 20,
  }
  expect(accountJson(account)).toEqual({
    id: '1',
    username: null,
    email: 'ada@example.com',
    email_verified: true,
    name: 'Ada Lovelace',
    given_name: 'Ada',
    family_name: 'Lovelace',
    nickname: 'A',
    groups: ['staff'],
    admin: false,
    disabled: false,
    created_at: 10,
    updated_at: 20,
  })
  expect(accountJson({ ...account, name: ' The Countess ' }).name).toBe('The Countess')
  expect(accountJson({ ...account, familyName: undefined }).name).toBe('Ada')
})
