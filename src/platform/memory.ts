import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

/**
 * Gives back to the system what loading the program took. V8 keeps the room for young objects as large as it ever was,
 * and lets go of it in one kind of collection only, which it does by itself when memory has run out. It takes a tenth
 * of a second, once (measured: 155 MB before, 117 after).
 */
export function giveBackMemory(): void {
  setFlagsFromString('--expose-gc')
  // boundary: what V8 adds to contexts that are made from now on
  const collect = runInNewContext('gc') as NonNullable<typeof globalThis.gc>
  setFlagsFromString('--no-expose-gc')
  collect({ type: 'major', execution: 'sync', flavor: 'last-resort' })
}
