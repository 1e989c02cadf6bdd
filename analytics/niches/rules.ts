import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { z } from 'zod'
import { AppError } from '../../contracts/errors.ts'
import defaultNiches from './default-niches.json' with { type: 'json' }

const phrases = z.array(z.string().trim().min(1).max(100)).min(1).max(500)

/** All conditions of one rule must hold; of a list, any one entry is enough. */
const RuleSchema = z
  .strictObject({
    /** Whole tags, case does not matter, a leading `#` does not either. */
    tags: phrases.optional(),
    /** Words or phrases of the title, as whole words, case does not matter. */
    titleWords: phrases.optional(),
    /** The platform's category in English, whole. */
    categories: phrases.optional(),
    durationSecondsMin: z.number().min(0).max(1e7).optional(),
    durationSecondsMax: z.number().min(0).max(1e7).optional(),
  })
  .refine(rule => rule.tags || rule.titleWords || rule.categories, 'needs tags, titleWords or categories')

const NicheFileSchema = z.strictObject({
  niches: z
    .array(
      z.strictObject({
        name: z.string().regex(/^[a-z0-9-]{1,40}$/, 'must be lower-case letters, digits and hyphens'),
        label: z.string().trim().min(1).max(60),
        rules: z.array(RuleSchema).min(1).max(100),
      }),
    )
    .min(1)
    .max(200)
    .refine(niches => new Set(niches.map(({ name }) => name)).size === niches.length, 'has the same name twice'),
})
type Rule = z.infer<typeof RuleSchema>

/** What a rule looks at. */
export interface NicheSubject {
  readonly title: string
  readonly tags: readonly string[]
  readonly category: string
  readonly durationSeconds: number | null
}

/** Compiled rules. `hash` changes with any edit: videos are then tagged anew. */
export interface NicheRules {
  readonly hash: string
  readonly niches: readonly { readonly name: string; readonly label: string }[]
  /** Every niche whose rules match, with the first rule that did, in words, e.g. `tag "fortnite"`. */
  match(subject: NicheSubject): { niche: string; rule: string }[]
}

/**
 * Reads the niche rules: the user's own file when `path` names one that exists, else those that ship.
 * @throws AppError BAD_REQUEST with the file and the place in it that is wrong
 */
export async function loadNicheRules(path?: string): Promise<NicheRules> {
  const own = path === undefined ? null : await readOwn(path)
  if (own === null || path === undefined) return compileNicheRules(defaultNiches, 'default-niches.json')
  let parsed: unknown
  try {
    parsed = JSON.parse(own)
  } catch (error) {
    const why = error instanceof Error ? error.message : ''
    throw new AppError(
      'BAD_REQUEST',
      `The niche rules in ${path} are not valid JSON: ${why}. Correct or remove the file.`,
    )
  }
  return compileNicheRules(parsed, path)
}

async function readOwn(path: string): Promise<string | null> {
  try {
    return await readFile(path, 'utf8')
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null
    throw new AppError('BAD_REQUEST', `The niche rules in ${path} cannot be read.`, { cause: error })
  }
}

/** @param origin named in errors */
export function compileNicheRules(value: unknown, origin: string): NicheRules {
  const parsed = NicheFileSchema.safeParse(value)
  if (!parsed.success) {
    const issue = parsed.error.issues[0]
    throw new AppError(
      'BAD_REQUEST',
      `The niche rules in ${origin} are not right at ${issue?.path.join('.') || 'the top'}: ${issue?.message ?? 'not valid'}.`,
    )
  }
  const compiled = parsed.data.niches.map(niche => ({ name: niche.name, rules: niche.rules.map(compileRule) }))
  return {
    hash: createHash('sha256').update(JSON.stringify(parsed.data)).digest('hex').slice(0, 16),
    niches: parsed.data.niches.map(({ name, label }) => ({ name, label })),
    match(subject) {
      const words = wordsOf(subject)
      return compiled.flatMap(({ name, rules }) => {
        for (const rule of rules) {
          const why = rule(words)
          if (why !== null) return [{ niche: name, rule: why }]
        }
        return []
      })
    },
  }
}

interface Words {
  /** The title's words, lower case, each between single spaces, with one at both ends. */
  readonly title: string
  readonly tags: ReadonlySet<string>
  readonly category: string
  readonly durationSeconds: number | null
}

function wordsOf(subject: NicheSubject): Words {
  return {
    title: spaced(subject.title),
    tags: new Set(subject.tags.map(plainTag)),
    category: subject.category.toLowerCase(),
    durationSeconds: subject.durationSeconds,
  }
}

function compileRule(rule: Rule): (words: Words) => string | null {
  const tags = rule.tags?.map(tag => ({ as: tag, tag: plainTag(tag) }))
  const titles = rule.titleWords?.map(phrase => ({ as: phrase, words: spaced(phrase) }))
  const categories = rule.categories?.map(category => ({ as: category, category: category.toLowerCase() }))
  return words => {
    const why: string[] = []
    if (categories) {
      const found = categories.find(({ category }) => category === words.category)
      if (!found) return null
      why.push(`category is ${found.as}`)
    }
    if (tags) {
      const found = tags.find(({ tag }) => words.tags.has(tag))
      if (!found) return null
      why.push(`tag "${found.as}"`)
    }
    if (titles) {
      const found = titles.find(title => words.title.includes(title.words))
      if (!found) return null
      why.push(`title has "${found.as}"`)
    }
    return durationWhy(rule, words.durationSeconds, why)
  }
}

/** A video whose length is not known meets no rule about length. */
function durationWhy(rule: Rule, seconds: number | null, why: string[]): string | null {
  const { durationSecondsMin: min, durationSecondsMax: max } = rule
  if (min !== undefined) {
    if (seconds === null || seconds < min) return null
    why.push(`at least ${min} s long`)
  }
  if (max !== undefined) {
    if (seconds === null || seconds > max) return null
    why.push(`at most ${max} s long`)
  }
  return why.join(' and ')
}

function plainTag(tag: string): string {
  return tag.trim().replace(/^#+/, '').toLowerCase()
}

function spaced(text: string): string {
  return ` ${text
    .toLowerCase()
    .replace(/[^\p{L}\p{N}\p{M}'&]+/gu, ' ')
    .trim()} `
}
