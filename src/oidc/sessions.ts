import type { Session } from 'oidc-provider'
import type { ArtifactStore } from '#core/artifacts/store.ts'
import { artifactKey, OF_A_GRANT } from './adapter.ts'

/**
 * Ends a browser's session and the grants that live by it, as a sign-out does; grants with offline access stay
 * (OpenID Connect Core 1.0 §11).
 */
export async function endSession(
  session: Pick<Session, 'authorizations' | 'destroy'>,
  artifacts: ArtifactStore,
): Promise<void> {
  for (const { grantId, persistsLogout } of Object.values(session.authorizations ?? {})) {
    if (grantId === undefined || persistsLogout) continue
    await artifacts.remove(artifactKey('Grant', grantId))
    await artifacts.removeByGrant(grantId, OF_A_GRANT)
  }
  await session.destroy()
}
