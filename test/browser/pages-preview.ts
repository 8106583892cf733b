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
const signIn = { ...form, clientName: 'Fieldnotes', username: '', reauthenticate: false, remember: 'not-offered' }
const asked = ['openid', 'profile', 'email', 'offline_access'].map((scope) => ({
  word: `scope.${scope}`,
  detail: `scope.${scope}.detail`,
}))
const consent = {
  ...form,
  clientName: 'Fieldnotes',
  personLabel: 'Ada Byron (ada@example.com)',
  asked: { details: [], items: asked, claims: [], ownClaims: [] },
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
  message: 'not-allowed',
  hint: 'hint.tell-the-app',
}

export interface Sample {
  /** A name for the screenshot or the test. */
  label: string
  view: `${string}/${string}`
  /** A key of its words. */
  title: string
  model: object
}

export const samples: readonly Sample[] = [
  { label: 'sign-in', view: 'password/sign-in', title: 'title', model: signIn },
  {
    label: 'sign-in-error',
    view: 'password/sign-in',
    title: 'title',
    model: {
      ...signIn,
      clientLogo: logo,
      username: 'ada@example.com',
      error: 'wrong',
      errorId,
      remember: 'yes',
    },
  },
  {
    label: 'sign-in-again',
    view: 'password/sign-in',
    title: 'title-again',
    model: { ...signIn, username: 'ada@example.com', reauthenticate: true },
  },
  {
    label: 'sign-in-hostile',
    view: 'password/sign-in',
    title: 'title-again',
    model: {
      ...signIn,
      clientName: hostile,
      clientLogo: 'javascript:alert(1)',
      username: hostile,
      error: 'wrong-again',
      errorId,
      reauthenticate: true,
    },
  },
  {
    label: 'select-account',
    view: 'select-account/select-account',
    title: 'title',
    model: {
      ...form,
      clientName: 'Fieldnotes',
      accounts: [{ id: '7f3a', name: 'Ada Byron', detail: 'ada@example.com' }],
    },
  },
  {
    label: 'select-account-hostile',
    view: 'select-account/select-account',
    title: 'title',
    model: {
      ...form,
      clientName: hostile,
      clientLogo: 'javascript:alert(1)',
      accounts: [{ id: hostile, name: hostile, detail: hostile }],
    },
  },
  { label: 'consent', view: 'consent/consent', title: 'title', model: consent },
  {
    label: 'consent-full',
    view: 'consent/consent',
    title: 'title',
    model: {
      ...consent,
      clientUri: 'https://notes.example.com',
      clientLogo: logo,
      policyUri: 'https://notes.example.com/privacy',
      tosUri: 'https://notes.example.com/terms',
      warning: { word: 'registered-itself', values: { place: 'notes.example.com', host: 'notes.example.com' } },
      asked: {
        details: [{ title: 'Make a payment', api: 'Your bank', lines: payment }],
        items: asked,
        claims: ['birthdate', 'groups'],
        ownClaims: ['Nr. 7'],
      },
    },
  },
  {
    label: 'consent-hostile',
    view: 'consent/consent',
    title: 'title',
    model: {
      ...form,
      clientName: hostile,
      clientUri: 'javascript:alert(1)',
      policyUri: `https://evil.example/${hostile}`,
      tosUri: 'data:text/html,hi',
      personLabel: hostile,
      asked: {
        details: [{ title: hostile, api: hostile, lines: [{ name: hostile, value: hostile }] }],
        items: [
          { word: 'api', detail: 'api.scopes', values: { name: hostile, scopes: hostile } },
          { word: 'other-scope', detail: 'other-scope.detail', values: { scope: hostile } },
        ],
        claims: ['phone_number'],
        ownClaims: [hostile],
      },
      redirectHost: `${'very-long-label.'.repeat(15)}example`,
      warning: { word: 'described-elsewhere', values: { place: hostile, host: hostile } },
    },
  },
  {
    label: 'no-access',
    view: 'sign-in/no-access',
    title: 'no-access-title',
    model: { ...form, errorId, clientName: 'Fieldnotes', personLabel: 'Ada Byron (ada@example.com)' },
  },
  {
    label: 'no-access-hostile',
    view: 'sign-in/no-access',
    title: 'no-access-title',
    model: { ...form, errorId: hostile, clientName: hostile, personLabel: hostile },
  },
  {
    label: 'logout',
    view: 'logout/confirm',
    title: 'title',
    model: { action: '/logout/confirm', xsrf: 'x5', personLabel: 'Ada Byron (ada@example.com)' },
  },
  {
    label: 'logout-app',
    view: 'logout/confirm',
    title: 'title',
    model: { action: '/logout/confirm', xsrf: 'x5', clientName: 'Fieldnotes', personLabel: 'ada@example.com' },
  },
  {
    label: 'logout-hostile',
    view: 'logout/confirm',
    title: 'title',
    model: { action: '/logout/confirm', xsrf: hostile, clientName: hostile, personLabel: hostile },
  },
  {
    label: 'device-code',
    view: 'device/code',
    title: 'code',
    model: { action: '/device', xsrf: 'x5', userCode: '' },
  },
  {
    label: 'device-code-error',
    view: 'device/code',
    title: 'code',
    model: {
      action: '/device',
      xsrf: 'x5',
      userCode: 'bcdf ghjk',
      error: 'problem.unknown',
      errorId,
    },
  },
  {
    label: 'device-code-hostile',
    view: 'device/code',
    title: 'code',
    model: { action: '/device', xsrf: hostile, userCode: hostile, error: 'problem.unknown', errorId: hostile },
  },
  {
    label: 'device-confirm',
    view: 'device/confirm',
    title: 'confirm',
    model: {
      ...deviceQuestion,
      clientName: 'Fieldnotes for TV',
      clientHost: 'notes.example.com',
    },
  },
  {
    label: 'device-confirm-hostile',
    view: 'device/confirm',
    title: 'confirm',
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
    title: 'connected',
    model: { connected: true, clientName: 'Fieldnotes for TV' },
  },
  {
    label: 'device-done-hostile',
    view: 'device/done',
    title: 'connected',
    model: { connected: true, clientName: hostile },
  },
  { label: 'device-aborted', view: 'device/done', title: 'aborted', model: { connected: false } },
  { label: 'logout-done', view: 'logout/done', title: 'out', model: {} },
  {
    label: 'logout-done-app',
    view: 'logout/done',
    title: 'left',
    model: { clientName: 'Fieldnotes', stillSignedIn: true },
  },
  { label: 'logout-stayed', view: 'logout/done', title: 'stayed', model: { stillSignedIn: true } },
  {
    label: 'error',
    view: 'error/error',
    title: 'title.cannot-go-on',
    model: {
      ...failure,
      details:
        'The redirect_uri https://notes.example.com/cb is not registered for client 7f3a.\nRegister it exactly as the app sends it: latchkey client update 7f3a --redirect-uri https://notes.example.com/cb',
    },
  },
  {
    label: 'error-short',
    view: 'error/error',
    title: 'title.wait',
    model: { code: 'too_many_attempts', errorId, message: 'too-many', hint: 'hint.wait', values: { count: 15 } },
  },
  {
    label: 'error-hostile',
    view: 'error/error',
    title: 'title.cannot-go-on',
    model: { ...failure, code: hostile, errorId: hostile, details: hostile },
  },
  {
    label: 'home',
    view: 'home/home',
    title: 'title',
    model: {
      issuer: 'https://id.example.com',
      discoveryUrl: 'https://id.example.com/.well-known/openid-configuration',
    },
  },
  {
    label: 'home-waiting',
    view: 'home/home',
    title: 'title',
    model: {
      issuer: 'https://id.example.com',
      discoveryUrl: 'https://id.example.com/.well-known/openid-configuration',
      approvalsHref: '/approvals',
    },
  },
  {
    label: 'home-hostile',
    view: 'home/home',
    title: 'title',
    model: {
      issuer: `https://${long}.example`,
      discoveryUrl: `https://${long}.example/.well-known/openid-configuration`,
    },
  },
  ...approvalSamples(hostile),
]
