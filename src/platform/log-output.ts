/**
 * Where the lines of the log go. A full disk, or a pipe that nobody reads, must not hold up a request, grow the memory
 * or end the process: what finds no room is dropped and counted, and the count is the first line once there is room.
 */
import { fstatSync, writeSync } from 'node:fs'

export interface Output {
  write(line: string): void
}

/** How much waits for a slow reader. */
const MOST_WAITING_BYTES = 1_048_576
/** Lines for a pipe wait so long for each other, up to so much: a call of the system costs more than the line itself. */
const TOGETHER_MS = 5
const TOGETHER_BYTES = 16_384
const STDOUT = 1

/** Stdout: a pipe is written to without waiting for its reader, everything else at once. */
export function stdoutOutput(): Output {
  const kind = fstatSync(STDOUT)
  const isPipe = kind.isFIFO() || kind.isSocket()
  return countingDrops(isPipe ? toPipe(process.stdout) : toFile(STDOUT))
}

/** Takes a line, or says no. */
type Sink = (line: string) => boolean

function countingDrops(sink: Sink): Output {
  let dropped = 0
  return {
    write(line) {
      if (
        dropped > 0 &&
        sink(`${JSON.stringify({ level: 'warn', time: Date.now(), dropped, msg: 'lines were lost' })}\n`)
      )
        dropped = 0
      if (dropped > 0 || !sink(line)) dropped += 1
    },
  }
}

function toPipe(stream: NodeJS.WriteStream): Sink {
  // one listener, however many logs a process opens
  if (!stream.listeners('error').includes(readerIsGone)) stream.on('error', readerIsGone)
  let lines = ''
  const flush = (): void => {
    process.off('exit', flush)
    if (lines !== '') stream.write(lines)
    lines = ''
  }
  const flushSoon = (): void => {
    process.once('exit', flush)
    setTimeout(flush, TOGETHER_MS)
  }
  return (line) => {
    if (stream.destroyed || stream.writableLength + lines.length > MOST_WAITING_BYTES) return false
    if (lines === '') flushSoon()
    lines += line
    if (lines.length >= TOGETHER_BYTES) flush()
    return true
  }
}

/** The stream is destroyed then, which says it all. */
function readerIsGone(): void {}

function toFile(fd: number): Sink {
  let torn = ''
  return (line) => {
    const bytes = Buffer.from(torn + line)
    try {
      const written = writeSync(fd, bytes)
      // what follows a line that found half its room begins a new one
      torn = written < bytes.length ? '\n' : ''
      return written === bytes.length
    } catch {
      return false
    }
  }
}
