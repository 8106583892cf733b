/** What stands before an id: in words, in JSON, in the log, in a header, on a page. */
const LABELLED = /(?:error|request)[ _-]?id\W{1,6}([0-9a-z]{12})(?![0-9a-z])/gi
const ALONE = /^\W*([0-9a-z]{12})\W*$/i

/**
 * The id in whatever was pasted: the id itself, the words that were told, an answer's JSON or headers, a whole address
 * that somebody was sent back to; undefined where there is none. Of several the last is ours: what an application had in
 * its address stands before it.
 */
export function errorIdIn(pasted: string): string | undefined {
  const text = decoded(decoded(pasted))
  const id = [...text.matchAll(LABELLED)].at(-1)?.[1] ?? ALONE.exec(text)?.[1]
  // letters that are no part of an id are digits that somebody misread (Crockford's base 32)
  return id?.toLowerCase().replaceAll('o', '0').replaceAll(/[il]/g, '1')
}

/** As in an address; what is no encoding of anything stays. Logs and addresses within addresses encode twice. */
function decoded(text: string): string {
  return text
    .replaceAll('+', ' ')
    .replaceAll(/%([2-7][0-9a-f])/gi, (_, code: string) => String.fromCharCode(Number.parseInt(code, 16)))
}
