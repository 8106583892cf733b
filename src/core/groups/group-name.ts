import { line } from '#core/accounts/line.ts'

/** A group's name: trimmed, 1 to 128 characters, no control characters; two names are the same if they are written the same. */
export const groupName = line('The name of the group', 128)
