/**
 * An SQLite file: write-ahead log, every commit on disk before it is answered. One connection writes; whoever writes
 * takes turns on it, many in one batch or one transaction alone. Another reads, and sees what was committed and nothing
 * else: no answer can stand on a row that a crash or a neighbour's failure takes back, and no reader waits.
 */
import { closeSync, existsSync, mkdirSync, openSync } from 'node:fs'
import { dirname } from 'node:path'
import Sqlite from 'better-sqlite3'
import type { CompiledQuery, QueryResult } from 'kysely'
import { AppError } from '#platform/errors.ts'
import { openBatch, type Batch } from './sqlite-batch.ts'
import { BARE, BUSY_LIMIT_MS, damageNamed, SqliteHandle, translated, whenNotBusy } from './sqlite-handle.ts'

/** A reader who takes long makes the log grow; once it has gone, the file is cut to this. */
const MOST_LOG_BYTES = 67_108_864

const WRITES = new Set(['InsertQueryNode', 'UpdateQueryNode', 'DeleteQueryNode'])

export class SqliteFile {
  readonly #writer: SqliteHandle
  /** Missing for a database in memory, which no second connection can see. */
  readonly #reader: SqliteHandle | undefined
  #turn: Promise<void> = Promise.resolve()
  #batch: Batch | undefined
  #opening: Promise<void> | undefined

  constructor(writer: SqliteHandle, reader: SqliteHandle | undefined) {
    this.#writer = writer
    this.#reader = reader
  }

  /** Runs a statement that is its own transaction: a read on what is committed, a write on disk once this resolves. */
  async run<R>(query: CompiledQuery): Promise<QueryResult<R>> {
    const reading = this.readerFor(query)
    if (reading) return whenNotBusy(() => reading.execute<R>(query))
    if (BARE.test(query.sql)) return this.#runBare(query)
    for (;;) {
      const batch = await this.enterBatch()
      const outcome = outcomeOf(() => batch.execute<R>(query))
      // a neighbour took it back before anybody heard of it, so it may be tried again
      if (await batch.leave()) return outcome()
    }
  }

  /** The connection for a statement that changes nothing, in the database or on the connection. */
  readerFor(query: CompiledQuery): SqliteHandle | undefined {
    // what is known to write is not prepared on the reading connection as well
    if (WRITES.has(query.query.kind)) return undefined
    return told(() => this.#reader?.isRead(query)) === true ? this.#reader : undefined
  }

  /** Joins the batch of the moment, or the next one. @throws AppError(unavailable) where the write lock is not had */
  async enterBatch(): Promise<Batch> {
    for (;;) {
      if (this.#batch?.enter() === true) return this.#batch
      await (this.#opening ??= this.#openBatch().finally(() => (this.#opening = undefined)))
    }
  }

  /**
   * Begins a transaction that is alone on the writing connection, after those who asked before.
   * @returns ends the turn; the transaction has to be over by then
   * @throws AppError(unavailable) where another process keeps the lock
   */
  async begin(readsOnly = false): Promise<() => void> {
    // counted from here: of many who wait for one lock of another process none waits longer than the first
    const giveUpAt = performance.now() + BUSY_LIMIT_MS
    const endTurn = await this.#takeTurn()
    try {
      await whenNotBusy(() => this.#writer.begin(readsOnly), giveUpAt)
      return endTurn
    } catch (error) {
      endTurn()
      throw error
    }
  }

  /** Runs a statement of the transaction that `begin` began. */
  execute<R>(query: CompiledQuery): QueryResult<R> {
    if (!this.#writer.database.inTransaction) throw new Error('the transaction is over')
    return told(() => this.#writer.execute<R>(query))
  }

  commit(): void {
    told(() => this.#writer.commit())
  }

  rollback(): void {
    this.#writer.rollback()
  }

  async close(): Promise<void> {
    await this.#takeTurn()
    this.#reader?.close()
    this.#writer.close()
  }

  async #openBatch(): Promise<void> {
    const endTurn = await this.begin()
    const batch = openBatch(this.#writer)
    this.#batch = batch
    void batch.ended.then(endTurn)
  }

  async #runBare<R>(query: CompiledQuery): Promise<QueryResult<R>> {
    const endTurn = await this.#takeTurn()
    try {
      return await whenNotBusy(() => this.#writer.execute<R>(query))
    } finally {
      endTurn()
    }
  }

  /** Waits for its turn on the writing connection: first come, first served. */
  async #takeTurn(): Promise<() => void> {
    const { promise, resolve } = Promise.withResolvers<void>()
    const before = this.#turn
    this.#turn = promise
    await before
    return resolve
  }
}

/**
 * Opens the file, or makes it.
 * @throws AppError(configuration) where that cannot be; AppError(unavailable) where it is locked
 */
export async function openFile(path: string): Promise<SqliteFile> {
  const inMemory = path === ':memory:'
  const opened: Sqlite.Database[] = []
  const open = () => {
    const database = new Sqlite(path, { timeout: 0 })
    opened.push(database)
    return database
  }
  try {
    if (!inMemory) makeFile(path)
    const writer = open()
    await whenNotBusy(() => writer.pragma('journal_mode = WAL'))
    writer.pragma('synchronous = FULL')
    writer.pragma('foreign_keys = ON')
    writer.pragma(`journal_size_limit = ${MOST_LOG_BYTES}`)
    // what a statement of many rows needs to take itself back; beyond 64 kB it would go to a file of its own
    writer.pragma('temp_store = MEMORY')
    if (inMemory) return new SqliteFile(new SqliteHandle(writer), undefined)
    const reader = open()
    reader.pragma('query_only = ON')
    return new SqliteFile(new SqliteHandle(writer), new SqliteHandle(reader))
  } catch (cause) {
    for (const database of opened) database.close()
    const told = damageNamed(cause, path)
    if (told instanceof AppError) throw told
    throw new AppError('configuration', `The database file ${path} cannot be opened: ${reasonOf(cause)}`, {
      hint: 'Check that DATABASE_URL names an SQLite file and that its folder can be written to.',
      cause,
    })
  }
}

/** For this user alone: it holds password hashes and addresses. SQLite gives its other files the same mode. */
function makeFile(path: string): void {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
  if (!existsSync(path)) closeSync(openSync(path, 'a', 0o600))
}

function told<T>(run: () => T): T {
  try {
    return run()
  } catch (error) {
    throw translated(error)
  }
}

/** What a call gave or threw, to be given or thrown later. */
function outcomeOf<T>(run: () => T): () => T {
  try {
    const value = run()
    return () => value
  } catch (error) {
    return () => {
      throw error
    }
  }
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
