// Types of authorization details: how they are written, what a detail may hold, and how all of it is told.
import { describe, expect, test } from 'vitest'
import { detailLines, detailProblem, detailTypes, detailTypeText, parseDetailType } from '#core/apis/detail-type.ts'

const PAYMENT = { type: 'payment', title: 'Make a payment', members: ['amount', 'creditors', 'note'] }

describe('a type of details', () => {
  test.each([
    'payment[amount,creditors]=Make a payment',
    'urn:example:read[]=Read',
    'https://bank.example/t[a]=A=B, [really]',
  ])('is written %s', (text) => {
    expect(detailTypeText(parseDetailType(text))).toBe(text)
  })

  test('may have no members', () => {
    expect(parseDetailType('ping=Say hello')).toEqual({ type: 'ping', title: 'Say hello', members: [] })
  })

  test.each(['', 'payment', 'payment=', '=Title', 'payment[amount=Title', '[amount]=Title'])(
    'is not written %s',
    (text) => {
      expect(() => parseDetailType(text)).toThrow(/is not a type/)
    },
  )

  test.each<[string, unknown]>([
    ['a name with a space', [{ ...PAYMENT, type: 'a b' }]],
    ['a name that reaches for the prototype', [{ ...PAYMENT, type: '__proto__' }]],
    ['a member that is the type', [{ ...PAYMENT, members: ['type'] }]],
    ['a member that reaches for the prototype', [{ ...PAYMENT, members: ['__proto__'] }]],
    ['a title that turns the writing direction', [{ ...PAYMENT, title: 'Pay\u202e' }]],
    ['no title', [{ type: 'a', members: [] }]],
    ['a setting that there is not', [{ ...PAYMENT, schema: {} }]],
    ['the same name twice', [PAYMENT, PAYMENT]],
    ['too many members', [{ ...PAYMENT, members: Array.from({ length: 51 }, (_, index) => `m${index}`) }]],
  ])('is refused with %s', (_, types) => {
    expect(detailTypes.safeParse(types).success).toBe(false)
  })
})

describe('a detail', () => {
  test('is told line by line, and nothing of it is left out', () => {
    const amount = { currency: 'EUR', value: 12.5 }
    const creditors = [
      { name: 'A', tags: ['x', 'y'] },
      { name: null, tags: [] },
    ]
    expect(detailLines({ type: 'payment', amount, creditors, note: {} })).toEqual([
      { name: 'amount.currency', value: 'EUR' },
      { name: 'amount.value', value: '12.5' },
      { name: 'creditors 1.name', value: 'A' },
      { name: 'creditors 1.tags', value: 'x' },
      { name: 'creditors 1.tags', value: 'y' },
      { name: 'creditors 2.name', value: 'null' },
      { name: 'creditors 2.tags', value: 'nothing' },
      { name: 'note', value: 'nothing' },
    ])
    expect(detailLines({ type: 'payment' })).toEqual([])
  })

  test.each<[string, Record<string, unknown>, RegExp]>([
    ['a member that its type has not', { debtor: 'me' }, /no such member/],
    ['a name below that hides something', { amount: { 'a\u202eb': 1 } }, /control characters/],
    ['a value that hides something', { note: ['a', 'b\u0000'] }, /control characters/],
    ['an amount that would read as another', { amount: '1\u200b000' }, /control characters/],
    ['a number that is kept as another', { amount: [Number.POSITIVE_INFINITY] }, /cannot be kept/],
    ['one level too many', { amount: { a: { b: { c: { d: { e: { f: 1 } } } } } } }, /too deeply/],
  ])('is refused with %s', (_, members, why) => {
    expect(detailProblem({ type: 'payment', ...members }, PAYMENT)).toMatch(why)
  })
})
