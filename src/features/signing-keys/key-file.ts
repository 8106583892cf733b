import { open } from 'node:fs/promises'
import path from 'node:path'
import { AppError } from '#platform/errors.ts'
import type { Terminal } from '#platform/terminal.ts'

/** No key is larger; whoever names another file by mistake waits for nothing. */
const MAX_BYTES = 64 * 1024
const OTHERS = 0o077

/**
 * The text of a key file, `-` for stdin. That others on the machine could read the file too is said on stderr, not
 * refused: the damage, if any, is done. @throws AppError(invalid_input)
 */
export async function keyFileText(name: string, terminal: Terminal): Promise<string> {
  if (name === '-') return terminal.readStdin()
  const hint = 'Give a file with one private key in PEM or as JWK, or - for stdin.'
  const file = await open(path.resolve(terminal.callerDir, name)).catch((cause: unknown) => {
    throw new AppError('invalid_input', `The file ${name} cannot be read.`, { hint, cause })
  })
  try {
    const { mode, size } = await file.stat()
    if (size > MAX_BYTES) throw new AppError('invalid_input', `The file ${name} is too large for a key.`, { hint })
    if ((mode & OTHERS) !== 0 && process.platform !== 'win32')
      terminal.say(`Warning: others on this machine can open ${name}. Delete it, or chmod 600 it.\n`)
    return await file.readFile('utf8')
  } catch (cause) {
    if (cause instanceof AppError) throw cause
    throw new AppError('invalid_input', `The file ${name} cannot be read.`, { hint, cause })
  } finally {
    await file.close()
  }
}
