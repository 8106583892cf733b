import type { HttpClient } from '../http.ts'
import type { World, WorldClient } from '../world.ts'

/** A server that the load is put on. */
export interface Target {
  readonly house: 'latchkey' | 'bare'
  readonly origin: string
  readonly http: HttpClient
  readonly world: World
}

/** One operation, from the first request to the answer that was checked. @throws Error where the answer is not right */
export type Play = () => Promise<void>

export interface Operation {
  readonly name: string
  /** What is aimed at: bare's CPU time by Latchkey's. None where bare does not do the same. */
  readonly goal: { readonly sqlite: number; readonly postgres: number } | undefined
  /** Latchkey runs with its password hash taken out, see without-hash.ts. */
  readonly withoutHash?: boolean
  /** Prepares a lane: a client or a browser that does one operation after another. */
  prepare(target: Target, lane: number): Promise<Play>
}

/** Someone of the world who nobody else signs in as at the same time. */
export function personOf({ world }: Target, lane: number): World['people'][number] {
  const person = world.people[lane % world.people.length]
  if (!person) throw new Error('there are no people in the world')
  return person
}

/** The client of a flow and the algorithm of its ID tokens. */
export interface Relying {
  readonly client: WorldClient
  readonly alg: 'ES256' | 'RS256'
}
