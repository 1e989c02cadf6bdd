import type { Answer, Shape } from './exchange.ts'

/** Every error of the platforms that Cliptape knows of, in the platform's own form, by the name that a fault is told. */

interface GoogleError {
  readonly status: number
  readonly message: string
  readonly state: string
  readonly domain?: string
  /** Of the newer `details`. */
  readonly detail?: string
}

const googleErrors: Readonly<Record<string, GoogleError>> = {
  authError: {
    status: 401,
    state: 'UNAUTHENTICATED',
    message:
      'Request had invalid authentication credentials. Expected OAuth 2 access token, login cookie or other valid authentication credential.',
  },
  authorizationRequired: {
    status: 401,
    state: 'UNAUTHENTICATED',
    domain: 'youtube.parameter',
    message: 'The request uses the <code>mine</code> parameter but is not properly authorized.',
  },
  youtubeSignupRequired: { status: 401, state: 'UNAUTHENTICATED', domain: 'youtube.header', message: 'Unauthorized' },
  insufficientPermissions: {
    status: 403,
    state: 'PERMISSION_DENIED',
    detail: 'ACCESS_TOKEN_SCOPE_INSUFFICIENT',
    message: 'Request had insufficient authentication scopes.',
  },
  forbidden: {
    status: 403,
    state: 'PERMISSION_DENIED',
    message: 'The request is missing a valid API key, or is not properly authorized.',
  },
  accessNotConfigured: {
    status: 403,
    state: 'PERMISSION_DENIED',
    domain: 'usageLimits',
    detail: 'SERVICE_DISABLED',
    message: 'YouTube Data API v3 has not been used in this project before or it is disabled.',
  },
  quotaExceeded: {
    status: 403,
    state: 'PERMISSION_DENIED',
    domain: 'youtube.quota',
    message:
      'The request cannot be completed because you have exceeded your <a href="/youtube/v3/getting-started#quota">quota</a>.',
  },
  dailyLimitExceeded: {
    status: 403,
    state: 'PERMISSION_DENIED',
    domain: 'usageLimits',
    message: 'Daily Limit Exceeded.',
  },
  rateLimitExceeded: {
    status: 429,
    state: 'RESOURCE_EXHAUSTED',
    domain: 'usageLimits',
    detail: 'RATE_LIMIT_EXCEEDED',
    message: 'Quota exceeded for quota metric and limit of queries per minute.',
  },
  userRateLimitExceeded: {
    status: 403,
    state: 'PERMISSION_DENIED',
    domain: 'usageLimits',
    message: 'User Rate Limit Exceeded.',
  },
  videoNotFound: {
    status: 404,
    state: 'NOT_FOUND',
    domain: 'youtube.video',
    message: 'The video identified by the parameter could not be found.',
  },
  playlistNotFound: {
    status: 404,
    state: 'NOT_FOUND',
    domain: 'youtube.playlistItem',
    message: "The playlist identified with the request's <code>playlistId</code> parameter cannot be found.",
  },
  channelNotFound: {
    status: 404,
    state: 'NOT_FOUND',
    domain: 'youtube.channel',
    message: 'The channel specified in the request could not be found.',
  },
  commentThreadNotFound: { status: 404, state: 'NOT_FOUND', domain: 'youtube.comment', message: 'No such thread.' },
  liveChatNotFound: { status: 404, state: 'NOT_FOUND', domain: 'youtube.liveChat', message: 'No such live chat.' },
  liveChatEnded: {
    status: 403,
    state: 'PERMISSION_DENIED',
    domain: 'youtube.liveChat',
    message: 'The live chat is no longer live.',
  },
  invalidParameter: {
    status: 400,
    state: 'INVALID_ARGUMENT',
    domain: 'youtube.parameter',
    message: 'The request specifies an invalid value for a parameter.',
  },
  unknownPart: { status: 400, state: 'INVALID_ARGUMENT', domain: 'youtube.part', message: 'No such part.' },
  missingRequiredParameter: {
    status: 400,
    state: 'INVALID_ARGUMENT',
    domain: 'youtube.parameter',
    message: 'No filter selected. Expected one of the documented filters, and <code>part</code>.',
  },
  incompatibleParameters: {
    status: 400,
    state: 'INVALID_ARGUMENT',
    domain: 'youtube.parameter',
    message: 'Incompatible parameters specified in the request.',
  },
  badRequest: { status: 400, state: 'INVALID_ARGUMENT', message: 'The query is not supported.' },
  keyInvalid: {
    status: 400,
    state: 'INVALID_ARGUMENT',
    detail: 'API_KEY_INVALID',
    message: 'API key not valid. Please pass a valid API key.',
  },
  videoChartNotFound: {
    status: 400,
    state: 'INVALID_ARGUMENT',
    domain: 'youtube.video',
    message: 'The requested video chart is not supported or is not available.',
  },
  invalidRegionCode: {
    status: 400,
    state: 'INVALID_ARGUMENT',
    domain: 'youtube.parameter',
    message: 'No such region.',
  },
  invalidPageToken: {
    status: 400,
    state: 'INVALID_ARGUMENT',
    domain: 'youtube.parameter',
    message: 'The request specifies an invalid page token.',
  },
  commentsDisabled: {
    status: 403,
    state: 'PERMISSION_DENIED',
    domain: 'youtube.commentThread',
    message: 'The video identified by the <code>videoId</code> parameter has disabled comments.',
  },
  channelClosed: {
    status: 403,
    state: 'PERMISSION_DENIED',
    domain: 'youtube.channel',
    message: 'The channel has been closed.',
  },
  channelSuspended: {
    status: 403,
    state: 'PERMISSION_DENIED',
    domain: 'youtube.channel',
    message: 'The channel has been suspended.',
  },
  backendError: { status: 503, state: 'UNAVAILABLE', message: 'Backend Error' },
  internalError: { status: 500, state: 'INTERNAL', message: 'Internal error encountered.' },
}
/** Reasons that are called otherwise on the wire. */
const googleReason: Readonly<Record<string, string>> = { keyInvalid: 'badRequest' }

const googleOauthErrors: Readonly<Record<string, readonly [status: number, description: string]>> = {
  invalid_grant: [400, 'Bad Request'],
  invalid_client: [401, 'The OAuth client was not found.'],
  redirect_uri_mismatch: [400, 'Bad Request'],
  invalid_request: [400, 'Required parameter is missing.'],
  unsupported_grant_type: [400, 'Invalid grant_type.'],
  unauthorized_client: [400, 'Unauthorized'],
  deleted_client: [400, 'The OAuth client was deleted.'],
  invalid_token: [400, 'Token expired or revoked'],
  internal_failure: [500, 'Backend Error'],
}

const tiktokErrors: Readonly<Record<string, readonly [status: number, message: string]>> = {
  access_token_invalid: [401, 'The access token is invalid or not found in the request.'],
  scope_not_authorized: [401, 'The user did not authorize the scope required for completing this request.'],
  scope_permission_missed: [400, 'Additional scope permission is required for the requested fields.'],
  rate_limit_exceeded: [429, 'The API rate limit was exceeded. Please try again later.'],
  invalid_params: [400, 'One or more fields in the request are not valid.'],
  internal_error: [500, 'Something went wrong. Please try again later.'],
}

const tiktokOauthErrors: Readonly<Record<string, string>> = {
  access_denied: 'The user denied the authorization.',
  invalid_client: 'Client key or secret is incorrect.',
  invalid_grant: 'Authorization code is expired.',
  invalid_request: 'The request parameters are malformed.',
  invalid_scope: 'The scope is invalid.',
  unauthorized_client: 'The client is not authorized to use this method.',
  unsupported_grant_type: 'Unsupported grant type.',
  unsupported_response_type: 'Unsupported response type.',
  server_error: 'The server failed.',
  temporarily_unavailable: 'The server is busy.',
}

interface GraphError {
  readonly status: number
  readonly code: number
  readonly subcode?: number
  readonly message: string
  readonly isTransient?: boolean
  readonly type?: string
}

/** By `code`, `code/subcode` or, where these are the same for two things, `code/word`. */
const graphErrors: Readonly<Record<string, GraphError>> = {
  '190': { status: 400, code: 190, message: 'Invalid OAuth access token - Cannot parse access token' },
  '190/458': {
    status: 400,
    code: 190,
    subcode: 458,
    message: 'Error validating access token: The user has not authorized application.',
  },
  '190/459': {
    status: 400,
    code: 190,
    subcode: 459,
    message:
      'Error validating access token: You cannot access the app till you log in and follow the instructions given.',
  },
  '190/460': {
    status: 401,
    code: 190,
    subcode: 460,
    message: 'Error validating access token: The session has been invalidated because the user changed their password.',
  },
  '190/463': { status: 400, code: 190, subcode: 463, message: 'Error validating access token: Session has expired.' },
  '190/464': {
    status: 400,
    code: 190,
    subcode: 464,
    message:
      'Error validating access token: Sessions for the user are not allowed because the user is not a confirmed user.',
  },
  '190/467': {
    status: 401,
    code: 190,
    subcode: 467,
    message: 'Error validating access token: The access token is invalid since the user logged out.',
  },
  '190/492': {
    status: 400,
    code: 190,
    subcode: 492,
    message: 'Error validating access token: The user must be an administrator, editor, or moderator of the page.',
  },
  '102': { status: 400, code: 102, message: 'Session key invalid or no longer valid' },
  '101': {
    status: 400,
    code: 101,
    message: 'Error validating application. Cannot get application info due to a system error.',
  },
  '1/secret': { status: 400, code: 1, message: 'Error validating client secret.' },
  '1/reduce': {
    status: 500,
    code: 1,
    message: "Please reduce the amount of data you're asking for, then retry your request",
  },
  '1': { status: 500, code: 1, message: 'An unknown error has occurred.' },
  '2': {
    status: 500,
    code: 2,
    message: 'An unexpected error has occurred. Please retry your request later.',
    isTransient: true,
  },
  '3': { status: 400, code: 3, message: '(#3) Application does not have the capability to make this API call.' },
  '10': { status: 403, code: 10, message: '(#10) Application does not have permission for this action' },
  '10/viewers': { status: 400, code: 10, message: '(#10) Not enough viewers for the media to show insights' },
  '200': { status: 403, code: 200, message: '(#200) Missing permissions' },
  '4': { status: 403, code: 4, message: '(#4) Application request limit reached', isTransient: true },
  '17': { status: 400, code: 17, message: '(#17) User request limit reached' },
  '32': { status: 403, code: 32, message: '(#32) Page request limit reached' },
  '613': { status: 400, code: 613, message: '(#613) Calls to this api have exceeded the rate limit.' },
  '80002': {
    status: 429,
    code: 80002,
    message: '(#80002) There have been too many calls to this Instagram account. Wait a bit and try again.',
  },
  '341': { status: 400, code: 341, message: '(#341) Feed action request limit reached' },
  '368': {
    status: 400,
    code: 368,
    message: '(#368) The action attempted has been deemed abusive or is otherwise disallowed',
  },
  '18': {
    status: 400,
    code: 18,
    message: '(#18) You have exceeded the maximum number of hashtags that can be queried within a 7 day period.',
  },
  '100': { status: 400, code: 100, message: '(#100) Invalid parameter' },
  '100/33': {
    status: 400,
    code: 100,
    subcode: 33,
    type: 'GraphMethodException',
    message:
      'Unsupported get request. Object does not exist, cannot be loaded due to missing permissions, or does not support this operation.',
  },
  '100/2108006': {
    status: 400,
    code: 100,
    subcode: 2108006,
    message: 'Media Posted Before Business Account Conversion',
  },
  '100/2207086': { status: 400, code: 100, subcode: 2207086, message: 'The media was not shared to Facebook.' },
  '110': { status: 400, code: 110, message: '(#110) Invalid user id' },
  '803': { status: 404, code: 803, message: '(#803) Some of the aliases you requested do not exist' },
  '24': { status: 400, code: 24, message: '(#24) The requested resource does not exist' },
  '2500': {
    status: 400,
    code: 2500,
    message: 'An active access token must be used to query information about the current user.',
  },
}

const instagramOauthErrors: Readonly<Record<string, string>> = {
  unknown_code: 'Invalid authorization code',
  used_code: 'Matching code was not found or was already used',
  invalid_app: 'Invalid platform app',
  invalid_secret: 'Error validating client secret.',
  redirect_mismatch:
    'Error validating verification code. Please make sure your redirect_uri is identical to the one you used in the OAuth dialog request',
  invalid_request: 'Missing required field',
}

/**
 * An error of a form by its name.
 * @param message in place of the usual one
 * @throws Error when the form has no such error
 */
export function refusalOf(shape: Shape, name: string, message?: string): Answer {
  const answer = answerOf(shape, name, message)
  if (answer === null) throw new Error(`The form ${shape} has no error ${name}.`)
  return answer
}

/** The names of a form's errors. */
export function refusalNames(shape: Shape): string[] {
  return Object.keys(tables[shape])
}

const tables: Readonly<Record<Shape, Readonly<Record<string, unknown>>>> = {
  google: googleErrors,
  google_oauth: googleOauthErrors,
  tiktok: tiktokErrors,
  tiktok_oauth: tiktokOauthErrors,
  graph: graphErrors,
  instagram_oauth: instagramOauthErrors,
  page: {},
}

/** What a form says of too many requests, and of its own failure. */
export const rateName: Readonly<Record<Shape, string | null>> = {
  google: 'rateLimitExceeded',
  google_oauth: null,
  tiktok: 'rate_limit_exceeded',
  tiktok_oauth: 'temporarily_unavailable',
  graph: '4',
  instagram_oauth: null,
  page: null,
}
export const failureName: Readonly<Record<Shape, string | null>> = {
  google: 'backendError',
  google_oauth: 'internal_failure',
  tiktok: 'internal_error',
  tiktok_oauth: 'server_error',
  graph: '2',
  instagram_oauth: null,
  page: null,
}

function answerOf(shape: Shape, name: string, message: string | undefined): Answer | null {
  switch (shape) {
    case 'google':
      return googleAnswer(name, message)
    case 'google_oauth': {
      const one = googleOauthErrors[name]
      return one ? { status: one[0], json: { error: name, error_description: message ?? one[1] } } : null
    }
    case 'tiktok': {
      const one = tiktokErrors[name]
      return one
        ? { status: one[0], json: { data: {}, error: { code: name, message: message ?? one[1], log_id: logId } } }
        : null
    }
    case 'tiktok_oauth': {
      const text = tiktokOauthErrors[name]
      const status = name === 'server_error' ? 500 : name === 'temporarily_unavailable' ? 503 : 400
      return text ? { status, json: { error: name, error_description: message ?? text, log_id: logId } } : null
    }
    case 'graph':
      return graphAnswer(name, message)
    case 'instagram_oauth': {
      const text = instagramOauthErrors[name]
      return text
        ? { status: 400, json: { error_type: 'OAuthException', code: 400, error_message: message ?? text } }
        : null
    }
    case 'page':
      return null
  }
}

const logId = '20261101000000ABCDEF0123456789'

function googleAnswer(name: string, text: string | undefined): Answer | null {
  const one = googleErrors[name]
  if (one === undefined) return null
  const message = text ?? one.message
  const details =
    one.detail === undefined
      ? {}
      : {
          details: [
            {
              '@type': 'type.googleapis.com/google.rpc.ErrorInfo',
              reason: one.detail,
              domain: one.detail === 'RATE_LIMIT_EXCEEDED' ? 'youtube.googleapis.com' : 'googleapis.com',
            },
          ],
        }
  return {
    status: one.status,
    json: {
      error: {
        code: one.status,
        message,
        errors: [{ message, domain: one.domain ?? 'global', reason: googleReason[name] ?? name }],
        status: one.state,
        ...details,
      },
    },
  }
}

function graphAnswer(name: string, message: string | undefined): Answer | null {
  const one = graphErrors[name]
  if (one === undefined) return null
  return {
    status: one.status,
    json: {
      error: {
        message: message ?? one.message,
        type: one.type ?? 'OAuthException',
        code: one.code,
        ...(one.subcode === undefined ? {} : { error_subcode: one.subcode }),
        ...(one.isTransient ? { is_transient: true } : {}),
        fbtrace_id: 'AsandboxTrace00000000',
      },
    },
  }
}
