/**
 * Units: the writes of one answer, stored together before the answer is given, or not at all. A unit travels with the
 * request (AsyncLocalStorage), so the queries in between know nothing of it: whoever asks for a connection inside a unit
 * is given the unit's one. What stands in a unit must be short, since others wait for its commit; what may take long,
 * such as a call to a stranger's server, goes `apart`. docs/decisions/024-one-commit-per-answer.md
 */
import { AsyncLocalStorage } from 'node:async_hooks'
import type { DatabaseConnection, Driver } from 'kysely'
import { attached } from '#platform/attached.ts'
import { AppError } from '#platform/errors.ts'

/** What a dialect makes of a unit: a transaction that begins with the first write. One that wrote nothing ends at no cost. */
export interface UnitConnection extends DatabaseConnection {
  /** @throws AppError(unavailable) where nothing was stored, or where that cannot be known */
  commit(): Promise<void>
  rollback(): Promise<void>
  /**
   * Where writers take turns: stores what was written so far, while the work goes on. Where that fails, so does all that
   * comes after, the commit at the end included.
   */
  letOthersIn?(): void
}

export interface Units {
  /**
   * Runs the work as one unit. Its writes are on disk when this resolves if the work gave true, and taken back if it
   * gave false or threw.
   * @throws AppError(unavailable) where they could not be stored: then nothing may be answered
   */
  together(work: () => Promise<boolean>): Promise<void>
  /**
   * Where writers take turns anyway, stores what the work writes with one commit, when it has ended, or sooner where it
   * waits for something; elsewhere each write by itself, since rows that a unit holds would make others wait. Either way
   * each stands for itself, or with its transaction: none is taken back because the work fails later.
   * @throws AppError(unavailable) where they could not be stored: then nothing may be answered
   */
  gathered<R>(work: () => Promise<R>): Promise<R>
  /**
   * Runs work that a unit must not wait for, or whose writes must stay whatever becomes of it. What the unit has written
   * so far is stored first. Outside of a unit it just runs.
   */
  apart<R>(work: () => Promise<R>): Promise<R>
  /** Calls back once the writes of the current unit are stored, and never if they are not; at once outside of a unit. */
  whenStored(callback: () => void): void
}

interface Unit {
  connection: UnitConnection | undefined
  /** A transaction inside it was rolled back: what is left is half of something. */
  doomed: boolean
  /** How many transactions are under way in it. */
  transactions: number
  /** What was begun in it and comes late, such as a timer, is outside of it. */
  ended: boolean
  readonly whenStored: (() => void)[]
}

/** Others wait no longer than that, in milliseconds, for a request whose writes are gathered, whatever it waits for. */
const MOST_HELD_MS = 100

export interface UnitsOfDriver extends Units {
  current(): Unit | undefined
}

/** @param takeTurns whether writers of this database wait for one another, whatever they write */
export function openUnits(takeTurns: boolean): UnitsOfDriver {
  const storage = new AsyncLocalStorage<Unit | undefined>()

  const current = (): Unit | undefined => {
    const unit = storage.getStore()
    return unit?.ended === true ? undefined : unit
  }

  return {
    current,

    async together(work) {
      if (current()) throw new Error('a unit inside a unit: the outer one stores everything')
      const unit = newUnit()
      await storage.run(unit, async () => {
        let stores = false
        try {
          stores = await work()
        } finally {
          unit.ended = true
          if (!stores) await unit.connection?.rollback()
        }
        if (stores) await finish(unit)
      })
    },

    async gathered(work) {
      if (!takeTurns || current()) return work()
      const unit = newUnit()
      const letOthersIn = setInterval(() => {
        if (unit.transactions === 0 && !unit.doomed) unit.connection?.letOthersIn?.()
      }, MOST_HELD_MS)
      return storage.run(unit, async () => {
        const [outcome] = await Promise.allSettled([work()])
        clearInterval(letOthersIn)
        unit.ended = true
        await finish(unit).catch((error: unknown) => {
          // a bug is not to be lost behind what came of it
          throw outcome.status === 'rejected' ? notStored(outcome.reason) : error
        })
        if (outcome.status === 'rejected') throw outcome.reason
        return outcome.value
      })
    },

    async apart(work) {
      const unit = current()
      if (!unit) return work()
      await storeWritten(unit)
      return storage.run(undefined, work)
    },

    whenStored(callback) {
      const unit = current()
      if (unit) unit.whenStored.push(callback)
      else callback()
    },
  }
}

function newUnit(): Unit {
  return { connection: undefined, doomed: false, transactions: 0, ended: false, whenStored: [] }
}

async function finish(unit: Unit): Promise<void> {
  await storeWritten(unit)
  for (const callback of unit.whenStored) callback()
}

async function storeWritten(unit: Unit): Promise<void> {
  const { connection } = unit
  unit.connection = undefined
  if (unit.doomed) {
    await connection?.rollback()
    throw notStored()
  }
  await connection?.commit()
}

/** Nothing of it is in the database, and the same request may succeed in a moment. */
export function notStored(cause?: unknown): AppError {
  return new AppError('unavailable', 'What belongs to this answer could not be stored.', {
    retryAfterSeconds: 1,
    cause,
  })
}

export interface DriverWithUnits extends Driver {
  /** The connection of the current unit; undefined outside of one. */
  connectionOfUnit(): UnitConnection | undefined
}

/** The driver, with the unit's connection for whoever asks inside a unit. A transaction inside a unit is part of it. */
export function withUnits(driver: Driver, units: UnitsOfDriver, connect: () => UnitConnection): DriverWithUnits {
  const unitOf = attached<Unit>()
  const connectionOfUnit = (): UnitConnection | undefined => {
    const unit = units.current()
    if (!unit || unit.connection) return unit?.connection
    unit.connection = connect()
    unitOf.to(unit.connection, unit)
    return unit.connection
  }
  return {
    connectionOfUnit,
    init: (options) => driver.init(options),
    destroy: (options) => driver.destroy(options),

    async acquireConnection(options) {
      return connectionOfUnit() ?? driver.acquireConnection(options)
    },
    async releaseConnection(connection, options) {
      if (!unitOf.of(connection)) await driver.releaseConnection(connection, options)
    },
    async beginTransaction(connection, settings) {
      const unit = unitOf.of(connection)
      if (unit) unit.transactions += 1
      else await driver.beginTransaction(connection, settings)
    },
    async commitTransaction(connection) {
      const unit = unitOf.of(connection)
      if (unit) unit.transactions -= 1
      else await driver.commitTransaction(connection)
    },
    async rollbackTransaction(connection) {
      const unit = unitOf.of(connection)
      if (!unit) return driver.rollbackTransaction(connection)
      unit.transactions -= 1
      unit.doomed = true
    },
  }
}
