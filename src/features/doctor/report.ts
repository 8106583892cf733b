/** The findings as a person reads them. */
import type { Examination } from './examination.ts'
import { LEVELS, type Finding, type Level } from './finding.ts'

const MARKS: Readonly<Record<Level, string>> = { unchecked: '–', ok: 'ok', warning: 'WARNING', problem: 'PROBLEM' }
const WIDTH = Math.max(...Object.values(MARKS).map((mark) => mark.length))

/**
 * What was found, grouped, each with what to do; in the end how many of each there are.
 * @param columns lines are at most as long; Infinity for who reads line by line, such as grep
 */
export function reportText(issuer: string, { outside, inside }: Examination, columns: number): string {
  const all = [...outside, ...inside]
  const told = (findings: readonly Finding[]) => findings.flatMap((finding) => linesOf(finding, columns))
  const counts = LEVELS.toReversed().map((level) =>
    counted(all.filter((finding) => finding.level === level).length, level),
  )
  return [
    `From outside, at ${issuer}`,
    ...told(outside),
    '',
    'From inside',
    ...told(inside),
    '',
    `${counts.join(', ')}.`,
  ].join('\n')
}

function linesOf({ level, check, message, hint }: Finding, columns: number): string[] {
  const lead = `  ${MARKS[level].padEnd(WIDTH)}  `
  const more = hint === undefined ? [] : wrapped(`→ ${hint}`, columns - lead.length)
  const [first = '', ...rest] = wrapped(`${check}: ${message}`, columns - lead.length)
  return [`${lead}${first}`, ...[...rest, ...more].map((line) => `${' '.repeat(lead.length)}${line}`)]
}

/** Lines of whole words, each as long as it may be. */
function wrapped(text: string, width: number): string[] {
  const lines: string[] = []
  for (const word of text.split(' ')) {
    const last = lines.at(-1)
    if (last !== undefined && last.length + 1 + word.length <= width) lines.splice(-1, 1, `${last} ${word}`)
    else lines.push(word)
  }
  return lines
}

function counted(count: number, level: Level): string {
  if (level === 'ok') return `${count} ok`
  return level === 'unchecked' ? `${count} not checked` : `${count} ${level}${count === 1 ? '' : 's'}`
}
