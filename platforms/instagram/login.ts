import type { DataCall, PlatformUrls } from '../port.ts'

/**
 * The two ways to Instagram's data. Each has its own app id, host, tokens and names of scopes; tokens of one are refused
 * by the other.
 */
export interface InstagramLogin {
  readonly kind: 'instagram_login' | 'facebook_login'
  readonly basicScope: string
  readonly insightsScope: string
  /** All that Cliptape can use. */
  readonly scopes: readonly string[]
  /** The host of the data with its version, without a slash at the end. */
  graph(urls: PlatformUrls): string
  readonly calls: readonly DataCall[]
}

export const instagramLogin: InstagramLogin = {
  kind: 'instagram_login',
  basicScope: 'instagram_business_basic',
  insightsScope: 'instagram_business_manage_insights',
  scopes: ['instagram_business_basic', 'instagram_business_manage_insights'],
  graph: urls => `${urls.instagramGraph}/${urls.graphVersion}`,
  calls: ['account', 'posts', 'metrics', 'daily', 'file'],
}

export const facebookLogin: InstagramLogin = {
  kind: 'facebook_login',
  basicScope: 'instagram_basic',
  insightsScope: 'instagram_manage_insights',
  // The last one shows accounts whose Page belongs to a business.
  scopes: [
    'instagram_basic',
    'instagram_manage_insights',
    'pages_show_list',
    'pages_read_engagement',
    'business_management',
  ],
  graph: urls => `${urls.facebookGraph}/${urls.graphVersion}`,
  calls: ['account', 'posts', 'metrics', 'daily', 'file', 'creator'],
}
