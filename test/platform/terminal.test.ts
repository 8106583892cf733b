// What commands print is text, wherever it came from.
import { afterEach, expect, test, vi } from 'vitest'
import { processTerminal } from '#platform/terminal.ts'

afterEach(() => vi.restoreAllMocks())

test('A114 a terminal is sent no control characters, but for tabs and the ends of lines', () => {
  const written: unknown[] = []
  for (const stream of [process.stdout, process.stderr])
    vi.spyOn(stream, 'write').mockImplementation((text) => written.push(text) > 0)
  const terminal = processTerminal('/')
  terminal.out('a\tname\n\u001b]0;title\u0007\u009b2J\r')
  terminal.say('line 7: \u001b[2J: nothing of this name\n')
  expect(written).toEqual(['a\tname\n\ufffd]0;title\ufffd\ufffd2J\ufffd', 'line 7: \ufffd[2J: nothing of this name\n'])
})

test('questions have the usual width on a terminal that does not know its own', () => {
  const { isTTY, columns } = process.stderr
  try {
    Object.assign(process.stderr, { isTTY: true, columns: 0 })
    processTerminal('/')
    expect(process.stderr.columns).toBe(80)
    process.stderr.columns = 132
    processTerminal('/')
    expect(process.stderr.columns).toBe(132)
  } finally {
    Object.assign(process.stderr, { isTTY, columns })
  }
})
