/** The findings as a person reads them. */
import type { Examination } from './examination.ts'
import { LEVELS, type Finding, type Level } from './finding.ts'

const MARKS: Readonly<Record<Level, string>> = { ok: 'ok', warning: 'WARNING', problem: 'PROBLEM' }
const WIDTH = Math.max(...Object.values(MARKS).map((mark) => mark.length))

/** What was found, grouped, each with what to do; in the end how many of each there are. */
export function reportText(issuer: string, { outside, inside }: Examination): string {
  const all = [...outside, ...inside]
  return [
    `From outside, at ${issuer}`,
    ...outside.flatMap(linesOf),
    '',
    'From inside',
    ...inside.flatMap(linesOf),
    '',
    `${LEVELS.toReversed()
      .map((level) => counted(all.filter((finding) => finding.level === level).length, level))
      .join(', ')}.`,
  ].join('\n')
}

function linesOf({ level, check, message, hint }: Finding): string[] {
  const lead = `  ${MARKS[level].padEnd(WIDTH)}  `
  const more = hint === undefined ? [] : [`${' '.repeat(lead.length)}→ ${hint}`]
  return [`${lead}${check}: ${message}`, ...more]
}

function counted(count: number, level: Level): string {
  return level === 'ok' ? `${count} ok` : `${count} ${level}${count === 1 ? '' : 's'}`
}
