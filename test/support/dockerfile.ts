// The Dockerfile as a script, for machines without a container engine: each stage is a folder that stands for the root
// of its file system, RUN runs in it, and what the image would start is started as the image's user.
import { spawnSync } from 'node:child_process'
import { chmodSync, copyFileSync, cpSync, mkdirSync, readFileSync, renameSync } from 'node:fs'
import path from 'node:path'

const ROOT = path.resolve(import.meta.dirname, '../..')

export interface Image {
  /** The folder that stands for /. */
  readonly root: string
  readonly workdir: string
  readonly environment: Readonly<Record<string, string>>
  /** The ids of USER where this process may become them, else nothing. */
  readonly user: { readonly uid?: number; readonly gid?: number }
  readonly command: readonly string[]
  readonly healthcheck: readonly string[]
  readonly stopSignal: NodeJS.Signals
  readonly volume: string
}

interface Stage {
  readonly root: string
  workdir: string
  readonly values: Record<string, string>
  readonly environment: Record<string, string>
}

/** Builds the last stage below the folder. @throws Error with the words of the step that failed, or cannot be played */
export function buildImage(folder: string): Image {
  const stages = new Map<string, Stage>()
  let stage: Stage | undefined
  for (const { name, text } of instructions()) {
    if (name === 'FROM') {
      stage = newStage(path.join(folder, `stage-${stages.size}`))
      stages.set(/ AS (\w+)$/.exec(text)?.[1] ?? `stage-${stages.size}`, stage)
    } else if (!stage) throw new Error(`${name} before FROM`)
    else play(name, text, stage, stages)
  }
  if (!stage) throw new Error('the Dockerfile holds no stage')
  return imageOf(stage)
}

function instructions(): { name: string; text: string }[] {
  const text = readFileSync(path.join(ROOT, 'Dockerfile'), 'utf8').replaceAll(/^#.*\n/gm, '')
  return text
    .replaceAll('\\\n', ' ')
    .split('\n')
    .filter((line) => line.trim() !== '')
    .map((line) => ({ name: line.slice(0, line.indexOf(' ')), text: line.slice(line.indexOf(' ') + 1).trim() }))
}

/** Of the base image there is a /tmp for anybody. */
function newStage(root: string): Stage {
  mkdirSync(path.join(root, 'tmp'), { recursive: true })
  chmodSync(path.join(root, 'tmp'), 0o1777)
  return { root, workdir: root, values: {}, environment: {} }
}

function play(name: string, text: string, stage: Stage, stages: ReadonlyMap<string, Stage>): void {
  switch (name) {
    case 'WORKDIR':
      stage.workdir = path.join(stage.root, text)
      mkdirSync(stage.workdir, { recursive: true })
      return
    case 'COPY':
      return copy(text, stage, stages)
    case 'RUN':
      return run(text, stage)
    case 'ENV':
      for (const [, key = '', value = ''] of text.matchAll(/(\w+)=(\S+)/g))
        stage.environment[key] = value.startsWith('/') ? path.join(stage.root, value) : value
      return
    case 'USER':
    case 'VOLUME':
    case 'STOPSIGNAL':
    case 'HEALTHCHECK':
    case 'CMD':
    case 'EXPOSE':
      stage.values[name] = text
      return
    default:
      throw new Error(`${name} is an instruction that this test cannot play`)
  }
}

/** Out of another stage things are moved: it is thrown away in the end. */
function copy(text: string, { workdir }: Stage, stages: ReadonlyMap<string, Stage>): void {
  const words = text.split(/\s+/)
  const from = stages.get(/^--from=(\w+)$/.exec(words[0] ?? '')?.[1] ?? '')
  const paths = from ? words.slice(1) : words
  const target = paths.pop() ?? '.'
  for (const source of paths) {
    const to = path.join(workdir, target.endsWith('/') ? path.join(target, path.basename(source)) : target)
    if (from) renameSync(path.join(from.root, source), to)
    else cpSync(path.join(ROOT, source), to, { recursive: true })
  }
}

/** Ids that this process may not give away are its own. */
function run(text: string, { workdir, environment }: Stage): void {
  const ids = { owner: process.getuid?.(), group: process.getgid?.() }
  const own =
    ids.owner === 0 ? text : text.replace(/--(owner|group)=\d+/g, (_, who: keyof typeof ids) => `--${who}=${ids[who]}`)
  const { status, stdout, stderr } = spawnSync('sh', ['-ec', own], {
    cwd: workdir,
    env: { ...withoutNpmRun(), npm_config_prefer_offline: 'true', ...environment },
    encoding: 'utf8',
  })
  if (status !== 0) throw new Error(`RUN ${text}\n${stdout}${stderr}`)
}

/** The environment without what `npm test` says of this project. */
function withoutNpmRun(): NodeJS.ProcessEnv {
  const ofThisRun = /^(INIT_CWD|NODE_ENV|NODE_COMPILE_CACHE|npm_(package|lifecycle|command|config_local_prefix).*)$/i
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !ofThisRun.test(name)))
}

/** Node.js comes from the base image: this run's own, where the user of the image may run it. */
function imageOf({ root, workdir, values, environment }: Stage): Image {
  const programs = path.join(root, 'usr/local/bin')
  mkdirSync(programs, { recursive: true })
  copyFileSync(process.execPath, path.join(programs, 'node'))
  const [uid = '', gid = ''] = (values['USER'] ?? '').split(':')
  return {
    root,
    workdir,
    environment: { ...environment, PATH: programs },
    user: process.getuid?.() === 0 ? { uid: Number(uid), gid: Number(gid) } : {},
    command: list(values['CMD']),
    healthcheck: list(values['HEALTHCHECK']?.replace(/^.*? CMD /, '')),
    // boundary: a name that is none fails when it is sent
    stopSignal: (values['STOPSIGNAL'] ?? '') as NodeJS.Signals,
    volume: path.join(root, values['VOLUME'] ?? ''),
  }
}

function list(text = ''): string[] {
  const words: unknown = JSON.parse(text)
  if (!Array.isArray(words)) throw new Error(`a command is written as a list, not as ${text}`)
  return words.map(String)
}
