import type { ClientDeps } from './http.ts'
import { facebookLoginAuth, instagramLoginAuth } from './instagram/auth.ts'
import { facebookLoginData, instagramLoginData } from './instagram/data.ts'
import type { CredentialKind, PlatformAuth, PlatformData } from './port.ts'
import type { PlatformRegistry } from './registry.ts'
import { tiktokAuth } from './tiktok/auth.ts'
import { tiktokData } from './tiktok/data.ts'
import { youtubeAuth } from './youtube/auth.ts'
import { youtubeData } from './youtube/data.ts'

/** The clients of all platforms. They keep nothing between two calls and may be shared by everybody. */
export function openPlatforms(deps: ClientDeps): PlatformRegistry {
  const youtube = { auth: youtubeAuth(deps), data: youtubeData(deps) }
  const tiktok = { auth: tiktokAuth(deps), data: tiktokData(deps) }
  const clients: Readonly<Record<CredentialKind, { readonly auth: PlatformAuth; readonly data: PlatformData }>> = {
    google: youtube,
    google_api_key: youtube,
    tiktok_desktop: tiktok,
    tiktok_web: tiktok,
    instagram_login: { auth: instagramLoginAuth(deps), data: instagramLoginData(deps) },
    facebook_login: { auth: facebookLoginAuth(deps), data: facebookLoginData(deps) },
  }
  return { auth: kind => clients[kind].auth, data: kind => clients[kind].data }
}
