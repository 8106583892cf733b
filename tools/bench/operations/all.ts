import { codeFlow, codeFlowOwn, passwordSignIn, ssoFlow } from './code-flow.ts'
import { documentOperations } from './documents.ts'
import type { Operation } from './operation.ts'
import { tokenOperations } from './tokens.ts'

/** In the order of the table. */
export const OPERATIONS: readonly Operation[] = [
  ...documentOperations,
  ...tokenOperations,
  codeFlow,
  codeFlowOwn,
  ssoFlow,
  passwordSignIn,
]
