/** Two texts one above the other, with a mark below each character that differs. */
export interface Difference {
  readonly received: string
  readonly registered: string
  readonly marks: string
}

/** Stands where the other text has a character more. */
const GAP = '·'

/** The difference to whichever of the registered texts is nearest; undefined where there is none. */
export function nearestDifference(received: string, registered: readonly string[]): Difference | undefined {
  const all = registered.map((text) => differenceOf(received, text))
  return all.toSorted((left, right) => countOf(left) - countOf(right))[0]
}

/** Aligns the two so that the fewest characters differ. */
export function differenceOf(received: string, registered: string): Difference {
  const cost = costs(received, registered)
  const lines = { received: '', registered: '', marks: '' }
  let [row, column] = [0, 0]
  while (row < received.length || column < registered.length) {
    const [above, below] = [received[row], registered[column]]
    const here = cost(row, column)
    const isPair =
      above !== undefined && below !== undefined && here === cost(row + 1, column + 1) + (above === below ? 0 : 1)
    const takesAbove = isPair || (above !== undefined && here === cost(row + 1, column) + 1)
    const takesBelow = isPair || !takesAbove
    lines.received += takesAbove ? above : GAP
    lines.registered += takesBelow ? below : GAP
    lines.marks += isPair && above === below ? ' ' : '^'
    row += takesAbove ? 1 : 0
    column += takesBelow ? 1 : 0
  }
  return { ...lines, marks: lines.marks.trimEnd() }
}

function countOf({ marks }: Difference): number {
  return marks.replaceAll(' ', '').length
}

/** How many characters differ at least, from a place in the one and a place in the other (Levenshtein's distance). */
function costs(left: string, right: string): (row: number, column: number) => number {
  const width = right.length + 1
  const table = new Uint16Array((left.length + 1) * width)
  const cost = (row: number, column: number): number => table[row * width + column] ?? 0
  for (let row = left.length; row >= 0; row -= 1) {
    for (let column = right.length; column >= 0; column -= 1) {
      if (row === left.length || column === right.length) {
        table[row * width + column] = left.length - row + right.length - column
        continue
      }
      const differs = left[row] === right[column] ? 0 : 1
      table[row * width + column] = Math.min(
        cost(row + 1, column + 1) + differs,
        cost(row + 1, column) + 1,
        cost(row, column + 1) + 1,
      )
    }
  }
  return cost
}
