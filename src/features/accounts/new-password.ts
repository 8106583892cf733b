import type { OptionSpec } from '#platform/cli.ts'
import { AppError } from '#platform/errors.ts'
import type { Terminal } from '#platform/terminal.ts'

export const passwordStdinOption: OptionSpec = {
  flags: '--password-stdin',
  description: 'take the password from stdin; without it, it is asked for',
}

/**
 * The password to be set: all of stdin where that was asked for, else what the person at the terminal types twice;
 * undefined where nobody can be asked. @throws AppError(invalid_input) if the two differ
 */
export async function newPassword(
  options: Readonly<Record<string, unknown>>,
  terminal: Terminal,
): Promise<string | undefined> {
  if (options['passwordStdin'] === true) return terminal.readStdin()
  if (!terminal.isInteractive) return undefined
  const first = await terminal.askSecret('New password')
  const second = await terminal.askSecret('The same once more')
  if (first === second) return first
  throw new AppError('invalid_input', 'The two passwords differ. Nothing was saved.', { hint: 'Try again.' })
}
