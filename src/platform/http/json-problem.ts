import { textProblem } from './text-problem.ts'

/** JSON that is deeper than anything the protocol knows costs its readers a stack. */
const MOST_DEPTH = 20

/**
 * A string with what follows it, or a bracket: all that depth and members' names hang on. A string without an end goes on
 * to the end of the text, or every quote in it would be tried as its beginning.
 */
const TOKEN = /"(?:[^"\\]|\\[^]?)*"?(\s*:)?|[{}[\]]/g

/**
 * What is wrong with JSON that is well-formed, or undefined: it is nested too deeply, names a member twice (which of them
 * counts is every reader's own choice, RFC 8259 §4) or `__proto__`, or has a string that is not a text everywhere.
 * Whether it is well-formed is found out by whoever parses it.
 */
export function jsonProblem(text: string): string | undefined {
  const open: Set<string>[] = []
  for (const [token, colon] of text.matchAll(TOKEN)) {
    if (token === '{' || token === '[') open.push(new Set())
    else if (token === '}' || token === ']') open.pop()
    else {
      const string = unquoted(colon === undefined ? token : token.slice(0, -colon.length))
      const problem = textProblem(string) ?? (colon === undefined ? undefined : nameProblem(string, open.at(-1)))
      if (problem !== undefined) return problem
    }
    if (open.length > MOST_DEPTH) return `the JSON is nested more than ${MOST_DEPTH} deep`
  }
  return undefined
}

/** @param names those before it in its object */
function nameProblem(name: string, names: Set<string> | undefined): string | undefined {
  if (name === '__proto__' || names?.has(name)) return `the JSON names the member ${JSON.stringify(name)} wrongly`
  names?.add(name)
  return undefined
}

/** A string as it is read, however it is written; one that is malformed stays as it stands. */
function unquoted(token: string): string {
  try {
    return String(JSON.parse(token))
  } catch {
    return token
  }
}
