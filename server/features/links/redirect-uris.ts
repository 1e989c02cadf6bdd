import type { Platform } from '../../../contracts/ids.ts'
import type { CredentialKind } from '../../../platforms/port.ts'
import { isLoopbackHost } from '../../http/hosts.ts'
import { kindFacts } from '../credentials/kinds.ts'

/** Where a platform sends the browser back to: this exact text has to be registered with it. */
export interface RedirectUri {
  readonly uri: string
  /**
   * Whether the browser finds this server there. Otherwise it ends at an error page, whose address the user pastes: some
   * platforms take no http address, and some none of another machine.
   */
  readonly comesBack: boolean
}

/**
 * The redirect URI for a kind of credentials.
 * @param base address under which browsers reach this server, without a slash at its end
 */
export function redirectUriOf(kind: CredentialKind, base: string): RedirectUri {
  const { platform, redirect } = kindFacts[kind]
  const path = callbackPath(platform)
  const { protocol, hostname, port } = new URL(base)
  const isHttps = protocol === 'https:'
  const isLoopback = isLoopbackHost(hostname)
  const isTaken = { https: isHttps, loopback: isLoopback, https_or_loopback: isHttps || isLoopback, none: false }
  if (isTaken[redirect ?? 'none']) return { uri: base + path, comesBack: true }
  const local = `${port || (isHttps ? '443' : '80')}${path}`
  return { uri: redirect === 'https' ? `https://localhost:${local}` : `http://127.0.0.1:${local}`, comesBack: false }
}

/** Whether the browser may be sent to an address at the end of a link: our own, a listed origin's, or this machine's. */
export function mayReturnTo(address: string, o: { base: string; corsOrigins: readonly string[] }): boolean {
  if (!URL.canParse(address)) return false
  const url = new URL(address)
  if (!['http:', 'https:'].includes(url.protocol) || url.username !== '' || url.password !== '') return false
  return [new URL(o.base).origin, ...o.corsOrigins].includes(url.origin) || isLoopbackHost(url.hostname)
}

/** Where the answers of a platform come to, below the server's address. */
export function callbackPath(platform: Platform): string {
  return `/api/auth/callback/${platform}`
}
