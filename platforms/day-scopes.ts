import { facebookLogin, instagramLogin } from './instagram/login.ts'
import { analyticsScope } from './youtube/auth.ts'

/** The permissions of which a platform wants its own, to tell what an account gained by day. TikTok tells nobody. */
export const dayScopes: readonly string[] = [analyticsScope, instagramLogin.insightsScope, facebookLogin.insightsScope]
