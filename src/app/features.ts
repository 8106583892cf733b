/**
 * The product, one line a capability. The order is the order of routes; everything else does not depend on it.
 */
import type { Feature } from '#core/feature.ts'
import type { Needs } from '#oidc/needs.ts'
import { accounts } from '#features/accounts/index.ts'
import { apis } from '#features/apis/index.ts'
import { approvals } from '#features/approvals/index.ts'
import { audit } from '#features/audit/index.ts'
import { claimReceipts } from '#features/claim-receipts/index.ts'
import { clients } from '#features/clients/index.ts'
import { consent } from '#features/consent/index.ts'
import { device } from '#features/device/index.ts'
import { doctor } from '#features/doctor/index.ts'
import { explain } from '#features/explain/index.ts'
import { expiry } from '#features/expiry/index.ts'
import { groups } from '#features/groups/index.ts'
import { home } from '#features/home/index.ts'
import { logout } from '#features/logout/index.ts'
import { observability } from '#features/observability/index.ts'
import { password } from '#features/password/index.ts'
import { registration } from '#features/registration/index.ts'
import { selectAccount } from '#features/select-account/index.ts'
import { signIn } from '#features/sign-in/index.ts'
import { signingKeys } from '#features/signing-keys/index.ts'

export const features: readonly Feature<Needs>[] = [
  observability,
  doctor,
  home,
  signIn,
  selectAccount,
  password,
  consent,
  logout,
  device,
  approvals,
  clients,
  accounts,
  groups,
  apis,
  registration,
  signingKeys,
  claimReceipts,
  audit,
  explain,
  expiry,
]
