/**
 * `latchkey doctor`: looks at the server from the outside in, as applications and browsers meet it through the proxy,
 * and then at what stands behind it. Outside it sends a few requests to ISSUER (outside.ts, questions.ts); inside it
 * reads settings, files and the database (inside.ts) and changes nothing. What was seen is judged by pure functions, one
 * file for each kind of check, in one table (examination.ts); what could not be seen is said to be unchecked. One route
 * belongs to it: the witness, which tells what the server saw of a request, to who proves to hold the master key
 * (witness.ts). It mends nothing.
 */
import type { Feature } from '#core/feature.ts'
import { witnessRoute } from './routes.ts'

export const doctor: Feature = { word: 'doctor', routes: witnessRoute }
