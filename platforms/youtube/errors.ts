import { classOfStatus, type Failure, type Reply, type Speech } from '../http.ts'
import { at, listAt, textAt } from '../json.ts'
import type { PlatformErrorClass } from '../port.ts'

type Entry = readonly [class_: PlatformErrorClass, advice?: string]

const enable: Entry = [
  'permission',
  'Enable the YouTube Data API v3 and the YouTube Analytics API in the Google Cloud project of these credentials.',
]
const wrongKey: Entry = ['client', 'Check the API key and its restrictions in the Google Cloud console.']

/** Google's reasons. Those of `errors[].reason` and of `details[].reason` share the table: no name means two things. */
const reasons: Readonly<Record<string, Entry>> = {
  authError: ['token'],
  authorizationRequired: ['token'],
  required: ['token'],
  CREDENTIALS_MISSING: ['token'],
  ACCESS_TOKEN_EXPIRED: ['token'],
  ACCESS_TOKEN_TYPE_UNSUPPORTED: ['token'],
  insufficientPermissions: ['permission', 'Link the account again and allow all that is asked.'],
  ACCESS_TOKEN_SCOPE_INSUFFICIENT: ['permission', 'Link the account again and allow all that is asked.'],
  accessNotConfigured: enable,
  SERVICE_DISABLED: enable,
  keyInvalid: wrongKey,
  keyExpired: wrongKey,
  ipRefererBlocked: wrongKey,
  API_KEY_INVALID: wrongKey,
  API_KEY_SERVICE_BLOCKED: wrongKey,
  API_KEY_IP_ADDRESS_BLOCKED: wrongKey,
  API_KEY_HTTP_REFERRER_BLOCKED: wrongKey,
  CONSUMER_INVALID: wrongKey,
  CONSUMER_SUSPENDED: ['client', 'Google has suspended the Cloud project.'],
  quotaExceeded: ['quota', 'It begins anew at midnight in California.'],
  dailyLimitExceeded: ['quota', 'It begins anew at midnight in California.'],
  rateLimitExceeded: ['rate'],
  userRateLimitExceeded: ['rate'],
  RATE_LIMIT_EXCEEDED: ['rate'],
  videoNotFound: ['not_found'],
  playlistNotFound: ['not_found'],
  channelNotFound: ['not_found'],
  notFound: ['not_found'],
  liveChatNotFound: ['not_found'],
  commentThreadNotFound: ['not_found'],
  youtubeSignupRequired: ['not_found', 'This Google account has no YouTube channel.'],
  channelClosed: ['not_found', 'The channel was closed.'],
  channelSuspended: ['not_found', 'YouTube has suspended the channel.'],
  commentsDisabled: ['threshold'],
  liveChatEnded: ['threshold'],
  invalidParameter: ['bad_request'],
  videoChartNotFound: ['bad_request'],
  invalidPageToken: ['bad_request'],
  backendError: ['server'],
  internalError: ['server'],
}

/** Reasons that say little, asked after `details`. */
const vagueReasons: Readonly<Record<string, Entry>> = { forbidden: ['permission'], badRequest: ['bad_request'] }

const states: Readonly<Record<string, Entry>> = {
  UNAUTHENTICATED: ['token'],
  PERMISSION_DENIED: ['permission'],
  RESOURCE_EXHAUSTED: ['rate'],
  NOT_FOUND: ['not_found'],
  INVALID_ARGUMENT: ['bad_request'],
  FAILED_PRECONDITION: ['bad_request'],
  UNAVAILABLE: ['server'],
  INTERNAL: ['server'],
  DEADLINE_EXCEEDED: ['server'],
}

/** Errors of the token endpoints, where `error` is a text. */
const oauthErrors: Readonly<Record<string, Entry>> = {
  invalid_grant: ['grant'],
  invalid_token: ['grant'],
  invalid_client: ['client', 'Check the client id and the client secret in the Google Cloud console.'],
  unauthorized_client: ['client', 'The OAuth client may not do this: it must be of type Web or Desktop.'],
  deleted_client: ['client', 'The OAuth client was deleted in the Google Cloud console.'],
  redirect_uri_mismatch: [
    'bad_request',
    'Register the redirect address with the OAuth client, exactly as it is shown.',
  ],
  access_denied: ['permission'],
  admin_policy_enforced: ['permission', "The account's administrator does not allow it."],
  org_internal: ['permission', 'The OAuth client is for accounts of its organisation alone.'],
  invalid_scope: ['bad_request'],
  invalid_request: ['bad_request'],
  unsupported_grant_type: ['bad_request'],
  rate_limit_exceeded: ['rate'],
  server_error: ['server'],
  internal_failure: ['server'],
  temporarily_unavailable: ['server'],
}

/** Google's refusals by their reason, of the data interfaces and of the token endpoints. */
export const youtubeSpeech: Speech = {
  platform: 'youtube',
  name: 'YouTube',
  failureIn(reply) {
    const error = at(reply.json, 'error')
    if (error === undefined && reply.status < 400) return null
    return typeof error === 'string' ? oauthFailure(reply, error) : dataFailure(reply, error)
  },
}

function oauthFailure({ status, json }: Reply, error: string): Failure {
  const says = textAt(json, 'error_description')
  return failure(error, says, oauthErrors[error] ?? [classOfStatus(status)])
}

function dataFailure({ status }: Reply, error: unknown): Failure {
  const reasonsIn = (list: string) => listAt(error, list).map(one => textAt(one, 'reason'))
  const named = [...reasonsIn('errors'), ...reasonsIn('details')].filter(reason => reason !== '')
  const state = textAt(error, 'status')
  const known = named.find(reason => reasons[reason] !== undefined)
  const vague = named.find(reason => vagueReasons[reason] !== undefined)
  // A failure of the server stays one, whatever it is called.
  const entry = (known && reasons[known]) || (vague && status < 500 && vagueReasons[vague]) || states[state]
  const code = known ?? named[0] ?? (state === '' ? String(status) : state)
  return failure(code, textAt(error, 'message'), entry || [classOfStatus(status)])
}

function failure(code: string, says: string, [class_, advice]: Entry): Failure {
  return { class: class_, code, says, ...(advice === undefined ? {} : { advice }) }
}
