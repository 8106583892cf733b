/** JSON that is deeper than anything the protocol knows costs its readers a stack. */
const MOST_DEPTH = 20

/** A string with what follows it, or a bracket: all that depth and members' names hang on. */
const TOKEN = /"(?:[^"\\]|\\.)*"(\s*:)?|[{}[\]]/g

/**
 * What is wrong with JSON that is well-formed, or undefined: it is nested too deeply, names a member twice (which of them
 * counts is every reader's own choice, RFC 8259 §4), or has one named `__proto__`. Whether it is well-formed is found out
 * by whoever parses it.
 */
export function jsonProblem(text: string): string | undefined {
  const open: Set<string>[] = []
  for (const [token, colon] of text.matchAll(TOKEN)) {
    if (token === '{' || token === '[') open.push(new Set())
    else if (token === '}' || token === ']') open.pop()
    else if (colon !== undefined) {
      const name = unquoted(token.slice(0, -colon.length))
      const names = open.at(-1)
      if (name === '__proto__' || names?.has(name))
        return `the JSON has a member ${JSON.stringify(name)} it must not have`
      names?.add(name)
    }
    if (open.length > MOST_DEPTH) return `the JSON is nested more than ${MOST_DEPTH} deep`
  }
  return undefined
}

/** A name as it is read, however it is written; one that is malformed stays as it stands. */
function unquoted(token: string): string {
  try {
    return String(JSON.parse(token))
  } catch {
    return token
  }
}
