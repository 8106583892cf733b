// The table of types in docs/audit.md is the list in the code.
import { expect, test } from 'vitest'
import { AUDIT_TYPES } from '#core/audit/event.ts'
import { textOf } from './markdown.ts'

test('docs/audit.md names every type there is, and no other', () => {
  const [, table = ''] = /## Types\n([^#]*)/.exec(textOf('docs/audit.md')) ?? []
  const rows = table.split('\n').flatMap((line) => [...(line.split('|')[1] ?? '').matchAll(/`([a-z_]+\.[a-z_]+)`/g)])
  expect(rows.map(([, type]) => type).toSorted()).toEqual(AUDIT_TYPES.toSorted())
})
