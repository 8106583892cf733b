// Every page with a model as it is meant and one as bad as people can make it. Used to look at the pages
// and by the tests that must hold for all of them.
import { approvalSamples } from './approvals-preview.ts'

const long = 'Wolfeschlegelsteinhausenbergerdorff'.repeat(15).slice(0, 512)
const rtl = 'تطبيق الحسابات والفواتير \u202eexe.gnp'
export const hostile = `"><svg onload=alert(1)> <%= 7*7 %> \${7*7} ${rtl} ${long}`

const form = { action: '/interaction/abc/password', csrf: 'k3J9-token' }
const logo =
  'data:image/svg+xml,%3Csvg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 8 8"%3E%3Crect width="8" height="8" fill="%23314ad0"/%3E%3Ccircle cx="4" cy="4" r="2" fill="white"/%3E%3C/svg%3E'
const errorId = '019aa6c8-5d1e-7c3b-9a01-6f0d2e5b7c44'
const signIn = { ...form, clientName: 'Fieldnotes', username: '', reauthenticate: false }
const asked = [
  { title: 'Know that it is you', detail: 'It gets an identifier that stands for your account.' },
  { title: 'See your profile', detail: 'Your name, picture, language and time zone.' },
  { title: 'See your e-mail address', detail: '' },
  { title: 'Stay connected while you are away', detail: 'It keeps its access even after you sign out here.' },
]
const consent = {
  ...form,
  clientName: 'Fieldnotes',
  personLabel: 'Ada Byron (ada@example.com)',
  items: asked,
  redirectHost: 'notes.example.com',
}
const payment = [{ name: 'amount.value', value: '123.50' }]
const deviceQuestion = {
  action: '/device',
  xsrf: 'x5',
  userCode: 'BCDF-GHJK',
  address: '2001:db8:85a3::8a2e:370:7334',
  userAgent: 'Fieldnotes/4.2 (SmartTV; Linux armv7l)',
}
const failure = {
  code: 'invalid_request',
  errorId,
  title: 'This sign-in cannot go on',
  message: 'The app that sent you here made a request that we cannot trust.',
}

export interface Sample {
  /** A name for the screenshot or the test. */
  label: string
  view: `${string}/${string}`
  title: string
  model: object
}

export const samples: readonly Sample[] = [
  { label: 'sign-in', view: 'password/sign-in', title: 'Sign in', model: signIn },
  {
    label: 'sign-in-error',
    view: 'password/sign-in',
    title: 'Sign in',
    model: {
      ...signIn,
      clientLogo: logo,
      username: 'ada@example.com',
      error: 'The user name or the password is not right.',
    },
  },
  {
    label: 'sign-in-again',
    view: 'password/sign-in',
    title: 'Confirm it’s you',
    model: { ...signIn, username: 'ada@example.com', reauthenticate: true },
  },
  {
    label: 'sign-in-hostile',
    view: 'password/sign-in',
    title: hostile,
    model: {
      ...signIn,
      clientName: hostile,
      clientLogo: 'javascript:alert(1)',
      username: hostile,
      error: hostile,
      reauthenticate: true,
    },
  },
  {
    label: 'select-account',
    view: 'select-account/select-account',
    title: 'Choose an account',
    model: {
      ...form,
      clientName: 'Fieldnotes',
      accounts: [{ id: '7f3a', name: 'Ada Byron', detail: 'ada@example.com' }],
    },
  },
  {
    label: 'select-account-hostile',
    view: 'select-account/select-account',
    title: hostile,
    model: {
      ...form,
      clientName: hostile,
      clientLogo: 'javascript:alert(1)',
      accounts: [{ id: hostile, name: hostile, detail: hostile }],
    },
  },
  { label: 'consent', view: 'consent/consent', title: 'Allow access?', model: consent },
  {
    label: 'consent-full',
    view: 'consent/consent',
    title: 'Allow access?',
    model: {
      ...consent,
      items: [{ title: 'Make a payment', detail: 'At “Your bank”:', lines: payment }, ...asked],
      clientUri: 'https://notes.example.com',
      clientLogo: logo,
      policyUri: 'https://notes.example.com/privacy',
      tosUri: 'https://notes.example.com/terms',
      warning: 'This app registered itself, and nobody here has checked who makes it.',
    },
  },
  {
    label: 'consent-hostile',
    view: 'consent/consent',
    title: hostile,
    model: {
      ...form,
      clientName: hostile,
      clientUri: 'javascript:alert(1)',
      policyUri: `https://evil.example/${hostile}`,
      tosUri: 'data:text/html,hi',
      personLabel: hostile,
      items: [{ title: hostile, detail: hostile, lines: [{ name: hostile, value: hostile }] }],
      redirectHost: `${'very-long-label.'.repeat(15)}example`,
      warning: hostile,
    },
  },
  {
    label: 'no-access',
    view: 'sign-in/no-access',
    title: 'No access',
    model: { ...form, errorId, clientName: 'Fieldnotes', personLabel: 'Ada Byron (ada@example.com)' },
  },
  {
    label: 'no-access-hostile',
    view: 'sign-in/no-access',
    title: 'No access',
    model: { ...form, errorId: hostile, clientName: hostile, personLabel: hostile },
  },
  {
    label: 'logout',
    view: 'logout/confirm',
    title: 'Sign out',
    model: { action: '/logout/confirm', xsrf: 'x5', personLabel: 'Ada Byron (ada@example.com)' },
  },
  {
    label: 'logout-app',
    view: 'logout/confirm',
    title: 'Sign out',
    model: { action: '/logout/confirm', xsrf: 'x5', clientName: 'Fieldnotes', personLabel: 'ada@example.com' },
  },
  {
    label: 'logout-hostile',
    view: 'logout/confirm',
    title: 'Sign out',
    model: { action: '/logout/confirm', xsrf: hostile, clientName: hostile, personLabel: hostile },
  },
  {
    label: 'device-code',
    view: 'device/code',
    title: 'Connect a device',
    model: { action: '/device', xsrf: 'x5', userCode: '' },
  },
  {
    label: 'device-code-error',
    view: 'device/code',
    title: 'Error: Connect a device',
    model: {
      action: '/device',
      xsrf: 'x5',
      userCode: 'bcdf ghjk',
      error: 'There is no such code. Compare it with the one on your device, letter by letter.',
    },
  },
  {
    label: 'device-code-hostile',
    view: 'device/code',
    title: hostile,
    model: { action: '/device', xsrf: hostile, userCode: hostile, error: hostile },
  },
  {
    label: 'device-confirm',
    view: 'device/confirm',
    title: 'Connect this device?',
    model: {
      ...deviceQuestion,
      clientName: 'Fieldnotes for TV',
      clientHost: 'notes.example.com',
    },
  },
  {
    label: 'device-confirm-hostile',
    view: 'device/confirm',
    title: hostile,
    model: {
      action: '/device',
      xsrf: hostile,
      userCode: hostile,
      clientName: hostile,
      clientLogo: 'javascript:alert(1)',
      clientHost: hostile,
      address: hostile,
      userAgent: hostile,
    },
  },
  {
    label: 'device-done',
    view: 'device/done',
    title: 'Your device is connected',
    model: { connected: true, clientName: 'Fieldnotes for TV' },
  },
  {
    label: 'device-done-hostile',
    view: 'device/done',
    title: 'Your device is connected',
    model: { connected: true, clientName: hostile },
  },
  { label: 'device-aborted', view: 'device/done', title: 'Nothing was connected', model: { connected: false } },
  { label: 'logout-done', view: 'logout/done', title: 'Signed out', model: {} },
  {
    label: 'logout-done-app',
    view: 'logout/done',
    title: 'Signed out',
    model: { clientName: 'Fieldnotes', stillSignedIn: true },
  },
  { label: 'logout-stayed', view: 'logout/done', title: 'Signed in', model: { stillSignedIn: true } },
  {
    label: 'error',
    view: 'error/error',
    title: failure.title,
    model: {
      ...failure,
      hint: 'Go back to the app and try once more. If it happens again, tell its makers the error id.',
      details:
        'The redirect_uri https://notes.example.com/cb is not registered for client 7f3a.\nRegister it exactly as the app sends it: latchkey client update 7f3a --redirect-uri https://notes.example.com/cb',
    },
  },
  {
    label: 'error-short',
    view: 'error/error',
    title: 'Something went wrong',
    model: {
      code: 'internal_error',
      errorId,
      title: 'Something went wrong',
      message: 'It is our fault, and it has been logged.',
      retryHref: '/',
    },
  },
  {
    label: 'error-hostile',
    view: 'error/error',
    title: hostile,
    model: {
      code: hostile,
      errorId: hostile,
      title: hostile,
      message: hostile,
      hint: hostile,
      details: hostile,
      retryHref: '//evil.example',
    },
  },
  {
    label: 'home',
    view: 'home/home',
    title: 'Identity provider',
    model: {
      issuer: 'https://id.example.com',
      discoveryUrl: 'https://id.example.com/.well-known/openid-configuration',
    },
  },
  {
    label: 'home-waiting',
    view: 'home/home',
    title: 'Identity provider',
    model: {
      issuer: 'https://id.example.com',
      discoveryUrl: 'https://id.example.com/.well-known/openid-configuration',
      approvalsHref: '/approvals',
    },
  },
  {
    label: 'home-hostile',
    view: 'home/home',
    title: 'Identity provider',
    model: {
      issuer: `https://${long}.example`,
      discoveryUrl: `https://${long}.example/.well-known/openid-configuration`,
    },
  },
  ...approvalSamples(hostile),
]
