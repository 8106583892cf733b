/**
 * The thread that password-check.ts starts for one bcrypt hash: it is given hash and password, tells whether they belong
 * together, and ends. Like every bcrypt it looks at the first 72 bytes of a password.
 */
import { parentPort, workerData } from 'node:worker_threads'
import { compareSync } from 'bcryptjs'

// boundary: password-check.ts gives nothing else
const { encoded, password } = workerData as { readonly encoded: string; readonly password: string }
// oxlint-disable-next-line unicorn/require-post-message-target-origin -- that is for windows; a thread has no origin
parentPort?.postMessage(compareSync(password, encoded))
