/**
 * The rules of speech of the command line: stdout is the product, stderr the talk; exit 0 done, 1 refused, 2 misuse,
 * 78 configuration; every refusal carries a hint. Rooms describe their commands as data; this file turns them into a
 * commander program and runs one. It knows no noun.
 */
import { Command, CommanderError, Option } from 'commander'
import { AppError } from './errors.ts'
import { SettingsError } from './settings.ts'
import type { Terminal } from './terminal.ts'

const EXIT = { done: 0, refused: 1, misuse: 2, configuration: 78 } as const

export interface OptionSpec {
  /** In commander's way: `--name <text>`, `--first-party`, `--no-first-party`. */
  readonly flags: string
  readonly description: string
  /** May be given several times; its value is then a list. */
  readonly repeatable?: boolean
  readonly choices?: readonly string[]
}

export interface CommandInput<Needs> {
  readonly needs: Needs
  /** In the order of `arguments`; commander has made sure that required ones are there. */
  readonly args: readonly string[]
  /** By camel-cased name; absent options are absent. The room parses them with its zod shape. */
  readonly options: Readonly<Record<string, unknown>>
  readonly terminal: Terminal
}

export interface CommandResult {
  /** What `--json` prints: one JSON value. */
  readonly json: unknown
  /** What a person reads on stdout without `--json`. */
  readonly text: string
  /** True where some of what was asked was refused, which the exit code tells, too. */
  readonly refused?: boolean
}

export interface CommandSpec<Needs> {
  readonly verb: string
  readonly summary: string
  /** In commander's way: `<id>`, `[name]`, `<word...>`. */
  readonly arguments?: readonly string[]
  readonly options?: readonly OptionSpec[]
  /** The question asked at a terminal before something is destroyed; `--yes` answers it. */
  readonly confirm?: (args: readonly string[]) => string
  /** What comes piece by piece is printed so; with `--json`, one value a line. */
  run(input: CommandInput<Needs>): Promise<CommandResult | AsyncIterable<CommandResult>>
}

export interface CommandGroup<Needs> {
  readonly noun: string
  readonly summary: string
  readonly commands: readonly CommandSpec<Needs>[]
}

export interface CommandLine<Needs> {
  readonly groups: readonly CommandGroup<Needs>[]
  /** Commands that open what they need themselves. */
  readonly standalone?: readonly CommandGroup<undefined>[]
  /** Opens what commands need; called once a command has been understood, closed when it has run. */
  withNeeds<T>(run: (needs: Needs) => Promise<T>): Promise<T>
  readonly terminal: Terminal
}

/** Runs `latchkey <noun> <verb> …` and returns the exit code. @param argv without node and script */
export async function runCommandLine<Needs>(line: CommandLine<Needs>, argv: readonly string[]): Promise<number> {
  const { terminal } = line
  const wantsJson = argv.includes('--json')
  const ending: Ending = { exit: EXIT.done }
  const program = programOf(line, ending)
  try {
    await program.parseAsync(argv.map(guarded), { from: 'user' })
    return ending.exit
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.done : EXIT.misuse
    return report(error, terminal, wantsJson)
  }
}

/** No argument of a process can hold it. */
const GUARD = '\0'

/** Ids from elsewhere may begin with a dash, as one imported key in 64 does; our options begin with two, but for `-h`. */
function guarded(argument: string): string {
  return /^-[^-]./.test(argument) ? GUARD + argument : argument
}

function unguarded(text: string): string {
  return text.replaceAll(GUARD, '')
}

function unguardedOption(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(unguardedOption)
  return typeof value === 'string' ? unguarded(value) : value
}

/** Where a command that ran leaves how it ended: commander hands nothing back. */
interface Ending {
  exit: number
}

function programOf<Needs>(line: CommandLine<Needs>, ending: Ending): Command {
  const program = new Command('latchkey')
    .description('Administer Latchkey, an OpenID Connect provider.')
    .exitOverride()
    .configureOutput({
      writeOut: (text) => line.terminal.out(text),
      writeErr: (text) => line.terminal.say(unguarded(text)),
    })
    .showHelpAfterError('(add --help to see what can be given)')
    .helpCommand(false)
  for (const group of line.groups) addGroup(program, group, { ...line, ending })
  for (const group of line.standalone ?? [])
    addGroup(program, group, { terminal: line.terminal, withNeeds: (run) => run(undefined), ending })
  return program
}

type Surroundings<Needs> = Pick<CommandLine<Needs>, 'withNeeds' | 'terminal'> & { readonly ending: Ending }

function addGroup<Needs>(program: Command, group: CommandGroup<Needs>, line: Surroundings<Needs>): void {
  const noun = program.command(group.noun).description(group.summary).helpCommand(false).copyInheritedSettings(program)
  for (const spec of group.commands) addCommand(noun, spec, line)
}

function addCommand<Needs>(noun: Command, spec: CommandSpec<Needs>, line: Surroundings<Needs>): void {
  // a group with one command and no verb of its own: `latchkey migrate`
  const command =
    spec.verb === '' ? noun : noun.command(spec.verb).description(spec.summary).copyInheritedSettings(noun)
  for (const argument of spec.arguments ?? []) command.argument(argument)
  for (const option of spec.options ?? []) command.addOption(optionOf(option))
  command.option('--json', 'print one JSON value')
  if (spec.confirm) command.option('--yes', 'do not ask, as nobody is asked who is not at a terminal')
  command.allowExcessArguments(false).action(async () => {
    const { json, yes, ...given } = command.opts<Record<string, unknown>>()
    const options = Object.fromEntries(Object.entries(given).map(([name, value]) => [name, unguardedOption(value)]))
    const args = command.processedArgs
      .flat()
      .filter((value): value is string => typeof value === 'string')
      .map(unguarded)
    if (spec.confirm && yes !== true) await mustConfirm(spec.confirm(args), line.terminal)
    await line.withNeeds(async (needs) => {
      const result = await spec.run({ needs, args, options, terminal: line.terminal })
      if ('text' in result) {
        line.terminal.out(printed(result, json === true, 2))
        if (result.refused === true) line.ending.exit = EXIT.refused
      } else for await (const piece of result) line.terminal.out(printed(piece, json === true))
    })
  })
}

function printed({ json, text }: CommandResult, wantsJson: boolean, indent?: number): string {
  return wantsJson ? `${JSON.stringify(json, null, indent)}\n` : ensureNewline(text)
}

function optionOf({ flags, description, repeatable, choices }: OptionSpec): Option {
  const option = new Option(flags, repeatable ? `${description} (may be repeated)` : description)
  if (choices) option.choices(choices)
  if (repeatable) option.argParser((value: string, before: readonly string[] | undefined) => [...(before ?? []), value])
  return option
}

/** A script has said what it wants by its argument; only who types may have mistyped. */
async function mustConfirm(question: string, terminal: Terminal): Promise<void> {
  if (terminal.isInteractive && !(await terminal.confirm(question)))
    throw new AppError('forbidden', 'Nothing was done.')
}

function report(error: unknown, terminal: Terminal, wantsJson: boolean): number {
  if (error instanceof SettingsError) {
    terminal.say(
      `The settings have problems:\n${error.problems.map(({ setting, message }) => `  ${setting} ${message}\n`).join('')}`,
    )
    if (wantsJson) terminal.out(`${JSON.stringify({ error: 'configuration', problems: error.problems }, null, 2)}\n`)
    return EXIT.configuration
  }
  if (!(error instanceof AppError)) throw error
  terminal.say(`${error.message}\n`)
  for (const [field, message] of Object.entries(error.fields ?? {})) terminal.say(`  ${field}: ${message}\n`)
  if (error.hint) terminal.say(`${error.hint}\n`)
  if (wantsJson) {
    terminal.out(
      `${JSON.stringify({ error: error.code, message: error.message, hint: error.hint, fields: error.fields }, null, 2)}\n`,
    )
  }
  return error.code === 'configuration' ? EXIT.configuration : EXIT.refused
}

function ensureNewline(text: string): string {
  return text === '' || text.endsWith('\n') ? text : `${text}\n`
}
