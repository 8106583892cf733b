// The pages of the sample application. Whatever a provider says is text: `escaped` is between it and the page.

/** Nobody is signed in: one button. */
export function startPage(issuer: string): string {
  return page(
    'Sample application',
    `<p class="lead">An application like yours. It knows nobody; it asks <strong>${escaped(issuer)}</strong> who you are.</p>
    <form method="post" action="/sign-in"><button>Sign in</button></form>`,
  )
}

/** What the provider said about the person, in the ID token and at userinfo. */
export function personPage({ claims, userinfo }: { readonly claims: object; readonly userinfo: object }): string {
  const { name = 'you', email = '' } = { ...userinfo, ...claims } as {
    readonly name?: unknown
    readonly email?: unknown
  }
  return page(
    `Hello, ${String(name)}`,
    `<p class="lead">You are signed in${email === '' ? '' : ` as <strong>${escaped(String(email))}</strong>`}. This is what the provider told the application.</p>
    <section aria-labelledby="id-token"><h2 id="id-token">In the ID token</h2>${table(claims)}</section>
    <section aria-labelledby="userinfo"><h2 id="userinfo">At userinfo</h2>${table(userinfo)}</section>
    <form method="post" action="/sign-out"><button class="quiet">Sign out</button></form>`,
  )
}

/** The sign-in did not succeed, and why. */
export function failurePage(reason: string): string {
  return page(
    'You are not signed in',
    `<p class="lead" role="alert">${escaped(reason)}</p><p><a href="/">Start again</a></p>`,
  )
}

function table(claims: object): string {
  const rows = Object.entries(claims).map(
    ([claim, value]) => `<dt>${escaped(claim)}</dt><dd>${escaped(text(value))}</dd>`,
  )
  return `<dl>${rows.join('')}</dl>`
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value)
}

function page(title: string, content: string): string {
  return `<!doctype html>
<html lang="en">
<head>
  <meta charset="utf-8">
  <meta name="viewport" content="width=device-width, initial-scale=1">
  <meta name="color-scheme" content="light dark">
  <title>${escaped(title)}</title>
  <link rel="stylesheet" href="/style.css">
</head>
<body>
  <main>
    <h1>${escaped(title)}</h1>
    ${content}
  </main>
</body>
</html>
`
}

function escaped(value: string): string {
  return value.replaceAll(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`)
}
