// The pages of approvals for pages-preview.ts, as they are meant and as bad as people can make them.
import type { Sample } from './pages-preview.ts'

const request = {
  action: '/approvals/abc',
  csrf: 'k3J9-token',
  clientName: 'Call centre',
  clientHost: 'calls.example.com',
  message: 'Order 4711, 12.50 EUR',
  minutes: 2,
  asked: { details: [], items: [{ word: 'scope.openid', detail: 'scope.openid.detail' }], claims: [], ownClaims: [] },
  personLabel: 'Ada Byron (ada@example.com)',
}
const listed = { href: '/approvals/abc', clientName: 'Call centre', message: request.message, minutes: 0 }

/** @param hostile what somebody may have put into any name */
export function approvalSamples(hostile: string): readonly Sample[] {
  const { message: _, clientHost: __, ...bare } = request
  return [
    {
      label: 'approvals-none',
      view: 'approvals/list',
      title: 'list',
      model: { personLabel: request.personLabel, requests: [] },
    },
    {
      label: 'approvals',
      view: 'approvals/list',
      title: 'list',
      model: {
        personLabel: request.personLabel,
        requests: [listed, { href: '/approvals/def', clientName: 'Till', minutes: 2 }],
      },
    },
    {
      label: 'approvals-hostile',
      view: 'approvals/list',
      title: 'list',
      model: {
        personLabel: hostile,
        requests: [{ href: hostile, clientName: hostile, message: 'x'.repeat(64), minutes: 0 }],
      },
    },
    { label: 'approval', view: 'approvals/request', title: 'request', model: request },
    { label: 'approval-bare', view: 'approvals/request', title: 'request', model: bare },
    {
      label: 'approval-hostile',
      view: 'approvals/request',
      title: 'request',
      model: {
        ...request,
        action: hostile,
        clientName: hostile,
        clientHost: hostile,
        clientLogo: 'javascript:alert(1)',
        message: 'x'.repeat(64),
        asked: {
          details: [],
          items: [{ word: 'other-scope', detail: 'other-scope.detail', values: { scope: hostile } }],
          claims: [],
          ownClaims: [hostile],
        },
        personLabel: hostile,
      },
    },
    {
      label: 'approval-given',
      view: 'approvals/answer',
      title: 'approved',
      model: { approved: true, clientName: 'Call centre', listHref: '/approvals' },
    },
    {
      label: 'approval-denied',
      view: 'approvals/answer',
      title: 'denied',
      model: { approved: false, clientName: 'Call centre', listHref: '/approvals' },
    },
  ]
}
