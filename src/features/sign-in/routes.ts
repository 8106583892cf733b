import { Router } from '@koa/router'
import type { Context, Middleware } from 'koa'
import { amrOf } from '#core/authentication.ts'
import type { Step } from '#core/feature.ts'
import { interactionPath } from '#core/issuer-paths.ts'
import { equalSecrets } from '#core/secrets.ts'
import type { Evidence, StepOutcome, StepScene } from '#core/sign-in-steps.ts'
import { noteRefusal } from '#oidc/audit-notes.ts'
import type { Interaction } from '#oidc/interactions.ts'
import type { Needs } from '#oidc/needs.ts'
import { scopesByApi } from '#oidc/resource-consent.ts'
import { AppError } from '#platform/errors.ts'
import { readForm } from '#platform/http/forms.ts'
import { factsOf } from '#platform/http/request-facts.ts'
import { nextStep, type SignInState } from './next-step.ts'

/** GET shows the step that is due; POST /:step takes its form, if that step is due. */
export function signInRoutes(needs: Needs): Middleware {
  const router = new Router()

  router.get('/interaction/:uid', async (ctx) => {
    const interaction = await needs.interactions.load(ctx, ctx.params['uid'] ?? '')
    const scene = await setScene(interaction, needs)
    await dueStep(interaction, scene, needs).show(ctx, scene)
  })

  router.post('/interaction/:uid/:step', async (ctx) => {
    const form = await readForm(ctx)
    needs.steps.find(({ name }) => name === ctx.params['step'])?.admit?.(form)
    const interaction = await needs.interactions.load(ctx, ctx.params['uid'] ?? '')
    const scene = await setScene(interaction, needs)
    if (!equalSecrets(form['csrf'] ?? '', scene.csrf)) {
      noteRefusal(ctx, { accountId: interaction.accountId, clientId: interaction.clientId })
      throw staleForm()
    }
    const step = dueStep(interaction, scene, needs)
    if (step.name !== ctx.params['step']) return seeInteraction(ctx, interaction, needs)
    const outcome = await step.submit(ctx, scene, form)
    if (step.name === 'consent' && outcome.kind === 'refused') await recordDenial(ctx, interaction, needs)
    await apply(ctx, outcome, interaction, scene, needs)
  })

  return router.routes() as Middleware
}

/** What a step says is done; whether it is enough is asked of nextStep, never assumed. */
async function apply(
  ctx: Context,
  outcome: StepOutcome,
  interaction: Interaction,
  { client }: StepScene,
  needs: Needs,
): Promise<void> {
  switch (outcome.kind) {
    case 'again':
      return
    case 'refused':
      return interaction.finishRefused(ctx, outcome.error, outcome.description)
    case 'account-selected':
      return interaction.finishAccountChoice(ctx)
    case 'other-account':
      await interaction.askForOtherAccount()
      return seeInteraction(ctx, interaction, needs)
    case 'switch-account':
      await interaction.leaveSession()
      return seeInteraction(ctx, interaction, needs)
    case 'consented':
      return finishConsented(ctx, interaction, outcome, client, needs)
    case 'proven':
      return finishIfProven(ctx, interaction, outcome, needs)
  }
}

async function finishConsented(
  ctx: Context,
  interaction: Interaction,
  outcome: Extract<StepOutcome, { kind: 'consented' }>,
  client: StepScene['client'],
  needs: Needs,
): Promise<void> {
  const { accountId } = interaction
  if (accountId === undefined) throw signedOutMeanwhile()
  await needs.consents.give({
    accountId,
    clientId: client.id,
    consent: { ...outcome, resources: scopesByApi(outcome.resources) },
    // a first-party client goes by no memory, and the server as its own client has no row that one could hang on
    remembered: !client.firstParty,
    by: { kind: 'person', request: factsOf(ctx.req) },
  })
  return interaction.finishConsent(ctx, outcome)
}

async function finishIfProven(
  ctx: Context,
  interaction: Interaction,
  { evidence, remember }: { readonly evidence: Evidence; readonly remember: boolean },
  needs: Needs,
): Promise<void> {
  if (nextStep({ ...stateOf(interaction), evidence: [evidence] }) !== 'finish')
    return seeInteraction(ctx, interaction, needs)
  await needs.audit.record({
    type: 'sign_in.succeeded',
    by: { kind: 'person', request: factsOf(ctx.req) },
    accountId: evidence.accountId,
    clientId: interaction.clientId,
    facts: { method: evidence.method },
  })
  await interaction.finishLogin(ctx, {
    accountId: evidence.accountId,
    accountChangedAt: evidence.accountChangedAt,
    amr: amrOf([evidence.method]),
    at: needs.clock.now(),
    remember,
  })
}

function recordDenial(ctx: Context, { accountId, clientId }: Interaction, { audit }: Needs): Promise<void> {
  const by = { kind: 'person', request: factsOf(ctx.req) } as const
  return audit.record({ type: 'consent.denied', by, accountId, clientId })
}

function dueStep(interaction: Interaction, scene: StepScene, { steps }: Needs): Step {
  const name = nextStep({ ...stateOf(interaction), signedIn: scene.account !== undefined })
  const step = steps.find((candidate) => candidate.name === name)
  if (!step) throw new Error(`no feature shows the step ${name}`)
  return step
}

function stateOf({ prompt, accountId, otherAccount }: Interaction): SignInState {
  return { prompt, signedIn: accountId !== undefined, otherAccount, evidence: [] }
}

async function setScene(interaction: Interaction, needs: Needs): Promise<StepScene> {
  const { accountId, clientId, prompt, uid } = interaction
  const account = accountId === undefined ? undefined : await needs.accounts.findById(accountId)
  const present = account?.disabled ? undefined : account
  return {
    action: `${interactionPath(needs.settings.issuer, interaction.uid)}/${nextStep({ ...stateOf(interaction), signedIn: present !== undefined })}`,
    csrf: needs.secrets.keyedDigest('csrf', uid),
    client: await needs.clients.get(clientId),
    account: present,
    reauthenticate: prompt === 'login' && present !== undefined && !interaction.reasons.includes('id_token_hint'),
    // somebody else than the person here is also somebody else than the application expects
    loginHint: interaction.otherAccount ? undefined : interaction.loginHint,
    asked: interaction.asked,
    redirectUri: interaction.redirectUri,
  }
}

/** 303, so that a reload of the page that follows sends nothing again. */
function seeInteraction(ctx: Context, interaction: Interaction, needs: Needs): void {
  ctx.status = 303
  ctx.redirect(interactionPath(needs.settings.issuer, interaction.uid))
}

function signedOutMeanwhile(): AppError {
  return new AppError('expired', 'You were signed out meanwhile.', {
    hint: 'Go back to the app and sign in again.',
    told: { message: 'signed-out' },
  })
}

function staleForm(): AppError {
  return new AppError('forbidden', 'The form is out of date or came from another page.', {
    hint: 'Go back, reload the page, and send it again.',
  })
}
