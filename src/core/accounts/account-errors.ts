import { AppError } from '#platform/errors.ts'
import { checkNewPassword } from './password-rules.ts'

export function noSuchPerson(who: string): AppError {
  return new AppError('not_found', `There is no person with the id, e-mail address or user name "${who}".`, {
    hint: '`latchkey user list --search TEXT` finds people by a part of their names.',
  })
}

/** @param taken which of the two belongs to somebody else */
export function personConflict(
  taken: { readonly email: boolean; readonly username: boolean },
  cause: unknown,
): AppError {
  return new AppError(
    'conflict',
    'The person was not saved: the e-mail address or the user name belongs to somebody.',
    {
      fields: {
        ...(taken.email && { email: 'Somebody has this e-mail address already: give another one.' }),
        ...(taken.username && { username: 'Somebody has this user name already: choose another one.' }),
      },
      hint: '`latchkey user show` with that address or name shows who it is.',
      cause,
    },
  )
}

/** @throws AppError(invalid_input) for a password that this person may not have */
export function assertGoodPassword(
  password: string,
  { username, email }: { username?: string | undefined; email?: string | undefined },
): void {
  const problem = checkNewPassword(password, { username, email })
  if (problem === undefined) return
  throw new AppError('invalid_input', 'The password was not accepted.', {
    fields: { password: problem },
    hint: 'Choose another password.',
  })
}
