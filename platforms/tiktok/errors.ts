import { classOfStatus, type Speech } from '../http.ts'
import { at, textAt } from '../json.ts'
import type { PlatformErrorClass } from '../port.ts'

/** TikTok's codes, of the data interface (nested) and of the token endpoints (flat): no name means two things. */
const codes: Readonly<Record<string, readonly [class_: PlatformErrorClass, advice?: string]>> = {
  access_token_invalid: ['token'],
  access_token_expired: ['token'],
  invalid_grant: ['grant'],
  invalid_client: ['client', 'Check the client key and the client secret of the app in the TikTok developer portal.'],
  unauthorized_client: ['client', 'Add Login Kit and the redirect address to the app in the TikTok developer portal.'],
  non_sandbox_target: ['permission', "Add this user to the sandbox's target users, who must accept in TikTok first."],
  scope_not_authorized: ['permission', 'Link the account again and allow all that is asked.'],
  scope_permission_missed: ['permission', 'Link the account again and allow all that is asked.'],
  access_denied: ['permission'],
  rate_limit_exceeded: ['rate'],
  invalid_params: ['bad_request'],
  invalid_param: ['bad_request'],
  invalid_request: ['bad_request'],
  invalid_scope: ['bad_request', 'Add the asked scopes to the app in the TikTok developer portal.'],
  unsupported_grant_type: ['bad_request'],
  unsupported_response_type: ['bad_request'],
  internal_error: ['server'],
  server_error: ['server'],
  temporarily_unavailable: ['server'],
}

/** TikTok's refusals by their body: the status of the same error varies, and may be 200. */
export const tiktokSpeech: Speech = {
  platform: 'tiktok',
  name: 'TikTok',
  failureIn({ status, json }) {
    const error = at(json, 'error')
    const isFlat = typeof error === 'string'
    const code = isFlat ? error : textAt(error, 'code')
    if (code === 'ok' || (code === '' && status < 400)) return null
    const [class_, advice] = codes[code] ?? [status < 400 ? 'server' : classOfStatus(status)]
    return {
      class: class_,
      code: code === '' ? String(status) : code,
      says: isFlat ? textAt(json, 'error_description') : textAt(error, 'message'),
      ...(advice === undefined ? {} : { advice }),
    }
  },
}
