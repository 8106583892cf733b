const UNIT_SECONDS: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3_600, d: 86_400 }

/** The seconds that a number with s, m, h or d stands for, such as 90m or 7d; undefined for anything else. */
export function durationSeconds(text: string): number | undefined {
  const [, count, unit = ''] = /^(\d{1,9})([smhd])$/.exec(text) ?? []
  const seconds = UNIT_SECONDS[unit]
  return seconds === undefined ? undefined : Number(count) * seconds
}
