// Each refusal leaves one row in the audit, under the id that was told and without a secret, and latchkey explain says of
// it what was received and registered, the rule, where it is written, and what would mend it.
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { AuditEntry } from '#core/audit/event.ts'
import { PASSWORD } from '../support/app.ts'
import { databases } from '../support/databases.ts'
import { ENDPOINT_MISTAKES } from '../support/endpoint-mistakes.ts'
import { explainScene, toldId, type ExplainScene } from '../support/explain.ts'
import { CANARY } from '../support/mistakes.ts'
import { PAGE_MISTAKES } from '../support/page-mistakes.ts'
import { TOKEN_MISTAKES } from '../support/token-mistakes.ts'

interface Explained {
  readonly reason: string
  readonly rule: { readonly sentence: string; readonly source: string }
  readonly received: Readonly<Record<string, unknown>>
  readonly registered: Readonly<Record<string, unknown>>
  readonly remedy: { readonly sentence: string; readonly command?: string }
}

describe.each(databases)('on $name, the audit', (database) => {
  let scene: ExplainScene

  beforeAll(async () => void (scene = await explainScene(database)))
  afterAll(() => scene.app.close())

  const newest = async (): Promise<readonly AuditEntry[]> => {
    await scene.app.services.audit.flush()
    return (await scene.app.services.auditTrail.list({ limit: 20 })).items
  }

  const explained = async (id: string): Promise<Explained> => {
    const { exit, stdout, stderr } = await scene.explain(id, '--json')
    expect(exit, stderr).toBe(0)
    return JSON.parse(stdout) as Explained
  }

  test.each(Object.entries({ ...PAGE_MISTAKES, ...TOKEN_MISTAKES, ...ENDPOINT_MISTAKES }))(
    'has one row of %s, which explain explains',
    async (_, { make, type, says, more = {} }) => {
      const before = new Set((await newest()).map(({ id }) => id))
      const answer = await make(scene)
      const id = toldId(answer)
      const fresh = (await newest()).filter((entry) => !before.has(entry.id))
      const refused = fresh.filter((entry) => /refused|detected/.test(entry.type))
      expect(refused.map((entry) => [entry.type, entry.request_id])).toEqual([[type, id]])
      expect(refused[0]).toMatchObject({ address: expect.stringMatching(/127\.0\.0\.1|::1/), ...more })

      expect(answer.status).toBeLessThan(500)
      const location = answer.headers.get('location')
      const told = location === null ? answer.body : decodeURIComponent(location.replaceAll('+', ' '))
      expect(told).toContain(location === null ? id : `(error id: ${id})`)
      if (answer.body.startsWith('{')) expect(JSON.parse(answer.body)).toMatchObject({ error_id: id })

      const { reason, rule, received, registered, remedy } = await explained(id)
      expect([reason, rule.sentence, rule.source, remedy.command ?? remedy.sentence].join(' | ')).toMatch(says)
      expect(rule.source).not.toBe('')
      if ('client_id' in received) expect(registered).toHaveProperty('client_id')
      const text = JSON.stringify([fresh, reason, rule, received, registered, remedy])
      for (const secret of [CANARY, PASSWORD, scene.web.secret ?? '']) expect(text).not.toContain(secret)
    },
  )

  test('is still whole after all of that', async () => {
    expect((await scene.app.services.auditTrail.verify()).problems).toEqual([])
  })
})
