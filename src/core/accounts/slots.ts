/** Runs tasks of which only so many may be under way at once. */
export interface Slots {
  /** Runs the task as soon as a slot is free, first come, first served. @throws what `refuse` gives once the queue is full */
  run<T>(task: () => Promise<T>): Promise<T>
  /** @throws what `refuse` gives where a task would find the queue full now */
  refuseWhenFull(): void
  /** How many tasks are under way and how many wait, now. */
  load(): { readonly running: number; readonly waiting: number }
}

/**
 * @param slots how many tasks run at once
 * @param queue how many may wait; one more is refused at once
 * @param refuse makes the error for a task that found the queue full
 */
export function createSlots({ slots, queue, refuse }: { slots: number; queue: number; refuse: () => Error }): Slots {
  const waiting: (() => void)[] = []
  let busy = 0

  const refuseWhenFull = (): void => {
    if (busy >= slots && waiting.length >= queue) throw refuse()
  }

  const enter = (): Promise<void> | void => {
    if (busy < slots) {
      busy += 1
      return
    }
    refuseWhenFull()
    return new Promise((resolve) => waiting.push(resolve))
  }

  /** Hands the slot to whoever waits longest; it is never free in between. */
  const leave = (): void => {
    const next = waiting.shift()
    if (next) next()
    else busy -= 1
  }

  return {
    async run(task) {
      await enter()
      try {
        return await task()
      } finally {
        leave()
      }
    },
    refuseWhenFull,
    load: () => ({ running: busy, waiting: waiting.length }),
  }
}
