/**
 * The page where a person answers what clients ask of them without a browser at hand (CIBA, backchannel
 * authentication): /approvals lists what waits for whoever is signed in, /approvals/:id asks about one request. The
 * protocol floor takes the requests, knows who is signed in, and writes each answer once; this room speaks to the
 * person. It deliberately has no way to sign in of its own: it sends the browser through the server's authorization
 * endpoint like an application. And it never says whether a request that is not for this person exists.
 */
import type { Feature } from '#core/feature.ts'
import type { Needs } from '#oidc/needs.ts'
import { approvalRoutes } from './routes.ts'

export const approvals: Feature<Needs> = { word: 'approvals', routes: approvalRoutes }
