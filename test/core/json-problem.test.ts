import { describe, expect, test } from 'vitest'
import { jsonProblem } from '#platform/http/json-problem.ts'

describe('JSON from outside', () => {
  test.each([
    '{}',
    '[1,2,"a"]',
    '{"a":{"a":1},"b":[{"a":1},{"a":2}]}',
    '{"a":"\\"b\\":","b":"b"}',
    '{"text":"line\\nline","emoji":"😀 \\ud83d\\ude00"}',
    `${'['.repeat(20)}${']'.repeat(20)}`,
    'no JSON at all',
  ])('has nothing wrong with it: %j', (text) => {
    expect(jsonProblem(text)).toBeUndefined()
  })

  test.each([
    ['a member twice', '{"a":1,"b":{"a":1},"a":2}'],
    ['a member twice, written otherwise', '{"a":1,"\\u0061" : 2}'],
    ['the prototype', '{"b":[{"__proto__":1}]}'],
    ['the prototype, written otherwise', '{"\\u005f_proto__":1}'],
    ['too many brackets', '['.repeat(21)],
    ['a NUL in a text', '["a\\u0000b"]'],
    ['a NUL in a name', '{"a\\u0000b":1}'],
    ['half a character', '["\\ud800"]'],
  ])('is refused with %s', (_, text) => {
    expect(jsonProblem(text)).toBeTypeOf('string')
  })
})
