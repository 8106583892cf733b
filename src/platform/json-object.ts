/**
 * The members of a JSON object that we wrote ourselves: what stands in them is judged by whoever reads them.
 * @throws SyntaxError, TypeError for anything else
 */
export function parseJsonObject(text: string): Record<string, unknown> {
  const value: unknown = JSON.parse(text)
  if (isJsonObject(value)) return value
  throw new TypeError('a JSON object was expected')
}

/** An object, and neither a list nor null. */
export function isJsonObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
