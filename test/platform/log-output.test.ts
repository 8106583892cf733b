// F6: the log has no room, since nobody reads it or its disk is full. The server goes on.
import { execFile, spawn, type StdioOptions } from 'node:child_process'
import { openSync } from 'node:fs'
import path from 'node:path'
import { promisify } from 'node:util'
import { describe, expect, test } from 'vitest'

const ROOT = path.resolve(import.meta.dirname, '../..')

/** Logs 20 MB in a process of its own, then one line more when it is told to; it tells on stderr when it has. */
const SCRIPT = `
  import { openLog } from ${JSON.stringify(path.join(ROOT, 'src/platform/log.ts'))}
  const log = openLog({ level: 'info', format: 'json' })
  for (let line = 0; line < 20_000; line += 1) log.info({ filler: 'x'.repeat(1_000) }, 'a line')
  process.stderr.write('logged')
  process.stdin.once('data', () => { log.info('the last line'); process.stdin.destroy() })
`

function logger(stdout: 'pipe' | number) {
  const stdio: StdioOptions = ['pipe', stdout, 'pipe']
  const child = spawn(process.execPath, ['--input-type=module', '--eval', SCRIPT], { stdio, cwd: ROOT })
  const told = new Promise<string>((resolve) =>
    child.stderr?.once('data', (chunk: Buffer) => resolve(chunk.toString())),
  )
  const ended = new Promise<number | null>((resolve) => child.once('close', resolve))
  return { child, told, ended, lastLine: () => child.stdin?.write('go') }
}

describe('a log that finds no room', () => {
  test('F6 is a pipe that nobody reads: lines are dropped, memory stays, and the loss is told once somebody reads', async () => {
    const { child, told, ended, lastLine } = logger('pipe')
    await told
    let text = ''
    child.stdout?.on('data', (chunk: Buffer) => {
      text += chunk.toString()
      if (text.length > 500_000) lastLine()
    })
    expect(await ended).toBe(0)
    const lines = text
      .trim()
      .split('\n')
      .map((line): unknown => JSON.parse(line))
    // 1 MB waited here, and what the system keeps for a pipe
    expect(lines.length).toBeLessThan(5_000)
    expect(lines.at(-2)).toMatchObject({ level: 'warn', msg: 'lines were lost', dropped: 20_000 - (lines.length - 2) })
    expect(lines.at(-1)).toMatchObject({ msg: 'the last line' })
  })

  test('F6 is a pipe whose reader is gone: nothing ends', async () => {
    const { child, told, ended, lastLine } = logger('pipe')
    child.stdout?.destroy()
    expect(await told).toBe('logged')
    lastLine()
    expect(await ended).toBe(0)
  })

  test('listens to the pipe once, however many logs a process opens', async () => {
    const script = `import { openLog } from ${JSON.stringify(path.join(ROOT, 'src/platform/log.ts'))}
      for (let log = 0; log < 20; log += 1) openLog({ level: 'info', format: 'json' })`
    const argv = ['--input-type=module', '--eval', script]
    const { stderr } = await promisify(execFile)(process.execPath, argv, { cwd: ROOT })
    expect(stderr).toBe('')
  })

  test.skipIf(process.platform !== 'linux')('F6 is a disk that is full: nothing ends', async () => {
    const { told, ended, lastLine } = logger(openSync('/dev/full', 'w'))
    expect(await told).toBe('logged')
    lastLine()
    expect(await ended).toBe(0)
  })
})
