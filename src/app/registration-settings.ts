/** The settings of software that registers itself, and the group that is made of them. */
import { z } from 'zod'
import type { Settings } from '#core/services.ts'
import { REGISTRATION_MODES } from '#core/registration/mode.ts'
import { refine, seconds, setting, words } from './setting-rules.ts'

const DAY = 86_400

export const REGISTRATION_SETTINGS = {
  registration: setting({
    name: 'REGISTRATION',
    schema: z.enum(REGISTRATION_MODES, `must be one of ${REGISTRATION_MODES.join(', ')}`),
    default: 'off',
    sentence:
      'Whether software may register itself at /register (RFC 7591): `off`, `token` with a token of `latchkey registration-token create`, or `open`, where anybody may.',
    example: 'token',
  }),
  clientIdMetadataDocumentHosts: setting({
    name: 'CLIENT_ID_METADATA_DOCUMENT_HOSTS',
    schema: z.string().transform(words).superRefine(refine(hostsProblem)),
    default: '',
    defaultWords: 'none',
    sentence:
      'Hosts, separated by commas, whose documents software may use as its client id instead of being registered (Client ID Metadata Documents); `*.app.example` for all below a domain, `*` for any.',
    example: 'app.example',
  }),
  registrationUnusedSeconds: seconds(
    'REGISTRATION_UNUSED_SECONDS',
    30 * DAY,
    [3_600, 10 * 365 * DAY],
    'Software that registered itself so long ago and that nobody ever signed in to is removed.',
  ),
}

function hostsProblem(hosts: readonly string[]): string | undefined {
  const wrong = hosts.find((host) => host !== '*' && !/^(\*\.)?[a-z0-9-]+(\.[a-z0-9-]+)*$/.test(host))
  return wrong === undefined ? undefined : `holds ${wrong}: write hosts such as app.example, without https:// and port`
}

interface Values {
  readonly clientIdMetadataDocumentHosts: readonly string[]
  readonly registration: Settings['registration']['mode']
  readonly registrationUnusedSeconds: number
}

export function registrationGroup(values: Values): Settings['registration'] {
  return {
    mode: values.registration,
    unusedSeconds: values.registrationUnusedSeconds,
    documentHosts: values.clientIdMetadataDocumentHosts,
  }
}
