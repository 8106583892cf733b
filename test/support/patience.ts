import { setTimeout as sleep } from 'node:timers/promises'

/** Asks a program that is starting until there is an answer, for a minute. @throws what the last one that was tried threw */
export async function patiently<T>(ask: () => Promise<T>): Promise<T> {
  for (let tries = 1; tries < 600; tries += 1) {
    try {
      return await ask()
    } catch {
      await sleep(100)
    }
  }
  return ask()
}
