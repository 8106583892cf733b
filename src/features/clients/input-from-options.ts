import { readFile } from 'node:fs/promises'
import path from 'node:path'
import { z } from 'zod'
import { parseClaimRule } from '#core/custom-claims/claim-text.ts'
import { AppError } from '#platform/errors.ts'
import type { Terminal } from '#platform/terminal.ts'

/**
 * The options of a command in the spelling of core/clients, with the metadata file read. It judges nothing else.
 * @throws AppError(invalid_input) if the file cannot be read or is not JSON
 */
export async function inputFrom(
  options: Readonly<Record<string, unknown>>,
  terminal: Terminal,
): Promise<Record<string, unknown>> {
  const input = {
    name: options['name'],
    type: options['type'],
    redirect_uris: options['redirectUri'],
    post_logout_redirect_uris: options['postLogoutRedirectUri'],
    backchannel_logout_uri: options['backchannelLogoutUri'],
    scope: options['scope'],
    first_party: options['firstParty'],
    assignment: options['assignment'],
    groups: options['group'],
    require_pkce: options['requirePkce'],
    id_token_claims: options['idTokenClaims'],
    refresh_tokens: options['refreshTokens'],
    claims: claimsFrom(options),
    device_flow: options['deviceFlow'],
    ciba: options['ciba'],
    origin: options['vouched'] === true ? 'administrator' : undefined,
    profile: options['profile'],
  }
  const file = options['metadata']
  return typeof file === 'string' ? { ...input, metadata: await metadataFrom(file, terminal) } : input
}

/** @throws AppError(invalid_input) where claims are given and taken away at once */
function claimsFrom(options: Readonly<Record<string, unknown>>): unknown {
  const { claim, clearClaims } = options
  if (clearClaims !== true) return claim === undefined ? undefined : texts.parse(claim).map(parseClaimRule)
  if (claim === undefined) return []
  throw new AppError('invalid_input', 'Claims are both given and cleared.', { hint: 'Say one of the two.' })
}

const texts = z.array(z.string())

async function metadataFrom(file: string, terminal: Terminal): Promise<unknown> {
  const hint = 'Give a file with one JSON object, such as {"logo_uri": "https://app.example/logo.png"}.'
  const text =
    file === '-' ? await terminal.readStdin() : await contentOf(path.resolve(terminal.callerDir, file), file, hint)
  try {
    return JSON.parse(text)
  } catch (cause) {
    const place = file === '-' ? 'What came on stdin' : `The file ${file}`
    throw new AppError('invalid_input', `${place} is not JSON.`, { hint, cause })
  }
}

async function contentOf(where: string, named: string, hint: string): Promise<string> {
  try {
    return await readFile(where, 'utf8')
  } catch (cause) {
    throw new AppError('invalid_input', `The file ${named} cannot be read.`, { hint, cause })
  }
}
