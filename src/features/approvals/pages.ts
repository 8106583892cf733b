import type { Context } from 'koa'
import { personLabel, type Account } from '#core/accounts/account.ts'
import type { Client } from '#core/clients/client.ts'
import { shownLogo } from '#core/clients/shown-logo.ts'
import { consentWords, type ConsentWords } from '#core/consents/consent-words.ts'
import type { Approval } from '#oidc/approvals.ts'
import { renderPage, view } from '#platform/http/render.ts'
import type words from '#views/approvals/words.json'

interface ListPage {
  readonly personLabel: string
  readonly requests: readonly {
    readonly href: string
    readonly clientName: string
    readonly message: string | undefined
    /** Since it was asked. */
    readonly minutes: number
  }[]
}

interface RequestPage {
  readonly action: string
  readonly csrf: string
  readonly clientName: string
  readonly clientLogo: string | undefined
  readonly clientHost: string | undefined
  readonly message: string | undefined
  /** Since it was asked. */
  readonly minutes: number
  readonly asked: ConsentWords
  readonly personLabel: string
}

interface AnswerPage {
  readonly approved: boolean
  readonly clientName: string
  readonly listHref: string
}

const listPage = view<ListPage, typeof words>('approvals/list')
const requestPage = view<RequestPage, typeof words>('approvals/request')
const answerPage = view<AnswerPage, typeof words>('approvals/answer')

/** What waits for the person. @param home the address of this page @param now in seconds since the epoch */
export async function showList(
  ctx: Context,
  { account, home, approvals, now }: { account: Account; home: string; approvals: readonly Approval[]; now: number },
): Promise<void> {
  const requests = approvals.map((approval) => ({
    href: `${home}/${approval.id}`,
    clientName: approval.client.name,
    message: approval.bindingMessage,
    minutes: minutesSince(approval, now),
  }))
  await renderPage(ctx, listPage, 'list', { personLabel: personLabel(account), requests })
}

/** Asks about one request. @param now in seconds since the epoch */
export async function showRequest(
  ctx: Context,
  {
    account,
    approval,
    action,
    csrf,
    now,
  }: { account: Account; approval: Approval; action: string; csrf: string; now: number },
): Promise<void> {
  await renderPage(ctx, requestPage, 'request', {
    action,
    csrf,
    clientName: approval.client.name,
    clientLogo: shownLogo(approval.client),
    clientHost: hostOf(approval.client),
    message: approval.bindingMessage,
    minutes: minutesSince(approval, now),
    asked: consentWords(approval.asked),
    personLabel: personLabel(account),
  })
}

/** Tells what the answer was, as often as it is asked. */
export async function showAnswer(
  ctx: Context,
  { approval: { answer, client }, home }: { approval: Approval; home: string },
): Promise<void> {
  const approved = answer === 'approved'
  await renderPage(ctx, answerPage, approved ? 'approved' : 'denied', {
    approved,
    clientName: client.name,
    listHref: home,
  })
}

function hostOf({ metadata: { client_uri: uri } }: Client): string | undefined {
  return typeof uri === 'string' ? URL.parse(uri)?.host : undefined
}

function minutesSince({ madeAt }: Approval, now: number): number {
  return Math.floor((now - madeAt) / 60)
}
