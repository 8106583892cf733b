import type { CompiledQuery, DatabaseConnection, QueryResult } from 'kysely'
import { notStored, type UnitConnection } from '../unit.ts'
import type { Batch } from './sqlite-batch.ts'
import type { SqliteFile } from './sqlite-file.ts'

/** One query's or one transaction's turn on the file. */
export class SqliteConnection implements DatabaseConnection {
  readonly #file: SqliteFile
  #endTurn: (() => void) | undefined

  constructor(file: SqliteFile) {
    this.#file = file
  }

  /** Then it is not to be used again: a statement that came late would be part of another one's transaction. */
  get hadTransaction(): boolean {
    return this.#endTurn !== undefined
  }

  async executeQuery<R>(query: CompiledQuery): Promise<QueryResult<R>> {
    return this.#endTurn ? this.#file.execute(query) : this.#file.run(query)
  }

  async begin(readsOnly: boolean): Promise<void> {
    this.#endTurn = await this.#file.begin(readsOnly)
  }

  /** Where it throws, the transaction is still to be rolled back. */
  commit(): void {
    this.#file.commit()
    this.#endTurn?.()
  }

  rollback(): void {
    this.#file.rollback()
    this.#endTurn?.()
  }

  streamQuery = noStream
}

/**
 * A unit as a member of one batch, which it joins with its first write; until then it reads what is committed. One that
 * lets others in begins anew, with all that it wrote before.
 */
export function sqliteUnit(file: SqliteFile): UnitConnection {
  let entering: Promise<Batch> | undefined
  let leaving: Promise<void> | undefined
  let over = false

  const leave = async (): Promise<void> => {
    const entered = entering
    entering = undefined
    await leaving
    const batch = await entered
    if (batch && !(await batch.leave())) throw notStored()
  }

  return {
    async executeQuery<R>(query: CompiledQuery) {
      if (leaving) await leaving
      if (over) throw notStored()
      if (!entering && file.readerFor(query)) return file.run<R>(query)
      const batch = await (entering ??= file.enterBatch())
      return batch.execute<R>(query)
    },
    streamQuery: noStream,

    letOthersIn() {
      if (!entering) return
      leaving = leave()
      // told to whatever comes next
      leaving.catch(() => {})
    },

    commit() {
      over = true
      return leave()
    },

    async rollback() {
      over = true
      const batch = await entering?.catch(() => undefined)
      batch?.fail()
    },
  }
}

async function* noStream(): AsyncIterableIterator<never> {
  throw new Error('streaming is not used on SQLite: read in pages')
}
