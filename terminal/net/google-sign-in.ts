import { createHash, randomBytes } from 'node:crypto'
import type { BrowserPort, GoogleAttempt } from './account.ts'
import type { HttpResult, JsonBody } from './http-client.ts'

// Google for a program without a secret (RFC 8252): the system's browser, a redirect to the loopback, and PKCE, so that the
// code is worth nothing to whoever else sees it. The server turns the code into an identity, because its client secret stays
// there. Over SSH the browser is on another machine and ends on an address that nobody serves: the user pastes that.

const authorizeUrl = 'https://accounts.google.com/o/oauth2/v2/auth'

/** Opens the browser on Google's page and waits for it to come back. */
export async function startGoogleSignIn(options: {
  clientId: string
  browser: BrowserPort
  /** Gives code and verifier to the server, and signs in with its answer. */
  exchange(body: JsonBody): Promise<HttpResult>
}): Promise<GoogleAttempt> {
  const { clientId, browser, exchange } = options
  const listener = await browser.listen()
  const verifier = secretText()
  const state = secretText()
  const nonce = secretText()
  const url = `${authorizeUrl}?${new URLSearchParams({
    client_id: clientId,
    redirect_uri: listener.redirectUri,
    response_type: 'code',
    scope: 'openid email',
    code_challenge: createHash('sha256').update(verifier).digest('base64url'),
    code_challenge_method: 'S256',
    state,
    nonce,
  })}`
  const pasted = Promise.withResolvers<URLSearchParams>()
  const done = Promise.race([listener.redirected, pasted.promise])
    .then(query => {
      const code = query.get('code')
      if (query.get('state') !== state) return refused('The browser came back from another sign-in: start again.')
      if (code === null) return refused('Google was not allowed to tell who you are.')
      return exchange({ code, code_verifier: verifier, redirect_uri: listener.redirectUri, nonce })
    })
    .catch(() => refused('The sign-in through Google was left.'))
    .finally(() => listener.close())
  return {
    url,
    isBrowserOpen: await browser.open(url),
    done,
    paste(address) {
      if (!URL.canParse(address.trim())) return 'That is no address: copy the whole line of the browser, from http on.'
      const query = new URL(address.trim()).searchParams
      if (query.get('state') !== state)
        return 'That is not the address of this sign-in: copy it after Google has sent you back.'
      pasted.resolve(query)
      return null
    },
    cancel: () => listener.close(),
  }
}

function secretText(): string {
  return randomBytes(32).toString('base64url')
}

function refused(message: string): HttpResult {
  return { ok: false, message, status: 0, code: '' }
}
