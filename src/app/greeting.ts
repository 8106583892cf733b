import { styleText } from 'node:util'
import type { Services } from '#core/services.ts'

/** What a person reads when the server is ready: where discovery is, and what to do next. For stderr. */
export async function greeting({ settings, clients }: Pick<Services, 'settings' | 'clients'>): Promise<string> {
  const bold = (text: string) => styleText('bold', text, { stream: process.stderr })
  const ready = `\n${bold('Latchkey is ready.')}\n  Discovery  ${settings.issuer}/.well-known/openid-configuration\n`
  const { items } = await clients.list({ limit: 1 })
  if (items.length > 0) return `${ready}\n`
  return `${ready}
Next, in another terminal, a person and an application to sign in to:
  npx latchkey user create --email you@example.com --given-name Your --family-name Name
  npx latchkey client create --name "My app" --redirect-uri http://localhost:8080/callback

`
}
