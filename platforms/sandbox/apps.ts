import { letters, textNumber } from './chance.ts'

/** A developer's registration with a platform: what the platform's console would show. */
export interface SandboxApp {
  readonly family: 'google' | 'tiktok' | 'instagram' | 'facebook'
  /** TikTok's and Google's kind of client; Meta's are all `web`. */
  readonly type: 'web' | 'desktop'
  readonly clientId: string
  clientSecret: string
  apiKeys: string[]
  /** Exact addresses; TikTok Desktop takes `*` for the port. */
  redirectUris: string[]
  /** Google's consent screen in testing: a grant lives for 7 days. Meta: development mode, where http://localhost is allowed. */
  isTesting: boolean
  isDeleted: boolean
  /** Google's interfaces that are switched off in the project: `data`, `analytics`. */
  apisOff: string[]
  /** TikTok: products and scopes that were added to the app; null is all. */
  scopes: string[] | null
  /** TikTok's sandbox keys: who may sign in, by creator id; null is everybody. */
  targetUsers: string[] | null
  /** Instagram's feature Public Content Access, for hashtags. */
  hasPublicContent: boolean
}

const hex = '0123456789abcdef'
const lower = 'abcdefghijklmnopqrstuvwxyz0123456789'
const mixed = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'

/**
 * One app of each kind of credentials, the same for the same seed.
 * @param redirectUris what all of them are registered with, as far as their kind allows it
 */
export function appsOf(seed: number, redirectUris: readonly string[]): SandboxApp[] {
  const text = (alphabet: string, length: number, what: string) => letters(alphabet, length, seed, textNumber(what))
  const base = {
    apiKeys: [],
    isTesting: false,
    isDeleted: false,
    apisOff: [],
    scopes: null,
    targetUsers: null,
    hasPublicContent: true,
  }
  const google = (type: 'web' | 'desktop'): SandboxApp => ({
    ...base,
    family: 'google',
    type,
    clientId: `${text('123456789', 12, `g${type}`)}-${text(lower, 32, `gi${type}`)}.apps.googleusercontent.com`,
    clientSecret: `GOCSPX-${text(mixed, 28, `gs${type}`)}`,
    apiKeys: [`AIza${text(mixed, 35, `gk${type}`)}`],
    redirectUris: redirectUris.filter(uri => uri.startsWith('https:') || isLoopback(uri)),
  })
  const tiktok = (type: 'web' | 'desktop'): SandboxApp => ({
    ...base,
    family: 'tiktok',
    type,
    clientId: `sb${text(lower, 16, `t${type}`)}`,
    clientSecret: text(mixed.slice(0, 62), 32, `ts${type}`),
    redirectUris: redirectUris.filter(uri => (type === 'web' ? uri.startsWith('https:') : isLoopback(uri))),
  })
  const meta = (family: 'instagram' | 'facebook'): SandboxApp => ({
    ...base,
    family,
    type: 'web',
    clientId: text('123456789', 16, family),
    clientSecret: text(hex, 32, `${family}s`),
    redirectUris: redirectUris.filter(uri => uri.startsWith('https:')),
    isTesting: true,
  })
  return [google('web'), google('desktop'), tiktok('desktop'), tiktok('web'), meta('instagram'), meta('facebook')]
}

/** Whether an app may send a browser to an address, by its platform's rules. */
export function mayRedirect(app: SandboxApp, uri: string): boolean {
  if (app.redirectUris.includes(uri)) return true
  const isLocal = isLoopback(uri)
  if (app.family === 'google' && app.type === 'desktop') return isLocal && uri.startsWith('http:')
  if (app.family === 'facebook' && app.isTesting) return uri.startsWith('http://localhost')
  if (app.family === 'tiktok' && app.type === 'desktop' && isLocal) {
    const withStar = uri.replace(/^(https?:\/\/[^/:]+):\d+/, '$1:*')
    return app.redirectUris.includes(withStar)
  }
  return false
}

function isLoopback(uri: string): boolean {
  return /^https?:\/\/(localhost|127\.0\.0\.1|\[::1\])(:(\d+|\*))?(\/|$)/.test(uri)
}
