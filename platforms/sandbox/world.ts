import type { Platform } from '../../contracts/ids.ts'
import { letters, mix, scramble, textNumber, unit, unscramble } from './chance.ts'
import { type Counters, countersAt, type Growth, growthOf } from './growth.ts'
import { hostileTitles, nameOf, tagsOf, titleOf } from './wording.ts'

/**
 * A world of creators and what they post, made from a seed. Nothing is stored: posts, counters and ids are functions of
 * seed and time, so the world goes on by the clock alone, is the same in every process, and holds ten thousand creators
 * at no cost. Ids carry, scrambled, what they stand for.
 */
export interface Creator {
  readonly platform: Platform
  readonly index: number
  /** Channel id, open_id, professional account id. */
  readonly id: string
  /** Instagram's id within an app, TikTok's union_id; the same as `id` on YouTube. */
  readonly otherId: string
  readonly name: string
  /** Without `@`. */
  readonly handle: string
  readonly description: string
  readonly country: string
  readonly joinedAtMs: number
  /** When the account is gone, or null. */
  readonly vanishesAtMs: number | null
  readonly hidesLikes: boolean
  readonly hidesFollowers: boolean
  readonly size: number
  readonly intervalMs: number
}

export interface Post {
  readonly creator: Creator
  readonly index: number
  readonly id: string
  /** Of Instagram. */
  readonly shortcode: string
  readonly kind: 'clip' | 'stream' | 'photo'
  readonly title: string
  readonly tags: readonly string[]
  readonly categoryId: string
  readonly publishedAtMs: number
  /** Of a stream. */
  readonly endsAtMs: number | null
  readonly durationSeconds: number
  readonly deletedAtMs: number | null
  readonly hasLikes: boolean
  readonly hasComments: boolean
  readonly growth: Growth
}

export interface CreatorCounters {
  readonly followers: number
  readonly views: number
  readonly likes: number
  readonly posts: number
}

const dayMs = 86_400_000
const originAtMsDefault = Date.UTC(2025, 0, 1)
const categoryIds = ['10', '17', '20', '22', '23', '24', '26', '28'] as const
const countries = ['US', 'DE', 'JP', 'BR', 'GB', 'IN'] as const
/** Who sees a post: everybody, whoever has its address, or its creator alone. */
export type Privacy = 'public' | 'unlisted' | 'private'

/** A post of this age has its last views, near enough for a sum over thousands. */
const settledMs = 90 * dayMs
const saltOf = { youtube: 11, tiktok: 22, instagram: 33 } as const
const idLetters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'

export class World {
  readonly creatorCount: number
  /** The first day: the oldest posts are of it. */
  readonly originAtMs: number
  readonly #seed: number
  readonly #creators = new Map<number, Creator>()
  readonly #gone = new Map<string, number>()
  readonly #hidden = new Map<string, 'private' | 'unlisted'>()
  readonly #settledSums = new Map<string, SettledSum[]>()

  /**
   * @param creatorCount of each platform, at most 65,535
   * @param originAtMs the first day, in epoch ms; that of 2025 unless told
   */
  constructor(options: { seed: number; creatorCount: number; originAtMs?: number }) {
    this.#seed = options.seed
    this.creatorCount = Math.min(options.creatorCount, 65_535)
    this.originAtMs = options.originAtMs ?? originAtMsDefault
  }

  /** The creator at a place from 0; null behind the last. The second one of each platform has hostile titles. */
  creatorAt(platform: Platform, index: number): Creator | null {
    if (!(index >= 0 && index < this.creatorCount)) return null
    const key = saltOf[platform] * 65_536 + index
    const known = this.#creators.get(key)
    if (known !== undefined) return known
    const made = this.#makeCreator(platform, index)
    this.#creators.set(key, made)
    return made
  }

  /** By its id, also when it has vanished. */
  creatorById(platform: Platform, id: string): Creator | null {
    const code = codeIn(platform, 'creator', id)
    if (code === null) return null
    const creator = this.creatorAt(platform, unscramble(this.#saltFor(platform), code) >>> 16)
    return creator?.id === id ? creator : null
  }

  creatorByHandle(platform: Platform, handle: string): Creator | null {
    const index = /(\d+)$/.exec(handle)?.[1]
    const creator = index === undefined ? null : this.creatorAt(platform, Number(index))
    return creator?.handle.toLowerCase() === handle.toLowerCase() ? creator : null
  }

  isGone(creator: Creator, nowMs: number): boolean {
    const atMs = this.#gone.get(creator.id) ?? creator.vanishesAtMs
    return atMs !== null && nowMs >= atMs
  }

  /** Takes a creator or a post away from an instant on. */
  remove(id: string, fromMs: number): void {
    this.#gone.set(id, fromMs)
  }

  /** Makes a post private, or unlisted; `public` shows it to everybody again. */
  hide(id: string, privacy: Privacy): void {
    if (privacy === 'public') this.#hidden.delete(id)
    else this.#hidden.set(id, privacy)
  }

  privacyOf(post: Post): Privacy {
    return this.#hidden.get(post.id) ?? 'public'
  }

  /** A post by its id; null unless it is out and still there. */
  postById(platform: Platform, id: string, nowMs: number): Post | null {
    const code = codeIn(platform, 'post', id)
    if (code === null) return null
    const place = unscramble(this.#saltFor(platform), code)
    const creator = this.creatorAt(platform, place >>> 16)
    const index = (place & 0xffff) - 1
    if (creator === null || index < 0) return null
    const post = this.#makePost(creator, index)
    return post.id === id && this.#isOut(post, nowMs) && !this.isGone(creator, nowMs) ? post : null
  }

  /** What is out, newest first, from before a place on. */
  *posts(creator: Creator, nowMs: number, beforeIndex: number | null = null): Generator<Post> {
    if (this.isGone(creator, nowMs)) return
    const newest = this.#newestIndex(creator, nowMs)
    for (let index = beforeIndex === null ? newest : Math.min(beforeIndex - 1, newest); index >= 0; index -= 1) {
      const post = this.#makePost(creator, index)
      if (this.#isOut(post, nowMs)) yield post
    }
  }

  /** What comes next, for announced broadcasts. */
  nextPost(creator: Creator, nowMs: number): Post {
    return this.#makePost(creator, this.#newestIndex(creator, nowMs) + 1)
  }

  counters(post: Post, nowMs: number): Counters {
    return countersAt(post.growth, post.publishedAtMs, nowMs)
  }

  /** Sums over all that was ever posted; the number of posts is of what is still there. */
  creatorCounters(creator: Creator, nowMs: number): CreatorCounters {
    const settled = this.#settled(creator, nowMs)
    let { views, posts } = settled.at(-1) ?? { views: 0, posts: 0 }
    const newest = this.#newestIndex(creator, nowMs)
    for (let index = newest; index >= settled.length; index -= 1) {
      const post = this.#makePost(creator, index)
      views += this.counters(post, nowMs).views
      if (this.#isOut(post, nowMs)) posts += 1
    }
    return {
      posts,
      views: Math.floor(views),
      likes: Math.floor(views * 0.05),
      followers: Math.floor(creator.size * 3 + views * 0.004),
    }
  }

  /** All of a creator's views between two instants, and what they brought, for reports by day. */
  viewsBetween(creator: Creator, fromMs: number, toMs: number): Counters {
    const sum = { views: 0, likes: 0, comments: 0, shares: 0, saves: 0 }
    for (const post of this.posts(creator, toMs)) {
      if (post.publishedAtMs < toMs - settledMs) break
      const before = this.counters(post, fromMs)
      const after = this.counters(post, toMs)
      sum.views += Math.max(0, after.views - before.views)
      sum.likes += Math.max(0, after.likes - before.likes)
      sum.comments += Math.max(0, after.comments - before.comments)
      sum.shares += Math.max(0, after.shares - before.shares)
      sum.saves += Math.max(0, after.saves - before.saves)
    }
    return sum
  }

  #saltFor(platform: Platform): number {
    return mix(this.#seed, saltOf[platform])
  }

  #makeCreator(platform: Platform, index: number): Creator {
    const place = [this.#seed, saltOf[platform], index] as const
    const code = scramble(this.#saltFor(platform), index << 16)
    const isHostile = index === 1
    const name = isHostile ? (hostileTitles[0] ?? '') : nameOf(...place)
    const handle = `${(isHostile ? 'Hostile' : name).replace(/\W/g, '').toLowerCase()}${index}`
    const { id, otherId } = creatorIds(platform, code, place)
    return {
      platform,
      index,
      id,
      otherId,
      name,
      handle,
      description: `Videos by ${name}.`,
      country: countries[mix(...place, 8) % countries.length] ?? 'US',
      joinedAtMs: this.originAtMs - Math.floor(unit(...place, 9) * 2000) * dayMs,
      // Those that can be signed in as stay.
      vanishesAtMs: index > 8 && index % 17 === 3 ? this.originAtMs + (300 + unit(...place, 10) * 900) * dayMs : null,
      hidesLikes: index > 1 && index % 5 === 4,
      hidesFollowers: index > 2 && index % 11 === 5,
      // Those that can be signed in as have something to show.
      size: index < 4 ? 8000 * (index + 1) : 10 ** (2.5 + 3.5 * unit(...place, 11) ** 1.5),
      intervalMs: (index < 4 ? 0.5 + index * 0.3 : 0.4 + 6 * unit(...place, 12)) * dayMs,
    }
  }

  #makePost(creator: Creator, index: number): Post {
    const { platform } = creator
    const place = [this.#seed, saltOf[platform], creator.index, index] as const
    const publishedAtMs = this.#publishedAtMs(creator, index)
    const code = scramble(this.#saltFor(platform), ((creator.index << 16) | (index + 1)) >>> 0)
    const kind = kindOf(platform, creator, index)
    const hours = 1 + 3 * unit(...place, 1)
    const deletedAtMs = this.#isDeletedAfterAll(creator, index)
      ? publishedAtMs + (0.2 + 50 * unit(...place, 3)) * dayMs
      : null
    return {
      creator,
      index,
      id: postId(platform, code, Math.floor(publishedAtMs / 1000)),
      shortcode: letters(idLetters, 11, code, 77),
      kind,
      title: titleOf(creator.index === 1, ...place),
      tags: tagsOf(...place),
      categoryId: categoryIds[mix(...place, 4) % categoryIds.length] ?? '24',
      publishedAtMs,
      endsAtMs: kind === 'stream' ? publishedAtMs + Math.floor(hours * 3_600_000) : null,
      durationSeconds:
        kind === 'stream' ? Math.floor(hours * 3600) : durationOf(platform, unit(...place, 5), unit(...place, 6)),
      deletedAtMs,
      hasLikes: !(creator.hidesLikes || unit(...place, 7) < 0.03),
      hasComments: unit(...place, 8) >= 0.05,
      growth: growthOf(creator.size, ...place),
    }
  }

  #publishedAtMs(creator: Creator, index: number): number {
    const jitter = unit(this.#seed, saltOf[creator.platform], creator.index, index, 2) * 0.45
    return this.originAtMs + Math.floor((index + jitter) * (creator.intervalMs / 1000)) * 1000
  }

  #newestIndex(creator: Creator, nowMs: number): number {
    const guess = Math.min(65_000, Math.floor((nowMs - this.originAtMs) / creator.intervalMs))
    return guess >= 0 && this.#publishedAtMs(creator, guess) > nowMs ? guess - 1 : Math.max(guess, -1)
  }

  /** Whether it will be gone some day within its first 51 days. */
  #isDeletedAfterAll(creator: Creator, index: number): boolean {
    return unit(this.#seed, saltOf[creator.platform], creator.index, index, 9) < 0.04
  }

  #isOut(post: Post, nowMs: number): boolean {
    const goneMs = this.#gone.get(post.id) ?? post.deletedAtMs
    return post.publishedAtMs <= nowMs && (goneMs === null || nowMs < goneMs)
  }

  /** Running sums over posts that are old, remembered: they no longer move. */
  #settled(creator: Creator, nowMs: number): readonly SettledSum[] {
    const sums = this.#settledSums.get(creator.id) ?? []
    if (!this.#settledSums.has(creator.id)) this.#settledSums.set(creator.id, sums)
    for (;;) {
      const atMs = this.#publishedAtMs(creator, sums.length)
      if (atMs > nowMs - settledMs) {
        // A clock that was set back.
        while (sums.length > 0 && this.#publishedAtMs(creator, sums.length - 1) > nowMs - settledMs) sums.pop()
        return sums
      }
      const before = sums.at(-1) ?? { views: 0, posts: 0 }
      const post = this.#makePost(creator, sums.length)
      sums.push({
        views: before.views + countersAt(post.growth, atMs, atMs + settledMs).views,
        posts: before.posts + (post.deletedAtMs === null ? 1 : 0),
      })
    }
  }
}

interface SettledSum {
  readonly views: number
  readonly posts: number
}

/** Half of YouTube's first creators stream; Instagram has photos too. */
function kindOf(platform: Platform, creator: Creator, index: number): Post['kind'] {
  if (platform === 'youtube' && creator.index % 2 === 0 && index % 6 === 5) return 'stream'
  return platform === 'instagram' && index % 5 === 3 ? 'photo' : 'clip'
}

function durationOf(platform: Platform, chance: number, second: number): number {
  if (platform !== 'youtube' || chance < 0.5) return 5 + Math.floor(second * 85)
  return 180 + Math.floor(second * 2400)
}

function creatorIds(platform: Platform, code: number, place: readonly number[]): { id: string; otherId: string } {
  const digits = String(code).padStart(10, '0')
  switch (platform) {
    case 'youtube': {
      const id = `UC${hexLetters(code)}${letters(idLetters, 14, ...place, 13)}`
      return { id, otherId: id }
    }
    case 'tiktok': {
      const hex = code.toString(16).padStart(8, '0')
      const rest = (from: number) => letters('0123456789abcdef', 4, ...place, from)
      const tail = letters('0123456789abcdef', 12, ...place, 14)
      const form = (head: string) => `${head}-${rest(15)}-4${rest(16).slice(1)}-9${rest(17).slice(1)}-${tail}`
      return { id: form(hex), otherId: form(letters('0123456789abcdef', 8, ...place, 18)) }
    }
    case 'instagram':
      // Both are above 2^53.
      return { id: `178414${digits}7`, otherId: `26${digits}${letters('123456789', 5, ...place, 19)}` }
  }
}

function postId(platform: Platform, code: number, createdAtSeconds: number): string {
  switch (platform) {
    case 'youtube':
      return `${hexLetters(code)}${letters(idLetters, 3, code, 20)}`
    case 'tiktok':
      // A snowflake: seconds, then 32 bits.
      return ((BigInt(createdAtSeconds) << 32n) | BigInt(code)).toString()
    case 'instagram':
      return `179${String(code).padStart(10, '0')}${letters('0123456789', 4, code, 21)}`
  }
}

/** What an id carries, or null when it has not the form. Whether it is right, the caller sees by making the id anew. */
function codeIn(platform: Platform, what: 'creator' | 'post', id: string): number | null {
  if (platform === 'youtube') {
    const found = (what === 'creator' ? /^UC([\w-]{8})[\w-]{14}$/ : /^([\w-]{8})[\w-]{3}$/).exec(id)?.[1]
    return found === undefined ? null : fromHexLetters(found)
  }
  if (platform === 'tiktok') {
    if (what === 'creator') return /^[0-9a-f]{8}-/.test(id) ? Number.parseInt(id.slice(0, 8), 16) : null
    return /^\d{17,20}$/.test(id) ? Number(BigInt(id) & 0xffff_ffffn) : null
  }
  const digits = (what === 'creator' ? /^178414(\d{10})\d$/ : /^179(\d{10})\d{4}$/).exec(id)?.[1]
  const code = digits === undefined ? null : Number(digits)
  return code !== null && code < 2 ** 32 ? code : null
}

/** Four bits a letter, of letters that depend on where they stand, so that ids use the whole alphabet. */
function hexLetters(code: number): string {
  let text = ''
  for (let at = 0; at < 8; at += 1)
    text += idLetters[((code >>> (at * 4)) & 15) + 16 * (mix(code, at, textNumber('id')) % 4)]
  return text
}

function fromHexLetters(text: string): number | null {
  let code = 0
  for (let at = 0; at < 8; at += 1) code |= (idLetters.indexOf(text[at] ?? '') & 15) << (at * 4)
  return code >>> 0
}
