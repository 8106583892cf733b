import { confirm, isCancel, password } from '@clack/prompts'
import { AppError } from './errors.ts'

/** The person or script at the other end of a command. */
export interface Terminal {
  /** stdin and stderr are a terminal: questions can be asked. */
  readonly isInteractive: boolean
  /** How many characters a line of stdout has on the screen; undefined where stdout is none. */
  readonly columns?: number | undefined
  /** The folder the caller stands in: relative file arguments start there. */
  readonly callerDir: string
  /** To stdout: the product. */
  out(text: string): void
  /** To stderr: the talk. */
  say(text: string): void
  confirm(question: string): Promise<boolean>
  /** Asks without echo. @throws AppError(forbidden) if the person turns away */
  askSecret(question: string): Promise<string>
  /** All of stdin, with one final newline dropped. */
  readStdin(): Promise<string>
}

const USUAL_COLUMNS = 80

/** The terminal of this process. Questions go to stderr, so that stdout stays clean. */
export function processTerminal(callerDir: string): Terminal {
  const prompt = { input: process.stdin, output: process.stderr }
  // one that does not know its width says 0, and questions would stand on it letter by letter
  if (process.stderr.isTTY && process.stderr.columns === 0) process.stderr.columns = USUAL_COLUMNS
  process.stdout.on('error', endQuietly)
  return {
    isInteractive: process.stdin.isTTY === true && process.stderr.isTTY === true,
    // some terminals say 0
    columns: process.stdout.columns > 0 ? process.stdout.columns : undefined,
    callerDir,
    out: (text) => void process.stdout.write(printable(text)),
    say: (text) => void process.stderr.write(printable(text)),
    confirm: async (message) => answered(await confirm({ message, initialValue: false, ...prompt })),
    // an empty answer comes as undefined
    askSecret: async (message) => answered(await password({ message, ...prompt })) ?? '',
    async readStdin() {
      const chunks: Buffer[] = []
      for await (const chunk of process.stdin) chunks.push(Buffer.from(chunk))
      return Buffer.concat(chunks)
        .toString('utf8')
        .replace(/\r?\n$/, '')
    },
  }
}

/** Whoever reads has enough, as `head` has, and nobody is left to be told anything. */
function endQuietly(error: NodeJS.ErrnoException): void {
  if (error.code !== 'EPIPE') throw error
  process.exit()
}

/** What came from a file or a database must not move the cursor of whoever reads it, or worse. */
function printable(text: string): string {
  return text.replaceAll(/[^\P{Cc}\n\t]/gu, '\ufffd')
}

function answered<T>(answer: T): Exclude<T, symbol> {
  if (isCancel(answer)) throw new AppError('forbidden', 'Nothing was done.')
  // boundary: the prompts library marks a cancelled answer with a symbol of its own, and there is no other
  return answer as Exclude<T, symbol>
}
