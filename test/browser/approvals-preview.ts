// The pages of approvals for pages-preview.ts, as they are meant and as bad as people can make them.
import type { Sample } from './pages-preview.ts'

const request = {
  action: '/approvals/abc',
  csrf: 'k3J9-token',
  clientName: 'Call centre',
  clientHost: 'calls.example.com',
  message: 'Order 4711, 12.50 EUR',
  when: '2 minutes ago',
  items: [
    { title: 'Know that it is you', detail: 'It gets an identifier that stands for your account.' },
    { title: 'See your e-mail address', detail: '' },
  ],
  personLabel: 'Ada Byron (ada@example.com)',
}
const listed = { href: '/approvals/abc', clientName: 'Call centre', message: request.message, when: 'just now' }

/** @param hostile what somebody may have put into any name */
export function approvalSamples(hostile: string): readonly Sample[] {
  const { message: _, clientHost: __, ...bare } = request
  return [
    {
      label: 'approvals-none',
      view: 'approvals/list',
      title: 'Requests for you',
      model: { personLabel: request.personLabel, requests: [] },
    },
    {
      label: 'approvals',
      view: 'approvals/list',
      title: 'Requests for you',
      model: {
        personLabel: request.personLabel,
        requests: [listed, { href: '/approvals/def', clientName: 'Till', when: '2 minutes ago' }],
      },
    },
    {
      label: 'approvals-hostile',
      view: 'approvals/list',
      title: hostile,
      model: {
        personLabel: hostile,
        requests: [{ href: hostile, clientName: hostile, message: 'x'.repeat(64), when: 'just now' }],
      },
    },
    { label: 'approval', view: 'approvals/request', title: 'Approve this request?', model: request },
    { label: 'approval-bare', view: 'approvals/request', title: 'Approve this request?', model: bare },
    {
      label: 'approval-hostile',
      view: 'approvals/request',
      title: hostile,
      model: {
        ...request,
        action: hostile,
        clientName: hostile,
        clientHost: hostile,
        clientLogo: 'javascript:alert(1)',
        message: 'x'.repeat(64),
        items: [{ title: hostile, detail: hostile }],
        personLabel: hostile,
      },
    },
    {
      label: 'approval-given',
      view: 'approvals/answer',
      title: 'Approved',
      model: { approved: true, clientName: 'Call centre', listHref: '/approvals' },
    },
    {
      label: 'approval-denied',
      view: 'approvals/answer',
      title: 'Not approved',
      model: { approved: false, clientName: 'Call centre', listHref: '/approvals' },
    },
  ]
}
