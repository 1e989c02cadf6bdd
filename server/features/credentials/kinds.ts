import type { Platform } from '../../../contracts/ids.ts'
import type { CredentialKind } from '../../../platforms/port.ts'

/** What is known of a kind of developer credentials without asking anybody. */
interface KindFacts {
  readonly platform: Platform
  /** How its makers call it. */
  readonly title: string
  /** Which addresses its platform sends a browser back to; null where no account is linked with it. */
  readonly redirect: 'https_or_loopback' | 'loopback' | 'https' | null
}

export const kindFacts: Readonly<Record<CredentialKind, KindFacts>> = {
  google: { platform: 'youtube', title: 'Google OAuth client', redirect: 'https_or_loopback' },
  google_api_key: { platform: 'youtube', title: 'Google API key', redirect: null },
  tiktok_desktop: { platform: 'tiktok', title: 'TikTok Login Kit for Desktop', redirect: 'loopback' },
  tiktok_web: { platform: 'tiktok', title: 'TikTok Login Kit for Web', redirect: 'https' },
  instagram_login: { platform: 'instagram', title: 'Instagram Login', redirect: 'https' },
  facebook_login: { platform: 'instagram', title: 'Facebook Login', redirect: 'https' },
}

/** What is meant when nobody says which kind. */
export const kindDefault: Readonly<Record<Platform, CredentialKind>> = {
  youtube: 'google',
  tiktok: 'tiktok_desktop',
  instagram: 'instagram_login',
}
