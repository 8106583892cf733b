import { z } from 'zod'
import type { CommandGroup, CommandInput, CommandResult } from '#platform/cli.ts'
import { examine } from './examination.ts'
import { worstOf, type Finding } from './finding.ts'
import type { Installation } from './installation.ts'
import { lookFromOutside, type Outside } from './outside.ts'
import { reportText } from './report.ts'
import { isProxy, PROXIES, proxyIn, snippetFor } from './snippet.ts'

/** Where the doctor finds what it looks at; the command opens it itself, since it may not be fit to be opened. */
export interface Practice {
  /** @throws SettingsError */
  installation(): Promise<Installation>
  /** The folder of files for proxies. */
  readonly proxyFiles: string
}

/** `latchkey doctor`. */
export function doctorCommands(practice: Practice): CommandGroup<undefined> {
  return {
    noun: 'doctor',
    summary: 'Look at the server from outside, through the proxy, and from inside; exit 1 if anything is wrong.',
    commands: [
      {
        verb: '',
        summary: '',
        options: [
          { flags: '--strict', description: 'exit 1 for warnings, too' },
          { flags: '--proxy <name>', description: 'print the configuration of this proxy that fits', choices: PROXIES },
        ],
        run: (input) => diagnose(practice, input),
      },
    ],
  }
}

const shape = z.object({ strict: z.boolean().default(false), proxy: z.string().optional() })

async function diagnose(practice: Practice, { options, terminal }: CommandInput<undefined>): Promise<CommandResult> {
  const { strict, proxy } = shape.parse(options)
  const installation = await practice.installation()
  const outside = await lookFromOutside(installation)
  const examination = examine(installation, outside)
  const findings = [...examination.outside, ...examination.inside]
  const worst = worstOf(findings)
  const advice = adviceOn(proxy, examination.outside, outside)
  const name = isProxy(advice) ? advice : undefined
  const snippet = name && snippetFor(name, practice.proxyFiles, installation)
  const closing = name ? `\n\nFor ${name}, as a beginning:\n\n${snippet}` : advice === undefined ? '' : `\n${advice}`
  return {
    json: { worst, findings, proxy: name && snippet ? { name, configuration: snippet } : null },
    text: `${reportText(installation.issuer, examination, terminal.columns ?? Infinity)}${closing}`,
    refused: worst === 'problem' || (strict && worst === 'warning'),
  }
}

/** The proxy whose configuration is printed: the one asked for, or the one in front of a server that answers, where something is wrong. */
function adviceOn(asked: string | undefined, edge: readonly Finding[], outside: Outside): string | undefined {
  if (asked !== undefined) return asked
  if (worstOf(edge) === 'ok' || !outside.answersAtHome) return undefined
  return proxyIn(outside) ?? `With --proxy ${PROXIES.join('|')} you get a configuration that fits.`
}
