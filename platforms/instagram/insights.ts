import { ask, bearerOf, type ClientDeps, type Reply, refusedAhead } from '../http.ts'
import { countAt, listAt, textAt } from '../json.ts'
import { type Count, type DataAccess, PlatformError } from '../port.ts'
import { instagramSpeech } from './errors.ts'
import type { InstagramLogin } from './login.ts'

export interface Insights {
  /** By metric; null: the platform gave none. */
  readonly values: Readonly<Record<string, Count>>
  /** Metrics that Instagram refuses here: never ask for them again of this object. */
  readonly refused: readonly string[]
  /** The newest answer, for its usage headers. */
  readonly reply: Reply
}

interface InsightsQuestion {
  readonly login: InstagramLogin
  readonly access: DataAccess
  /** Id of a post or account. */
  readonly node: string
  readonly metrics: readonly string[]
  readonly query?: Readonly<Record<string, string>>
}

/**
 * Metrics of a post or account. One that does not fit fails the whole question: then each is asked for by itself, so a
 * refusal costs one request a metric more.
 * @throws PlatformError threshold when the answer is a success without any number
 */
export async function readInsights(deps: ClientDeps, question: InsightsQuestion): Promise<Insights> {
  const { metrics } = question
  try {
    const reply = await askFor(deps, question, metrics)
    if (listAt(reply.json, 'data').length === 0)
      throw refusedAhead(instagramSpeech, {
        class: 'threshold',
        code: 'no_data',
        advice: 'The answer holds no numbers, or none yet.',
      })
    return { values: valuesIn(reply, metrics), refused: [], reply }
  } catch (error) {
    if (!isRefusedMetric(error) || metrics.length === 1) throw error
    return oneByOne(deps, question)
  }
}

async function oneByOne(deps: ClientDeps, question: InsightsQuestion): Promise<Insights> {
  const values: Record<string, Count> = {}
  const refused: string[] = []
  let reply: Reply | null = null
  let refusal: unknown = null
  for (const metric of question.metrics) {
    values[metric] = null
    try {
      reply = await askFor(deps, question, [metric])
      Object.assign(values, valuesIn(reply, [metric]))
    } catch (error) {
      if (!isRefusedMetric(error)) throw error
      refused.push(metric)
      refusal = error
    }
  }
  if (reply === null) throw refusal
  return { values, refused, reply }
}

function askFor(deps: ClientDeps, question: InsightsQuestion, metrics: readonly string[]): Promise<Reply> {
  const { login, access, node, query } = question
  return ask(deps, instagramSpeech, {
    url: `${login.graph(deps.urls)}/${encodeURIComponent(node)}/insights`,
    query: { metric: metrics.join(','), ...query },
    bearer: bearerOf(instagramSpeech, access, login.insightsScope),
  })
}

function isRefusedMetric(error: unknown): boolean {
  return error instanceof PlatformError && error.class === 'bad_request'
}

/** Of a post in `values`, of an account in `total_value`; an empty shell has neither. */
function valuesIn(reply: Reply, metrics: readonly string[]): Record<string, Count> {
  const values: Record<string, Count> = Object.fromEntries(metrics.map(metric => [metric, null]))
  for (const one of listAt(reply.json, 'data')) {
    const name = textAt(one, 'name')
    const [first] = listAt(one, 'values')
    if (metrics.includes(name)) values[name] = countAt(one, 'total_value', 'value') ?? countAt(first, 'value')
  }
  return values
}

type MediaProduct = 'FEED' | 'REELS' | 'STORY'

const engagement = ['views', 'reach', 'likes', 'comments', 'saved', 'shares', 'total_interactions']
const coreMetrics: Readonly<Record<MediaProduct, readonly string[]>> = {
  FEED: engagement,
  REELS: engagement,
  STORY: ['views', 'reach', 'shares', 'total_interactions', 'replies'],
}
const optionalMetrics: Readonly<Record<MediaProduct, readonly string[]>> = {
  FEED: ['reposts', 'follows', 'profile_visits'],
  REELS: [
    'reposts',
    'ig_reels_avg_watch_time',
    'ig_reels_video_view_total_time',
    'reels_skip_rate',
    'crossposted_views',
    'facebook_views',
  ],
  STORY: ['reposts', 'follows', 'profile_visits'],
}

/**
 * All that Instagram counts for a post: what fits every post of its product at once, then the rest one by one.
 * @param skip metrics that this post refused before
 */
export async function readMediaInsights(
  deps: ClientDeps,
  question: Omit<InsightsQuestion, 'metrics' | 'query'> & { product: MediaProduct; skip: ReadonlySet<string> },
): Promise<Insights> {
  const { product, skip, ...where } = question
  const core = await readInsights(deps, { ...where, metrics: coreMetrics[product].filter(one => !skip.has(one)) })
  const rest = optionalMetrics[product].filter(one => !skip.has(one))
  const values: Record<string, Count> = { ...core.values }
  const refused = [...core.refused]
  let { reply } = core
  for (const metric of rest) {
    values[metric] = null
    try {
      reply = await askFor(deps, { ...where, metrics: [metric] }, [metric])
      Object.assign(values, valuesIn(reply, [metric]))
    } catch (error) {
      if (!isRefusedMetric(error)) throw error
      refused.push(metric)
    }
  }
  return { values, refused, reply }
}
