/** Django with mozilla-django-oidc or Authlib, and Django REST framework with SimpleJWT. */
import { below, quoted, SECRET_NAME, type SnippetTarget } from './target.ts'

export const django: SnippetTarget = {
  types: ['web'],
  algorithms: /^(RS|ES|HS)/,
  callback: { pattern: /\/callback\/$/, example: 'https://app.example/oidc/callback/' },
  files: (facts) => [
    {
      path: 'settings.py',
      content: `# settings.py
import os

INSTALLED_APPS += ['mozilla_django_oidc']
AUTHENTICATION_BACKENDS = [
    'mozilla_django_oidc.auth.OIDCAuthenticationBackend',
    'django.contrib.auth.backends.ModelBackend',
]

OIDC_RP_CLIENT_ID = ${quoted(facts.clientId)}
OIDC_RP_CLIENT_SECRET = os.environ[${quoted(SECRET_NAME)}]
OIDC_RP_SIGN_ALGO = ${quoted(facts.algorithm)}
OIDC_RP_SCOPES = ${quoted(facts.scope)}
OIDC_OP_AUTHORIZATION_ENDPOINT = ${below(facts, '/authorize')}
OIDC_OP_TOKEN_ENDPOINT = ${below(facts, '/token')}
OIDC_OP_USER_ENDPOINT = ${below(facts, '/userinfo')}
OIDC_OP_JWKS_ENDPOINT = ${below(facts, '/.well-known/jwks.json')}
OIDC_TOKEN_USE_BASIC_AUTH = ${facts.authMethod === 'client_secret_basic' ? 'True' : 'False'}
OIDC_USE_PKCE = True

LOGIN_URL = 'oidc_authentication_init'
LOGIN_REDIRECT_URL = '/'
LOGOUT_REDIRECT_URL = '/'
`,
    },
    {
      path: 'urls.py',
      content: `# urls.py
from django.urls import include, path

urlpatterns += [
    path(${quoted(new URL(facts.redirectUri).pathname.slice(1, -'callback/'.length))}, include('mozilla_django_oidc.urls')),
]
`,
    },
  ],
}

export const authlib: SnippetTarget = {
  types: ['web'],
  algorithms: /^(RS|PS|ES)/,
  files: (facts) => [
    {
      path: 'settings.py',
      content: `# settings.py
import os

AUTHLIB_OAUTH_CLIENTS = {
    'latchkey': {
        'client_id': ${quoted(facts.clientId)},
        'client_secret': os.environ[${quoted(SECRET_NAME)}],
        'server_metadata_url': ${below(facts, '/.well-known/openid-configuration')},
        'client_kwargs': {
            'scope': ${quoted(facts.scope)},
            'code_challenge_method': 'S256',
            'token_endpoint_auth_method': ${quoted(facts.authMethod)},
        },
    },
}
`,
    },
    {
      path: 'urls.py',
      content: `# urls.py
from authlib.integrations.django_client import OAuth
from django.shortcuts import redirect
from django.urls import path

oauth = OAuth()
oauth.register('latchkey')


def login(request):
    return oauth.latchkey.authorize_redirect(request, ${quoted(facts.redirectUri)})


def callback(request):
    token = oauth.latchkey.authorize_access_token(request)
    request.session['user'] = ${facts.idTokenClaims === 'full' ? "token['userinfo']" : 'oauth.latchkey.userinfo(token=token)'}
    return redirect('/')


urlpatterns += [
    path('login', login),
    path(${quoted(new URL(facts.redirectUri).pathname.slice(1))}, callback),
]
`,
    },
  ],
}

export const drf: SnippetTarget = {
  types: ['web', 'spa', 'native'],
  algorithms: /^(RS|ES)/,
  callback: 'none',
  files: (facts) => [
    {
      path: 'settings.py',
      content: `# settings.py
INSTALLED_APPS += ['rest_framework', 'rest_framework_simplejwt']
REST_FRAMEWORK = {
    'DEFAULT_AUTHENTICATION_CLASSES': [
        'rest_framework_simplejwt.authentication.JWTStatelessUserAuthentication',
    ],
    'DEFAULT_PERMISSION_CLASSES': ['rest_framework.permissions.IsAuthenticated'],
}
SIMPLE_JWT = {
    'ALGORITHM': ${quoted(facts.algorithm)},
    'JWK_URL': ${below(facts, '/.well-known/jwks.json')},
    'ISSUER': ${quoted(facts.issuer)},
    'AUDIENCE': ${quoted(facts.clientId)},
    'USER_ID_CLAIM': 'sub',
    'TOKEN_TYPE_CLAIM': None,
    'JTI_CLAIM': None,
}
`,
    },
  ],
}
