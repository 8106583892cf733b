import { randomBytes } from 'node:crypto'
import {
  closeSync,
  fsyncSync,
  linkSync,
  mkdirSync,
  openSync,
  readFileSync,
  statSync,
  unlinkSync,
  writeSync,
} from 'node:fs'
import { join } from 'node:path'
import { AppError } from '#platform/errors.ts'
import { MASTER_KEY_BYTES } from './secrets.ts'

const FILE_NAME = 'master.key'

/**
 * The master key of this installation: read from `<folder>/master.key`, which is made (mode 0600) where there is none.
 * Of several processes that start at once on an empty folder one makes it and all read that one.
 * @throws AppError(configuration) for a folder that cannot be written, and a file that others can read or that holds no key
 */
export function loadMasterKey(folder: string): Buffer {
  return readMasterKey(folder) ?? createMasterKey(folder)
}

/**
 * The key in the folder, or undefined where there is none; makes nothing.
 * @throws AppError(configuration) for a file that others can read or that holds no key
 */
export function readMasterKey(folder: string): Buffer | undefined {
  const path = join(folder, FILE_NAME)
  const mode = modeOf(path)
  if (mode === undefined) return undefined
  if (process.platform !== 'win32' && (mode & 0o077) !== 0) {
    throw new AppError('configuration', `${path} can be read by other users of this machine.`, {
      hint: `Run: chmod 600 ${path}`,
    })
  }
  return parseMasterKey(readText(path), path)
}

/**
 * @param text 32 bytes, base64url
 * @param origin names the file or setting in the error; the text itself is never echoed
 */
export function parseMasterKey(text: string, origin: string): Buffer {
  const trimmed = text.trim()
  const key = Buffer.from(trimmed, 'base64url')
  if (key.length === MASTER_KEY_BYTES && key.toString('base64url') === trimmed) return key
  throw new AppError(
    'configuration',
    `${origin} does not hold a master key (32 bytes as 43 characters of base64url).`,
    {
      hint: 'Restore it from your backup. Only for a new installation without data: remove it and start again.',
    },
  )
}

function createMasterKey(folder: string): Buffer {
  const path = join(folder, FILE_NAME)
  const draft = `${path}.${process.pid}.${randomBytes(4).toString('hex')}`
  try {
    mkdirSync(folder, { recursive: true })
    const file = openSync(draft, 'wx', 0o600)
    writeSync(file, `${randomBytes(MASTER_KEY_BYTES).toString('base64url')}\n`)
    fsyncSync(file)
    closeSync(file)
    publish(draft, path)
  } catch (cause) {
    throw new AppError('configuration', `${path} cannot be written (${codeOf(cause)}).`, {
      hint: 'Make the folder writable for the user that runs Latchkey, or name another one with KEYS_DIR.',
      cause,
    })
  }
  const key = readMasterKey(folder)
  if (!key) throw new AppError('configuration', `${path} vanished while it was being made.`)
  return key
}

/** A link appears whole or not at all, and never replaces a key that another process has just made. */
function publish(draft: string, path: string): void {
  try {
    linkSync(draft, path)
  } catch (error) {
    if (codeOf(error) !== 'EEXIST') throw error
  } finally {
    unlinkSync(draft)
  }
}

function modeOf(path: string): number | undefined {
  try {
    return statSync(path).mode
  } catch (error) {
    if (['ENOENT', 'ENOTDIR'].includes(codeOf(error))) return undefined
    throw unreadable(path, error)
  }
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    throw unreadable(path, error)
  }
}

function unreadable(path: string, cause: unknown): AppError {
  return new AppError('configuration', `${path} cannot be read (${codeOf(cause)}).`, {
    hint: 'Make it readable for the user that runs Latchkey, and for nobody else.',
    cause,
  })
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : String(error)
}
