import { hash as argon2Hash } from 'argon2'
import { describe, expect, test } from 'vitest'
import { checkNewPassword } from '#core/accounts/password-rules.ts'
import { createPasswords } from '#core/accounts/passwords.ts'
import { createSlots } from '#core/accounts/slots.ts'

describe('hashing', () => {
  const passwords = createPasswords({ slots: 2 })

  test('a password verifies against its hash and no other does', async () => {
    const hash = await passwords.hash('violet anchor 9')
    expect(hash).toMatch(/^\$argon2id\$v=19\$m=19456,/)
    expect(await passwords.verify(hash, 'violet anchor 9')).toBe(true)
    expect(await passwords.verify(hash, 'violet anchor 8')).toBe(false)
    expect(passwords.needsRehash(hash)).toBe(false)
  })

  test('A34 neither trims, truncates nor folds: what differs anywhere is another password', async () => {
    const long = 'x'.repeat(72)
    const hash = await passwords.hash(`${long}a\0 `)
    expect(await passwords.verify(hash, `${long}a\0 `)).toBe(true)
    for (const other of [`${long}b\0 `, `${long}a\0`, `${long}a`, `${long}A\0 `, ` ${long}a\0 `]) {
      expect(await passwords.verify(hash, other)).toBe(false)
    }
  })

  test('A34 one password in two Unicode forms is one password', async () => {
    const hash = await passwords.hash('Caf\u00e9 au lait')
    expect(await passwords.verify(hash, 'Cafe\u0301 au lait')).toBe(true)
  })

  test('A28 no account at all is never right, whatever is tried', async () => {
    expect(await passwords.verify(undefined, '')).toBe(false)
    expect(await passwords.verify(undefined, 'violet anchor 9')).toBe(false)
  })

  test('A34 refuses more than 1,024 characters without hashing them', async () => {
    const full = createPasswords({ slots: 0, queue: 0 })
    await expect(full.verify(undefined, 'x'.repeat(1_024))).rejects.toMatchObject({ code: 'unavailable' })
    expect(await full.verify(undefined, 'x'.repeat(1_025))).toBe(false)
    expect(await full.verify(undefined, 'x'.repeat(1_048_576))).toBe(false)
    expect(await full.verify(undefined, '\u{1f511}'.repeat(1_025))).toBe(false)
    await expect(full.verify(undefined, '\u{1f511}'.repeat(1_024))).rejects.toMatchObject({ code: 'unavailable' })
  })

  test('tells a hash made with smaller parameters', async () => {
    const weak = await argon2Hash('violet anchor 9', { memoryCost: 4_096, timeCost: 2, parallelism: 1 })
    expect(passwords.needsRehash(weak)).toBe(true)
    expect(await passwords.verify(weak, 'violet anchor 9')).toBe(true)
  })
})

describe('slots', () => {
  const refuse = (): Error => new Error('full')

  test('never run more tasks at once than there are slots, in the order in which they came', async () => {
    const slots = createSlots({ slots: 3, queue: 100, refuse })
    const order: number[] = []
    let now = 0
    let most = 0
    const task = (index: number) => async (): Promise<void> => {
      order.push(index)
      now += 1
      most = Math.max(most, now)
      await new Promise((resolve) => setTimeout(resolve, Math.random() * 4))
      now -= 1
    }
    await Promise.all(Array.from({ length: 40 }, (_, index) => slots.run(task(index))))
    expect(most).toBe(3)
    expect(order).toEqual(Array.from({ length: 40 }, (_, index) => index))
  })

  test('F37 refuses what does not fit into the queue and goes on with the rest', async () => {
    const passwords = createPasswords({ slots: 1, queue: 2 })
    const results = await Promise.allSettled([1, 2, 3, 4, 5].map(() => passwords.verify(undefined, 'whatever it is')))
    expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled', 'fulfilled', 'rejected', 'rejected'])
    expect(results[4]).toMatchObject({ reason: { code: 'unavailable', retryAfterSeconds: 2 } })
    expect(await passwords.verify(undefined, 'whatever it is')).toBe(false)
  })

  test('a task that fails gives its slot back', async () => {
    const slots = createSlots({ slots: 1, queue: 1, refuse })
    await expect(slots.run(() => Promise.reject(new Error('broken')))).rejects.toThrow('broken')
    expect(await slots.run(async () => 'next')).toBe('next')
  })
})

describe('A35 a new password', () => {
  const ada = { username: 'ada.lovelace', email: 'Countess@Analytical.example' }

  test.each([
    ['of 7 characters', '7 chars', /too short/],
    ['of 7 characters that UTF-16 counts twice', '\u{1f511}'.repeat(7), /too short/],
    ['of more than 1,024 characters', 'ab'.repeat(513), /too long/],
    ['that is the name of the product', 'LatchKey', /name of this product/],
    ['that is the user name', 'Ada.Lovelace', /user name/],
    ['that is the e-mail address', 'countess@analytical.EXAMPLE', /e-mail/],
    ['that is what stands before the @', 'COUNTESS', /e-mail/],
    ['that is on the list of common ones', 'password123', /most common/],
    ['that is on the list but for its case', 'QWERTYuiop', /most common/],
    ['that is a common word with a year and a sign', 'Dragon2031!', /most common/],
    ['that is a common word spelled with digits', 'P@ssw0rd', /most common/],
    ['that is a common word with 1 for i', '1l0vey0u!', /most common/],
    ['that repeats itself', 'xyzxyzxyz', /most common/],
    ['that says everything twice', 'hunter2hunter2', /most common/],
    ['that is a row of keys', 'poiuztrewq', /most common/],
    ['that is two rows', 'abcd6543', /most common/],
    ['that is the name of the product with digits', 'l4tchkey99', /name of this product/],
    ['that is the user name with a number', 'ada.lovelace1815', /user name/],
  ])('is refused %s', (_, password, sentence) => {
    expect(checkNewPassword(password, ada)).toMatch(sentence)
  })

  test.each([
    ['of 8 characters', 'k7#mQ2!x'],
    [
      'of 8 characters that UTF-16 counts twice',
      '\u{1f511}\u{1f30a}\u{1f319}\u{1f525}\u{1f41d}\u{1f34b}\u{1f6b2}\u{1f3bb}',
    ],
    ['of one letter, but 73 of them', 'x'.repeat(73)],
    ['of 1,024 characters', 'ab'.repeat(512)],
    ['of words with spaces around them', '  quiet harbour lantern  '],
    ['without digits, capitals or signs', 'quietharbourlantern'],
    ['that holds a common word among others', 'monkey harbour lantern'],
    ['that is random', 'Xk29fjQp'],
  ])('is taken %s', (_, password) => {
    expect(checkNewPassword(password, ada)).toBeUndefined()
  })
})
