import { classOfStatus, type Failure, type Reply, type Speech } from '../http.ts'
import { amountAt, at, idAt, parseJson, textAt } from '../json.ts'
import type { PlatformErrorClass } from '../port.ts'

type Entry = readonly [class_: PlatformErrorClass, advice?: string]

const linkAgain = 'The account must be linked again.'
const wrongApp: Entry = [
  'client',
  'Check the app id and secret: Instagram Login uses the Instagram App ID, Facebook Login the Meta app id.',
]

/** Meta's codes: `code/subcode` before `code`. The status of an answer says nothing. */
const codes: Readonly<Record<string, Entry>> = {
  '190': ['token'],
  '190/458': ['token', 'The user has removed the app.'],
  '190/459': ['token', 'The user must sign in at Instagram and pass its check first.'],
  '190/460': ['token', 'The password was changed.'],
  '190/463': ['token'],
  '190/464': ['token', 'The user is not confirmed.'],
  '190/467': ['token'],
  '190/492': ['token', 'The user no longer has a role on the Facebook Page.'],
  '102': ['token'],
  '101': wrongApp,
  '1': ['server'],
  '2': ['server'],
  '3': ['permission', 'The app lacks this capability.'],
  '10': ['permission', linkAgain],
  '4': ['rate'],
  '17': ['rate'],
  '32': ['rate'],
  '341': ['rate'],
  '613': ['rate'],
  '80002': ['rate'],
  '368': ['rate', 'Instagram has blocked this for a while.'],
  '18': ['rate', 'Thirty hashtags in seven days may be asked for.'],
  '24': ['not_found'],
  '110': ['not_found', 'Only professional accounts that are public can be seen.'],
  '803': ['not_found'],
  '100': ['bad_request'],
  '100/33': ['not_found'],
  '100/2108006': ['threshold', 'The post is older than the professional account.'],
  '100/2207086': ['bad_request', 'The post was not shared to Facebook.'],
  '2500': ['bad_request'],
}

/** The code of an answer that would have been too long. */
export const tooMuchData = '1/too_much_data'

/**
 * Where one code means several things, or the flat form has no code of its own, only the words tell. They are Meta's
 * and may change: then the code's usual class stands.
 */
const wordings: readonly (readonly [words: RegExp, code: string | null, entry: Entry, name?: string])[] = [
  [/validating client secret/i, null, wrongApp],
  [/invalid platform app/i, null, wrongApp],
  [/reduce the amount of data/i, '1', ['server', 'Ask for smaller pages.'], tooMuchData],
  [/not enough viewers/i, '10', ['threshold']],
  [/redirect_uri/i, null, ['bad_request', 'Register the redirect address with the app, exactly as it is shown.']],
  [
    /code was not found|invalid (authorization|verification) code|code (has )?(been used|expired)|verification code/i,
    null,
    ['grant'],
  ],
]

/** Meta's refusals by code, then subcode, then words, of both hosts and both shapes. */
export const instagramSpeech: Speech = {
  platform: 'instagram',
  name: 'Instagram',
  failureIn(reply) {
    const nested = at(reply.json, 'error')
    const isFlat = textAt(reply.json, 'error_type') !== '' || textAt(reply.json, 'error_message') !== ''
    if (nested === undefined && !isFlat && reply.status < 400) return null
    return failureOf(reply, isFlat ? reply.json : nested)
  },
}

function failureOf(reply: Reply, error: unknown): Failure {
  const code = idAt(error, 'code') ?? ''
  const subcode = idAt(error, 'error_subcode')
  const says = textAt(error, 'message') || textAt(error, 'error_message')
  const full = subcode === null ? code : `${code}/${subcode}`
  const wording = wordings.find(([words, only]) => words.test(says) && (only === null || only === code))
  const [class_, advice] = wording?.[2] ?? codes[full] ?? codes[code] ?? otherwise(reply, error, code)
  return {
    class: class_,
    code: wording?.[3] ?? (full === '' ? String(reply.status) : full),
    says: says || textAt(error, 'error_user_msg'),
    ...(advice === undefined ? {} : { advice }),
    ...(class_ === 'rate' ? { waitMs: regainMs(reply) } : {}),
  }
}

function otherwise({ status }: Reply, error: unknown, code: string): Entry {
  if (/^2\d\d$/.test(code)) return ['permission', linkAgain]
  if (at(error, 'is_transient') === true) return ['server']
  // 401 and 403 are not believed: what Meta means by them it says by a code.
  const class_ = classOfStatus(status < 400 ? 500 : status)
  return [class_ === 'token' || class_ === 'permission' ? 'bad_request' : class_]
}

/** When calls are let through again, by the header that counts in minutes. */
function regainMs(reply: Reply): number | null {
  const minutes = usages(reply, 'x-business-use-case-usage').map(
    one => amountAt(one, 'estimated_time_to_regain_access') ?? 0,
  )
  const longest = Math.max(0, ...minutes)
  return longest === 0 ? null : longest * 60_000
}

/** The highest of all percentages that the headers name; they appear only once an app calls often. */
export function usagePercent(reply: Reply): number | null {
  const all = [...usages(reply, 'x-app-usage'), ...usages(reply, 'x-business-use-case-usage')].flatMap(one =>
    ['call_count', 'total_time', 'total_cputime'].flatMap(name => amountAt(one, name) ?? []),
  )
  return all.length === 0 ? null : Math.max(...all)
}

function usages(reply: Reply, header: string): unknown[] {
  const text = reply.headers[header]
  if (text === undefined) return []
  try {
    const json = parseJson(text)
    if (header === 'x-app-usage') return [json]
    return typeof json === 'object' && json !== null ? Object.values(json).flat() : []
  } catch {
    return []
  }
}
