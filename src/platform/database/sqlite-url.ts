const PROTOCOL = 'sqlite:'

export function sqliteUrl(file: string): string {
  return `${PROTOCOL}${file}`
}

/** The file that the URL names; undefined for a database in memory, or of another kind. */
export function sqliteFileIn(url: string): string | undefined {
  const file = url.startsWith(PROTOCOL) ? url.slice(PROTOCOL.length) : ':memory:'
  return file === ':memory:' ? undefined : file
}
