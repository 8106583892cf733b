/** A named set of people: a claim in their tokens, and a way to say who may use a client. */
export interface Group {
  readonly id: string
  readonly name: string
  /** How many people are in it. */
  readonly members: number
  readonly createdAt: number
}

/** A group as every door shows it. */
export function groupJson({ id, name, members, createdAt }: Group) {
  return { id, name, members, created_at: createdAt }
}
