import { isIP } from 'node:net'

/** Whether a server that listens on this host is reachable from this machine only. */
export function isLoopbackHost(host: string): boolean {
  const bare = host.replace(/^\[|\]$/g, '').toLowerCase()
  return bare === 'localhost' || bare === '::1' || (isIP(bare) === 4 && bare.startsWith('127.'))
}

/**
 * Whether a request's `Host` names us. A page on the internet can point its own name at 127.0.0.1 and have a browser
 * talk to us under it (DNS rebinding): such a request carries the stranger's name. A number is nobody's name, so a server
 * that others may reach answers to any.
 */
export function isOwnHost(hostHeader: string | undefined, publicHosts: readonly string[]): boolean {
  const host = hostHeader === undefined ? null : hostOf(`http://${hostHeader}`)
  return (
    host !== null && (isIP(host.replace(/^\[|\]$/g, '')) !== 0 || isLoopbackHost(host) || publicHosts.includes(host))
  )
}

/** Whether a browser's page of this origin may talk to us: our own pages, and the origins the operator has listed. */
export function isAllowedOrigin(
  origin: string,
  hostHeader: string | undefined,
  corsOrigins: readonly string[],
): boolean {
  if (corsOrigins.includes(origin)) return true
  return hostHeader !== undefined && (origin === `http://${hostHeader}` || origin === `https://${hostHeader}`)
}

/** A server that listens on all addresses is found under its own machine's name. */
export function reachable(url: string): string {
  return url.replace(/\/\/(0\.0\.0\.0|\[::\])(?=:|$)/, '//localhost')
}

function hostOf(url: string): string | null {
  return URL.canParse(url) ? new URL(url).hostname : null
}
