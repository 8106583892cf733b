import type { Setting } from '#platform/settings.ts'
import { SETTINGS } from './config.ts'

const TABLE: readonly Setting[] = Object.values(SETTINGS)

/** The text of `.env.example`: every setting, switched off, with its sentence above it. */
export function envExample(): string {
  const entries = TABLE.map(
    (setting) =>
      `# ${setting.sentence}\n# Default: ${defaultOf(setting)}\n#${setting.name}=${setting.example ?? setting.default ?? ''}\n`,
  )
  return `# Settings of Latchkey. Copy this file to .env, take away the # in front of what you change.
# The environment wins over this file. NAME_FILE=/path reads the value of NAME from a file.

${entries.join('\n')}`
}

/** The text of docs/configuration.md. */
export function configurationPage(): string {
  const rows = TABLE.map((setting) => `| \`${setting.name}\` | ${code(defaultOf(setting))} | ${setting.sentence} |`)
  return `# Settings

Settings come from the environment, or from a file \`.env\` in the program's folder; the environment wins. An empty
value counts as absent. Every setting can be read from a file: \`NAME_FILE=/run/secrets/name\` stands for \`NAME\`.
Unknown names in \`.env\` are refused, and all problems are told at once (exit code 78). \`npx latchkey config check\`
gives the verdict of a start without starting. Relative paths start at the program's folder.

| setting | default | |
|---|---|---|
${rows.join('\n')}

This page is made from the table in src/app/config.ts by \`npx latchkey config docs\`; a check fails when it is stale.
`
}

function defaultOf({ default: value, defaultWords }: Setting): string {
  return defaultWords ?? (value === undefined || value === '' ? 'none' : value)
}

function code(text: string): string {
  return /\s/.test(text) || text === 'none' ? text : `\`${text}\``
}
