import type { Compilable, CompiledQuery, Kysely, QueryResult } from 'kysely'

/**
 * A statement of one shape, put into SQL at its first use and never again: Kysely takes longer to build and compile a
 * statement (20 to 50 µs) than SQLite takes to run it.
 * @param build gets a stand-in for each value, which is a symbol: it can be handed on to the statement, and nothing can be
 * calculated with it or made to depend on it
 */
export function prepared<Values extends Readonly<Record<string, unknown>>, Row>(
  db: Pick<Kysely<unknown>, 'executeQuery'>,
  build: (values: Values) => Compilable<Row>,
): (values: Values, transaction?: Pick<Kysely<unknown>, 'executeQuery'>) => Promise<QueryResult<Row>> {
  let withValues: ((values: Values) => CompiledQuery<Row>) | undefined
  const shortcut = shortcuts.get(db)
  return (values, transaction) => {
    withValues ??= compiled(build, Object.keys(values))
    const query = withValues(values)
    return transaction?.executeQuery(query) ?? shortcut?.(query) ?? db.executeQuery(query)
  }
}

export type Shortcut = <Row>(query: CompiledQuery<Row>) => Promise<QueryResult<Row>> | undefined

const shortcuts = new WeakMap<object, Shortcut>()

/**
 * From now on, prepared statements of the database go this way where it is open. Kysely's own is a dozen promises long,
 * which cost more than a statement of SQLite.
 */
export function takeShortcut(db: Pick<Kysely<unknown>, 'executeQuery'>, shortcut: Shortcut): void {
  shortcuts.set(db, shortcut)
}

function compiled<Values extends Readonly<Record<string, unknown>>, Row>(
  build: (values: Values) => Compilable<Row>,
  names: readonly string[],
): (values: Values) => CompiledQuery<Row> {
  const standIns = names.map((name) => [name, Symbol(name)] as const)
  // boundary: to the query builder a stand-in is the value that it stands for
  const query = build(Object.fromEntries(standIns) as unknown as Values).compile()
  const nameOf = new Map<unknown, string>(standIns.map(([name, standIn]) => [standIn, name]))
  const slots = query.parameters.map((parameter) => ({ name: nameOf.get(parameter), fixed: parameter }))
  return (values) => ({
    ...query,
    parameters: slots.map(({ name, fixed }) => (name === undefined ? fixed : values[name])),
  })
}
