// What tells an attack on many people from people who mistype.
import { expect, test } from 'vitest'
import { guessingPatterns } from '#core/guesses/patterns.ts'

const SPRAYING = 'guessing.spraying'
const STUFFING = 'guessing.stuffing'

function scene() {
  let now = 1_700_000_000
  const patterns = guessingPatterns({ now: () => now })
  const each = (count: number, of: (index: number) => Parameters<typeof patterns.see>[0]) =>
    Array.from({ length: count }, (_, index) => patterns.see(of(index))).flat()
  return { each, pass: (seconds: number) => (now += seconds) }
}

test('A30 one password on ten names is spraying, from however many networks, and is told once', () => {
  const { each } = scene()
  const sprayed = (index: number) => ({ network: `${index}`, name: `person${index}`, password: 'spring' })
  expect(each(9, sprayed)).toEqual([])
  expect(each(30, sprayed)).toEqual([SPRAYING])
})

test('A30 twenty names with as many passwords from one network are stuffing, and are told once', () => {
  const { each } = scene()
  const stuffed = (index: number) => ({ network: 'here', name: `person${index}`, password: `stolen ${index}` })
  expect(each(19, stuffed)).toEqual([])
  expect(each(50, stuffed)).toEqual([STUFFING])
})

test.each([
  [
    'one person who tries all passwords they have',
    (index: number) => ({ network: 'a', name: 'ada', password: `${index}` }),
  ],
  ['one person who tries one password often', () => ({ network: 'a', name: 'ada', password: 'spring' })],
  ['people at many places', (index: number) => ({ network: `${index}`, name: `${index}`, password: `${index}` })],
])('%s: neither', (_, of) => {
  expect(scene().each(60, of)).toEqual([])
})

test('forgets after a quarter of an hour, and then tells again', () => {
  const { each, pass } = scene()
  const sprayed = (index: number) => ({ network: 'here', name: `person${index}`, password: 'spring' })
  each(9, sprayed)
  pass(900)
  expect(each(9, sprayed)).toEqual([])
  expect(each(10, sprayed)).toEqual([SPRAYING])
  pass(900)
  expect(each(10, sprayed)).toEqual([SPRAYING])
})
