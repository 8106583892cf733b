/**
 * The members of a JSON object that we wrote ourselves: what stands in them is judged by whoever reads them.
 * @throws SyntaxError, TypeError for anything else
 */
export function parseJsonObject(text: string): Record<string, unknown> {
  const value: unknown = JSON.parse(text)
  if (isObject(value)) return value
  throw new TypeError('a JSON object was expected')
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
