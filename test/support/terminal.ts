// A terminal that writes down what it is told, for commands that run inside the test's own process.
import type { Terminal } from '#platform/terminal.ts'

export interface CapturedTerminal {
  terminal: Terminal
  stdout: () => string
  stderr: () => string
}

export interface TerminalScript {
  /** What is piped in. */
  stdin?: string
  /** Given, a person sits there: what they say to a question, and what they type unseen. */
  answers?: { confirm?: boolean; secret?: string }
  callerDir?: string
}

/** Nobody sits there unless `answers` are given; a question that has no answer in the script fails the test. */
export function captureTerminal({
  stdin = '',
  answers,
  callerDir = process.cwd(),
}: TerminalScript = {}): CapturedTerminal {
  const written = { out: '', err: '' }
  return {
    stdout: () => written.out,
    stderr: () => written.err,
    terminal: {
      isInteractive: answers !== undefined,
      callerDir,
      out: (text) => void (written.out += text),
      say: (text) => void (written.err += text),
      confirm: async (question) => answerOf(question, answers?.confirm),
      askSecret: async (question) => answerOf(question, answers?.secret),
      readStdin: async () => stdin.replace(/\r?\n$/, ''),
    },
  }
}

function answerOf<T>(question: string, answer: T | undefined): T {
  if (answer === undefined) throw new Error(`the test has no answer to: ${question}`)
  return answer
}
