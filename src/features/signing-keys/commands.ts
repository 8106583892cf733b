import { z } from 'zod'
import { SIGNING_ALGORITHMS } from '#core/signing-keys/algorithms.ts'
import type { SigningKeys } from '#core/signing-keys/signing-keys.ts'
import type { CommandGroup, CommandSpec } from '#platform/cli.ts'
import { keyFileText } from './key-file.ts'
import { importText, keyJson, keyTable, retirementText, rotationText } from './key-text.ts'

interface Needs {
  readonly signingKeys: SigningKeys
}

const givenOptions = z.object({
  alg: z.enum(SIGNING_ALGORITHMS).exactOptional(),
  current: z.boolean().default(false),
})

const list: CommandSpec<Needs> = {
  verb: 'list',
  summary: 'Show the keys that sign tokens, and what becomes of them when.',
  async run({ needs }) {
    const keys = await needs.signingKeys.list()
    return {
      json: { items: keys.map(keyJson), next: null },
      text: keys.length > 0 ? keyTable(keys) : 'There are no signing keys yet.',
    }
  },
}

const rotate: CommandSpec<Needs> = {
  verb: 'rotate',
  summary: 'Publish a new key now that takes over signing once every verifier can know it.',
  options: [
    {
      flags: '--alg <alg>',
      description: 'only this algorithm; without it, every one in use',
      choices: [...SIGNING_ALGORITHMS],
    },
  ],
  async run({ needs, options }) {
    const rotations = await needs.signingKeys.rotate(givenOptions.parse(options).alg)
    const items = rotations.map(({ key, predecessor }) => ({ ...keyJson(key), replaces: keyJson(predecessor) }))
    return { json: { items, next: null }, text: rotations.map(rotationText).join('\n') }
  },
}

const importKey: CommandSpec<Needs> = {
  verb: 'import',
  summary: 'Take over a private key that was made elsewhere (PEM or JWK; - reads stdin).',
  arguments: ['<file>'],
  options: [
    {
      flags: '--alg <alg>',
      description: 'what it signs; without it, what the key allows, and RS256 for RSA',
      choices: [...SIGNING_ALGORITHMS],
    },
    {
      flags: '--current',
      description: 'sign with it at once, for applications that know it already; without it, as rotate does',
    },
  ],
  async run({ needs, args: [file = ''], options, terminal }) {
    const { alg, current } = givenOptions.parse(options)
    const text = await keyFileText(file, terminal)
    const done = await needs.signingKeys.import({ text, alg, current })
    if (current) terminal.say('Warning: applications with a cached JWKS refuse its tokens until they fetch it again.\n')
    return {
      json: { ...keyJson(done.key), changed: done.changed.map(keyJson) },
      text: importText(done),
    }
  },
}

const retire: CommandSpec<Needs> = {
  verb: 'retire',
  summary: 'Take a key out of the JWKS now, for one that others got hold of; what it signed no longer verifies.',
  arguments: ['<kid>'],
  confirm: ([kid = '']) => `Retire ${kid} now? Tokens that it signed will not verify any more.`,
  async run({ needs, args: [kid = ''] }) {
    const done = await needs.signingKeys.retire(kid)
    return { json: { ...keyJson(done.key), current: keyJson(done.current) }, text: retirementText(done) }
  },
}

export const keyCommands: CommandGroup<Needs> = {
  noun: 'key',
  summary: 'Keys that sign tokens.',
  commands: [list, rotate, importKey, retire],
}
