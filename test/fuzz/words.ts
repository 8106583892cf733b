// The words that odd requests are made of. Those in ‹brackets› stand for what each server made.

/** Words that stand apart by spaces. */
function words(text: string): string[] {
  return text.trim().split(/\s+/)
}

/** What a server fills in for itself. */
export const HELD = [
  'web',
  'web-secret',
  'service',
  'service-secret',
  'spa',
  'device',
  'code',
  'access-token',
  'refresh-token',
  'id-token',
  'registered',
  'registration-token',
  'uid',
  'csrf',
  'issuer',
] as const
export type Held = (typeof HELD)[number]

export const METHODS = words(`
  GET GET GET POST POST POST POST PUT DELETE OPTIONS HEAD PATCH TRACE
`)

/** Pages, and what is found behind an id; endpoints are found by discovery. */
export const PAGES = words(`
  / /healthz /readyz /metrics /approvals /approvals/x /device /device/x /interaction/‹uid› /interaction/x
  /interaction/‹uid›/password /interaction/‹uid›/consent /authorize/x /logout/confirm /logout/success
  /register/‹registered› /register/x /assets/x.css /nothing
  /.well-known/openid-configuration /.well-known/oauth-authorization-server
`)

/** Names of parameters. */
export const NAMES = words(`
  client_id client_secret response_type response_mode redirect_uri scope state nonce code code_verifier code_challenge
  code_challenge_method grant_type refresh_token token token_type_hint prompt max_age login_hint id_token_hint
  acr_values ui_locales claims request request_uri resource authorization_details display claims_locales dpop_jkt
  client_assertion client_assertion_type device_code auth_req_id user_code binding_message post_logout_redirect_uri
  logout xsrf csrf username password decision account confirm access_token requested_expiry
  client_notification_token __proto__ constructor a[b] x
`)

export const VALUES = [
  ...HELD.map((name) => `‹${name}›`),
  ...words(`
    code token id_token none query fragment form_post jwt query.jwt openid S256 plain authorization_code refresh_token
    client_credentials urn:ietf:params:oauth:grant-type:device_code urn:openid:params:grant-type:ciba
    urn:ietf:params:oauth:client-assertion-type:jwt-bearer urn:ietf:params:oauth:request_uri:x
    http://localhost:9/callback http://localhost:9/Callback E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM
    login consent select_account 0 -1 1e9 99999999999999999999999999999999999999 yes allow ada .. BCDF-GHJK %s%n
    {"userinfo":{"name":null},"id_token":{"sub":{"value":"\\u0000"}}} {"id_token":{"acr":{"essential":true}}}
    [{"type":"payment"}] [{"type":"\\u0000"}] {"__proto__":{"x":1}} {"a":1,"a":2} [[[[[[[[[[[[[[[[[[[[[[[[[[]
    eyJhbGciOiJub25lIn0.eyJpc3MiOiJ4Iiwic3ViIjoieCJ9. eyJhbGciOiJSUzI1NiJ9.e30.AA
    eyJhbGciOiJIUzI1NiIsImtpZCI6Ii4uIn0.W10.x ../../etc/passwd \${7*7}
  `),
  '',
  'code id_token',
  'openid profile email offline_access',
  'login none',
  'de fr',
  "'; drop table artifacts;--",
  '<svg onload=alert(1)>',
]

/** Pieces of a query or form as they are sent: well-encoded, badly encoded, and characters with a history. */
export const ODD_PIECES = words(`
  %00 % %zz %E0%A4%A %C0%80 %ED%A0%80 %F0%9F%98%80 %E2%80%A8 %E2%80%AE %1B %0d%0a %EF%BF%BF %F4%8F%BF%BF %7F + %2500
  [] [a] = & ; %23 é %C2%85
`)

/** Ends of a path. */
export const ODD_ENDS = words('/ %00 %2e%2e /.. ;x // %E0 /x')

const CHALLENGE = 'code_challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM code_challenge_method=S256'
const CALLBACK = 'redirect_uri=http%3A%2F%2Flocalhost%3A9%2Fcallback'
const WEB = 'client_id=‹web› client_secret=‹web-secret›'

/** Requests that are in order: method, path and parameters. */
export const IN_ORDER = [
  `GET /authorize client_id=‹web› response_type=code ${CALLBACK} scope=openid state=s ${CHALLENGE}`,
  `POST /authorize client_id=‹web› response_type=code ${CALLBACK} scope=openid state=s ${CHALLENGE}`,
  'POST /token grant_type=client_credentials client_id=‹service› client_secret=‹service-secret›',
  `POST /token grant_type=refresh_token refresh_token=‹refresh-token› ${WEB}`,
  `POST /token grant_type=authorization_code code=‹code› ${CALLBACK} ${WEB}`,
  `POST /par client_id=‹spa› response_type=code ${CALLBACK} scope=openid ${CHALLENGE}`,
  `POST /introspect token=‹access-token› ${WEB}`,
  `POST /revoke token=‹refresh-token› ${WEB}`,
  'POST /device_authorization client_id=‹device› scope=openid',
  'POST /device user_code=BCDF-GHJK xsrf=x',
  'GET /interaction/‹uid›',
  'POST /interaction/‹uid›/password csrf=‹csrf› username=ada password=wrong',
  'GET /logout id_token_hint=‹id-token› client_id=‹web›',
  'GET /userinfo',
].map(words)

/** Members of a client's metadata. */
export const MEMBERS = words(`
  client_name token_endpoint_auth_method scope logo_uri grant_types response_types contacts application_type
  id_token_signed_response_alg default_max_age post_logout_redirect_uris jwks type software_id client_uri subject_type
  sector_identifier_uri request_uris backchannel_logout_uri __proto__
`)
