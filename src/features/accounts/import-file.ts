/**
 * The people in a file, one after the other. A file of JSON lines is read as it goes, however long it is; a JSON array,
 * and an export of Keycloak, which keeps its people in `users`, have to fit into memory.
 */
import { createReadStream } from 'node:fs'
import { open, readFile, stat } from 'node:fs/promises'
import path from 'node:path'
import { AppError } from '#platform/errors.ts'
import { isJsonObject } from '#platform/json-object.ts'
import type { Terminal } from '#platform/terminal.ts'

export interface PersonInFile {
  /** Where a person at an editor finds them: `line 7`, or `person 7` of a list. */
  readonly place: string
  /** Undefined for what is no JSON. */
  readonly person: unknown
}

const MOST_BYTES_AT_ONCE = 128 * 1_024 * 1_024
/** No file of lines has longer ones; what is longer is a list or an export on one line. */
const MOST_BYTES_OF_A_LINE = 64 * 1_024

/** @throws AppError(invalid_input) where the file cannot be read, or is in none of the forms */
export async function* peopleIn(
  name: string,
  { callerDir }: Pick<Terminal, 'callerDir'>,
): AsyncGenerator<PersonInFile> {
  const file = path.resolve(callerDir, name)
  const readable = await stat(file).catch((cause: unknown) => {
    throw new AppError('invalid_input', `The file ${name} cannot be read.`, { hint: FORMS, cause })
  })
  if (!readable.isFile())
    throw new AppError('invalid_input', `${name} is no file.`, {
      hint: `It is read twice, so no pipe will do. ${FORMS}`,
    })
  if (await isOfLines(file)) yield* linesOf(file)
  else if (readable.size <= MOST_BYTES_AT_ONCE) yield* listOf(withoutMark(await readFile(file, 'utf8')), name)
  else
    throw new AppError('invalid_input', `The file ${name} is too large to be read at once.`, {
      hint: "Make one line of each person, which has no limit: jq -c '.users[]' export.json > people.jsonl",
    })
}

const FORMS = 'Give a file with one JSON object a line, a JSON array of people, or an export of Keycloak.'

/** Does the first line that is not empty hold one person, and all of them? */
async function isOfLines(file: string): Promise<boolean> {
  const lines = (await beginningOf(file)).split('\n').map((line) => withoutMark(line).trim())
  const first = jsonIn(lines.find((line) => line !== '') ?? '')
  return isJsonObject(first) && !Array.isArray(first['users'])
}

/** What is longer than this is cut off, and so no JSON any more. */
async function beginningOf(file: string): Promise<string> {
  const opened = await open(file)
  try {
    const { buffer, bytesRead } = await opened.read({ buffer: Buffer.alloc(MOST_BYTES_OF_A_LINE) })
    return buffer.toString('utf8', 0, bytesRead)
  } finally {
    await opened.close()
  }
}

async function* linesOf(file: string): AsyncGenerator<PersonInFile> {
  for await (const { number, text } of textsOf(file)) yield { place: `line ${number}`, person: jsonIn(text) }
}

/** Lines that are not empty. */
async function* textsOf(file: string): AsyncGenerator<{ readonly number: number; readonly text: string }> {
  let number = 0
  for await (const line of piecesOf(createReadStream(file, 'utf8'))) {
    number += 1
    if (line.length > MOST_BYTES_OF_A_LINE)
      throw new AppError('invalid_input', `Line ${number} of the file is too long for one person.`, {
        hint: 'Mend it, and run the import again: whoever is there already stays as they are.',
      })
    const text = withoutMark(line).trim()
    if (text.includes(NOT_UTF8)) throw notUtf8(`Line ${number} of the file`)
    if (text !== '') yield { number, text }
  }
}

/** What stands between line feeds. Node's readline would also end a line at U+2028, which JSON has inside a text. */
async function* piecesOf(chunks: AsyncIterable<string>): AsyncGenerator<string> {
  let rest = ''
  for await (const chunk of chunks) {
    const pieces = `${rest}${chunk}`.split('\n')
    rest = pieces.pop() ?? ''
    yield* pieces
    // its end is not waited for: it may be the whole rest of the file
    if (rest.length > MOST_BYTES_OF_A_LINE) yield rest
  }
  yield rest
}

function* listOf(text: string, name: string): Generator<PersonInFile> {
  if (text.includes(NOT_UTF8)) throw notUtf8(`The file ${name}`)
  const content = jsonIn(text)
  const people = isJsonObject(content) ? content['users'] : content
  if (!Array.isArray(people)) throw new AppError('invalid_input', `The file ${name} holds no people.`, { hint: FORMS })
  for (const [index, person] of people.entries()) yield { place: `person ${index + 1}`, person }
}

function jsonIn(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** What stands in the place of bytes that are no UTF-8. */
const NOT_UTF8 = '\uFFFD'

function notUtf8(what: string): AppError {
  return new AppError('invalid_input', `${what} is not in UTF-8.`, {
    hint: 'Convert it, for example with iconv, and run the import again.',
  })
}

/** Some editors begin a file with a mark for its byte order. */
function withoutMark(text: string): string {
  return text.replace(/^\uFEFF/, '')
}
