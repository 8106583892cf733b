import { z } from 'zod'
import { SIGNING_ALGORITHMS } from '#core/signing-keys/algorithms.ts'
import type { Rotation, SigningKey, SigningKeys } from '#core/signing-keys/signing-keys.ts'
import type { CommandGroup, CommandSpec } from '#platform/cli.ts'

interface Needs {
  readonly signingKeys: SigningKeys
}

const rotateOptions = z.object({ alg: z.enum(SIGNING_ALGORITHMS).exactOptional() })

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
    const rotations = await needs.signingKeys.rotate(rotateOptions.parse(options).alg)
    return { json: { items: rotations.map(rotationJson), next: null }, text: rotations.map(rotationText).join('\n') }
  },
}

export const keyCommands: CommandGroup<Needs> = {
  noun: 'key',
  summary: 'Keys that sign tokens.',
  commands: [list, rotate],
}

function keyJson(key: SigningKey) {
  return {
    kid: key.kid,
    alg: key.alg,
    state: key.state,
    created_at: key.createdAt,
    activates_at: key.activatesAt,
    retires_at: key.retiresAt ?? null,
    gone_at: key.goneAt ?? null,
  }
}

function rotationJson({ key, predecessor }: Rotation) {
  return { ...keyJson(key), replaces: keyJson(predecessor) }
}

function rotationText({ key, predecessor }: Rotation): string {
  return [
    `${key.alg}: ${key.kid} is published now and signs from ${humanTime(key.activatesAt)}.`,
    `  Until then ${predecessor.kid} signs, and it stays published until ${humanTime(predecessor.goneAt)}.`,
  ].join('\n')
}

function keyTable(keys: readonly SigningKey[]): string {
  return aligned([
    ['ALG', 'STATE', 'SIGNS FROM', 'SIGNS UNTIL', 'PUBLISHED UNTIL', 'KID'],
    ...keys.map((key) => [key.alg, key.state, ...[key.activatesAt, key.retiresAt, key.goneAt].map(humanTime), key.kid]),
  ])
}

function aligned(rows: readonly (readonly string[])[]): string {
  const widthOf = (column: number): number => Math.max(...rows.map((row) => row[column]?.length ?? 0))
  return rows
    .map((row) =>
      row
        .map((cell, column) => cell.padEnd(widthOf(column)))
        .join('  ')
        .trimEnd(),
    )
    .join('\n')
}

/** `2026-11-05 14:03:20 UTC` */
function humanTime(seconds: number | undefined): string {
  if (seconds === undefined) return '-'
  return `${new Date(seconds * 1000).toISOString().slice(0, 19).replace('T', ' ')} UTC`
}
