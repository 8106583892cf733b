import { bodyParser } from '@koa/bodyparser'
import type { Context, Middleware } from 'koa'
import { AppError } from '#platform/errors.ts'

const parse = bodyParser({ enableTypes: ['form'], formLimit: '56kb', encoding: 'utf-8' })

/**
 * The fields of a posted form, each at most once.
 * @throws AppError(invalid_input) for another content type, a repeated field, a field with structure
 */
export async function readForm(ctx: Context): Promise<Readonly<Record<string, string>>> {
  if (!ctx.is('application/x-www-form-urlencoded'))
    throw new AppError('invalid_input', 'The server expected a form.', { hint: 'Go back and try again.' })
  await parse(ctx, async () => {})
  const fields: Record<string, string> = {}
  for (const [name, value] of Object.entries(ctx.request.body ?? {})) {
    if (typeof value !== 'string')
      throw new AppError('invalid_input', 'The form holds a field more than once.', { hint: 'Go back and try again.' })
    fields[name] = value
  }
  return fields
}

/**
 * Refuses a request that another site made the browser send. A missing Origin or Sec-Fetch-Site is no refusal:
 * scripts send none; `Origin: null` is what browsers send for our own forms (see headers.ts).
 */
export function refuseForeignOrigin(origin: string): Middleware {
  return async (ctx, next) => {
    if (ctx.method === 'POST' && isForeign(ctx, origin)) {
      throw new AppError('forbidden', 'The request came from another site.', {
        hint: 'Open the page of this server itself and try again.',
        told: { message: 'foreign', hint: 'hint.own-page' },
      })
    }
    await next()
  }
}

function isForeign(ctx: Context, origin: string): boolean {
  const from = ctx.get('Origin')
  const site = ctx.get('Sec-Fetch-Site')
  return (
    (from !== '' && from !== 'null' && from !== origin) || (site !== '' && site !== 'same-origin' && site !== 'none')
  )
}
