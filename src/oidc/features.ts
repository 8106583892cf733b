/**
 * The library's features that are on and need nothing else: one list for the server and for the verdict on a client's
 * metadata, since a feature brings members of its own. Those that need services or pages stand in configuration.ts.
 */
import type { Configuration } from 'oidc-provider'
import { fapi } from './fapi2.ts'
import { judgeRequestObject } from './request-objects.ts'

export const SWITCHES = {
  devInteractions: { enabled: false },
  clientCredentials: { enabled: true },
  claimsParameter: { enabled: true },
  pushedAuthorizationRequests: { enabled: true },
  backchannelLogout: { enabled: true }, // what is sent is sent by backchannel-logout.ts
  fapi,
  requestObjects: { enabled: true, assertJwtClaimsAndHeader: judgeRequestObject }, // by value (RFC 9101); by reference only what was pushed
  // OpenID Connect Core 1.0 §5.3.2, RFC 9701, and JARM (JWT Secured Authorization Response Mode for OAuth 2.0)
  jwtUserinfo: { enabled: true },
  jwtIntrospection: { enabled: true },
  jwtResponseModes: { enabled: true },
  encryption: { enabled: true },
} satisfies Configuration['features']
