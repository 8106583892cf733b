// What was proven, what it is worth, and what a demand for more leads to.
import { describe, expect, test } from 'vitest'
import {
  amrOf,
  amrOfProofs,
  judgeAcr,
  metAcrs,
  statedAcr,
  SUPPORTED_ACRS,
  type AcrDemand,
  type AcrSituation,
  type AcrVerdict,
  type Proof,
} from '#core/authentication.ts'

const ONE = 'urn:latchkey:acr:1fa'
const MULTI = 'urn:latchkey:acr:mfa'
const password: Proof = { amr: ['pwd'], factors: ['knowledge'] }
const pin: Proof = { amr: ['pin'], factors: ['knowledge'] }
const code: Proof = { amr: ['otp'], factors: ['possession'] }
const key: Proof = { amr: ['swk', 'pop', 'user'], factors: ['possession'] }

describe('amr', () => {
  test('a password is pwd, however often it was given', () => {
    expect(amrOf([])).toEqual([])
    expect(amrOf(['password'])).toEqual(['pwd'])
    expect(amrOf(['password', 'password'])).toEqual(['pwd'])
  })

  test.each<[string, readonly Proof[], string[]]>([
    ['nothing', [], []],
    ['two things known', [password, pin], ['pwd', 'pin']],
    ['a thing known and a thing had', [password, code], ['pwd', 'otp', 'mfa']],
    ['two things had', [code, key], ['otp', 'swk', 'pop', 'user']],
    [
      'a thing had that opens for a finger only',
      [{ ...key, factors: ['possession', 'inherence'] }],
      [...key.amr, 'mfa'],
    ],
  ])('%s: mfa stands for two kinds of proof', (_, proofs, amr) => {
    expect(amrOfProofs(proofs)).toEqual(amr)
  })
})

describe('acr', () => {
  test.each<[readonly string[], string[]]>([
    [[], []],
    [['pwd'], [ONE]],
    [['otp'], [ONE]],
    [['pwd', 'pin'], [ONE]],
    [
      ['pwd', 'otp', 'mfa'],
      [MULTI, ONE],
    ],
    [
      ['pop', 'user'],
      ['phr', ONE],
    ],
    [
      ['swk', 'user', 'mfa'],
      ['phr', MULTI, ONE],
    ],
    [
      ['hwk', 'user', 'mfa'],
      ['phrh', 'phr', MULTI, ONE],
    ],
  ])('%j meets %j', (amr, met) => {
    expect(metAcrs(amr)).toEqual(met)
  })

  test('discovery may list what a password meets, and no more', () => {
    expect(SUPPORTED_ACRS).toEqual([ONE])
  })

  test.each<[string, readonly string[], readonly string[], string | undefined]>([
    ['nobody is signed in', [ONE], [], undefined],
    ['nothing was asked: the strongest', [], ['hwk', 'mfa'], 'phrh'],
    ['a weaker class was asked than was proven', [ONE], ['hwk', 'mfa'], ONE],
    ['several were asked: the first of them that is met', ['phrh', 'phr', MULTI], ['swk', 'mfa'], 'phr'],
    ['the first asked goes before the strongest', [ONE, 'phr'], ['swk', 'mfa'], ONE],
    ['none that was asked is met: what is true', ['phr', 'gold'], ['pwd'], ONE],
  ])('is stated where %s', (_, values, amr, acr) => {
    expect(statedAcr({ values }, amr)).toBe(acr)
  })
})

describe('a demand', () => {
  const wish = (...values: string[]): AcrDemand => ({ values, essential: false })
  const must = (...values: string[]): AcrDemand => ({ values, essential: true })
  const all = ['phr', MULTI, ONE]
  const base: AcrSituation = { amr: ['pwd'], supported: all, justSignedIn: false, silent: false }

  test.each<[string, AcrDemand, Partial<AcrSituation>, AcrVerdict]>([
    ['nothing is asked', wish(), {}, 'go-on'],
    ['nothing is named as essential', must(), {}, 'go-on'],
    ['a wish is met', wish(ONE), {}, 'go-on'],
    ['an essential class is met', must(ONE), {}, 'go-on'],
    ['the second of several is met', must('phr', ONE), {}, 'go-on'],
    ['a stronger sign-in than asked is there', must(ONE), { amr: ['swk', 'mfa'] }, 'go-on'],
    ['a wish could be met', wish(MULTI), {}, 'prove'],
    ['an essential class could be met', must(MULTI), {}, 'prove'],
    ['nobody is signed in', must(ONE), { amr: [] }, 'prove'],
    ['nobody is signed in, and nobody may be asked', must(ONE), { amr: [], silent: true }, 'prove'],
    ['one of several could be met', must('gold', 'phr'), {}, 'prove'],
    ['a wish could be met, but nobody may be asked', wish(MULTI), { silent: true }, 'go-on'],
    ['an essential class could be met, but nobody may be asked', must(MULTI), { silent: true }, 'prove'],
    ['a wish is not met after signing in for it', wish(MULTI), { justSignedIn: true }, 'go-on'],
    ['an essential class is not met after signing in for it', must(MULTI), { justSignedIn: true }, 'unmet'],
    ['a wish cannot be met here', wish(MULTI), { supported: [ONE] }, 'go-on'],
    ['an essential class cannot be met here', must(MULTI), { supported: [ONE] }, 'unmet'],
    ['an unknown class is essential and nobody is signed in', must('gold'), { amr: [] }, 'unmet'],
    ['a name that every object has is essential', must('constructor', '__proto__'), {}, 'unmet'],
  ])('where %s', (_, demand, situation, verdict) => {
    expect(judgeAcr(demand, { ...base, ...situation })).toBe(verdict)
  })
})
