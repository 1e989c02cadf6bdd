import { ask, bearerOf, type ClientDeps, type Reply, refusedAhead } from '../http.ts'
import { countAt, listAt, textAt } from '../json.ts'
import { type Count, type DataAccess, PlatformError } from '../port.ts'
import { instagramSpeech } from './errors.ts'
import type { InstagramLogin } from './login.ts'

interface Insights {
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
 * @throws PlatformError threshold when the answer is a success without any number, or every metric is refused
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
    if (!isRefusedMetric(error)) throw error
    return await oneByOne(deps, question)
  }
}

async function oneByOne(deps: ClientDeps, question: InsightsQuestion): Promise<Insights> {
  const values: Record<string, Count> = {}
  const refused: string[] = []
  let reply: Reply | null = null
  for (const metric of question.metrics) {
    values[metric] = null
    try {
      await question.access.payMore?.(1)
      reply = await askFor(deps, question, [metric])
      Object.assign(values, valuesIn(reply, [metric]))
    } catch (error) {
      if (!isRefusedMetric(error)) throw error
      refused.push(metric)
    }
  }
  if (reply === null)
    throw refusedAhead(instagramSpeech, {
      class: 'threshold',
      code: 'all_refused',
      advice: 'Each of the metrics is refused.',
    })
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
