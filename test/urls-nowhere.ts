import type { PlatformUrls } from '../platforms/port.ts'

const nowhere = 'https://platform.example'

/** Platforms that nobody answers for. */
export const urlsNowhere: PlatformUrls = {
  googleAuthorize: nowhere,
  googleToken: nowhere,
  youtubeData: nowhere,
  youtubeAnalytics: nowhere,
  tiktokAuthorize: nowhere,
  tiktokApi: nowhere,
  instagramAuthorize: nowhere,
  instagramToken: nowhere,
  instagramGraph: nowhere,
  facebookAuthorize: nowhere,
  facebookGraph: nowhere,
  graphVersion: 'v25.0',
}
