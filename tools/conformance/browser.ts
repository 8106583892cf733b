/**
 * What the suite's own browser does on our pages, in the form of the suite's configuration: a block for each address that
 * a test visits, with a task for each address that the browser then comes to.
 */
export interface SignIn {
  readonly issuer: string
  /** Where a sign-in ends, at the suite. */
  readonly returnTo: string
  readonly username: string
  readonly password: string
}

type Command = readonly (string | number)[]

interface Task {
  readonly task: string
  readonly match: string
  readonly optional: boolean
  readonly commands: readonly Command[]
}

export interface Visit {
  readonly match: string
  readonly 'match-limit'?: number
  readonly tasks: readonly Task[]
}

/** The page that a test wants to see for itself goes into its report. */
const SHOW: Command = [10, '.+', 'update-image-placeholder-optional']
const SHOW_PAGE: Command = ['wait', 'css', 'main', ...SHOW]
const ALLOW: readonly Command[] = [['click', 'css', 'form#consent button[value=allow]', 'optional']]

/** What is done otherwise than signing in and allowing. */
interface Otherwise {
  readonly atSignIn?: readonly Command[]
  readonly atConsent?: readonly Command[]
}

/** Signs in, allows, signs out; a page of errors that stays on the screen is shown to the test. */
export function browser(
  signIn: SignIn,
  { atSignIn = signInCommands(signIn), atConsent = ALLOW }: Otherwise = {},
): readonly Visit[] {
  const { issuer, returnTo } = signIn
  return [
    visit(`${issuer}/authorize*`, [
      task('sign in', `${issuer}/interaction/*`, atSignIn),
      task('allow', `${issuer}/interaction/*`, atConsent),
      task('an error stays', `${issuer}/authorize*`, [['wait', 'css', 'main[data-error]', ...SHOW]]),
      task('back', `${returnTo}*`, [['wait', 'id', 'submission_complete', 10]]),
    ]),
    visit(`${issuer}/logout*`, [
      task('sign out', `${issuer}/logout*`, [['click', 'css', 'form#logout button[name=logout]', 'optional']]),
      task('a page stays', `${issuer}/*`, [SHOW_PAGE]),
    ]),
  ]
}

/** Shows the sign-in to tests that want to see that it is asked for again. */
export function browserShowingSignIn(signIn: SignIn): readonly Visit[] {
  return browser(signIn, { atSignIn: [SHOW_PAGE, ...signInCommands(signIn)] })
}

/** Shows the consent page, where people read what an application says of itself. */
export function browserShowingConsent(signIn: SignIn): readonly Visit[] {
  return browser(signIn, { atConsent: [SHOW_PAGE] })
}

/** Leaves the first visit alone, and signs in at the second. */
export function browserComingBack(signIn: SignIn): readonly Visit[] {
  return [{ ...visit(`${signIn.issuer}/authorize*`, []), 'match-limit': 1 }, ...browser(signIn)]
}

/** Goes back to the app instead of signing in. */
export function browserRefusing(signIn: SignIn): readonly Visit[] {
  return browser(signIn, { atSignIn: [['click', 'css', 'form#sign-in button[name=cancel]']] })
}

function signInCommands({ username, password }: SignIn): readonly Command[] {
  return [
    ['text', 'css', 'form#sign-in input[name=username]:not([readonly])', username, 'optional'],
    ['text', 'css', 'form#sign-in input[name=password]', password, 'optional'],
    ['click', 'css', 'form#sign-in button.primary', 'optional'],
  ]
}

function visit(match: string, tasks: readonly Task[]): Visit {
  return { match, tasks }
}

function task(name: string, match: string, commands: readonly Command[]): Task {
  return { task: name, match, optional: true, commands }
}
