import { AppError } from '#platform/errors.ts'
import type { GroupStore } from './store.ts'

/**
 * The ids of the groups with these names, in their order.
 * @throws AppError(invalid_input) that lists every name no group has
 */
export async function requiredGroupIds(
  store: Pick<GroupStore, 'idsOf'>,
  names: readonly string[],
): Promise<readonly string[]> {
  const known = await store.idsOf(names)
  const unknown = names.filter((name) => !known.has(name))
  if (unknown.length === 0) return names.flatMap((name) => known.get(name) ?? [])
  const list = unknown.map((name) => `"${name}"`).join(', ')
  throw new AppError('invalid_input', `There is no group called ${list}.`, {
    fields: { groups: `No group is called ${list}: create it first, or correct the name.` },
    hint: '`latchkey group list` shows the groups there are.',
  })
}
