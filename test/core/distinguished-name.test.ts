import { describe, expect, test } from 'vitest'
import { isDistinguishedName, sameDistinguishedName } from '#core/clients/distinguished-name.ts'

describe('the subject of a certificate', () => {
  test.each([
    ['CN=job', 'CN=job'],
    ['CN=job,O=Acme,C=DE', 'C=DE\nO=Acme\nCN=job'],
    ['cn=job, o=Acme, c=DE', 'C=DE\nO=Acme\nCN=job'],
    ['CN=a\\, b\\+c', 'CN=a\\, b\\+c'],
    ['E=x@y.example,CN=a', 'CN=a\nemailAddress=x@y.example'],
    ['1.2.3.4=x', '1.2.3.4=x'],
  ])('%j names %j', (text, subject) => {
    expect(isDistinguishedName(text)).toBe(true)
    expect(sameDistinguishedName(text, subject)).toBe(true)
  })

  test.each([
    ['CN=job', 'CN=jobs'],
    ['CN=job', 'CN=JOB'],
    ['CN=job', 'C=DE\nCN=job'],
    ['CN=job,C=DE', 'CN=job'],
    ['C=DE,CN=job', 'C=DE\nCN=job'],
    ['CN=a', 'CN=a + OU=b'],
    ['CN=a,CN=b', 'CN=b\\0ACN=a'],
    ['CN=a\\\\0A', 'CN=a\\0A'],
    ['OU=job', 'CN=job'],
  ])('%j does not name %j', (text, subject) => {
    expect(sameDistinguishedName(text, subject)).toBe(false)
  })

  test.each([
    '',
    ' ',
    'job',
    'CN=',
    '=job',
    'CN=a+OU=b',
    'CN=#0c0161',
    'CN=a,',
    ',CN=a',
    'CN=a,,C=DE',
    'CN=ä',
    'CN=a\nO=b',
  ])('%j is no name that could be compared', (text) => {
    expect(isDistinguishedName(text)).toBe(false)
  })
})
