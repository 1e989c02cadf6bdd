import { describe, expect, it } from 'vitest'
import { platforms } from '../../contracts/ids.ts'
import { scramble, unscramble } from './chance.ts'
import { startMs } from './test-sandbox.ts'
import { World } from './world.ts'

const hourMs = 3_600_000
const dayMs = 24 * hourMs
const world = new World({ seed: 1, creatorCount: 60 })
const creators = platforms.flatMap(platform =>
  Array.from({ length: 60 }, (_, index) => world.creatorAt(platform, index)).filter(one => one !== null),
)

describe('the made world', () => {
  it('is the same in another process, and another with another seed', () => {
    const names = (seed: number) => {
      const one = new World({ seed, creatorCount: 5 }).creatorAt('tiktok', 4)
      return one === null ? null : [one.id, one.handle]
    }
    expect(names(1)).toEqual(names(1))
    expect(names(1)).not.toEqual(names(2))
  })

  it('finds creators and posts by ids that say nothing, and nobody by one that is almost right', () => {
    for (const creator of creators) {
      expect(world.creatorById(creator.platform, creator.id)).toBe(creator)
      expect(world.creatorByHandle(creator.platform, creator.handle.toUpperCase())).toBe(creator)
      const [post] = world.posts(creator, startMs)
      if (post) expect(world.postById(creator.platform, post.id, startMs)).toEqual(post)
    }
    const [creator] = creators
    expect(world.creatorById('youtube', `${creator?.id.slice(0, -1)}!`)).toBeNull()
    expect(world.postById('youtube', 'AAAAAAAAAAA', startMs)).toBeNull()
    expect(world.creatorAt('youtube', 60)).toBeNull()
  })

  it('gives ids of the forms that the platforms give, above 2^53 where theirs are', () => {
    const [youtube, tiktok, instagram] = platforms.map(platform => world.creatorAt(platform, 0))
    const firstOf = (creator: typeof youtube) => (creator ? [...world.posts(creator, startMs)][0]?.id : undefined)
    expect(youtube?.id).toMatch(/^UC[\w-]{22}$/)
    expect(firstOf(youtube ?? null)).toMatch(/^[\w-]{11}$/)
    expect(tiktok?.id).toMatch(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/)
    expect(BigInt(firstOf(tiktok ?? null) ?? 0)).toBeGreaterThan(2n ** 53n)
    expect(instagram?.id).toMatch(/^17841\d{12}$/)
    expect(BigInt(instagram?.otherId ?? 0)).toBeGreaterThan(2n ** 53n)
    expect(firstOf(instagram ?? null)).toMatch(/^179\d{14}$/)
  })

  it('lets counters grow, some in a burst, some not at all for hours, and some lose views', () => {
    let bursts = 0
    let standstills = 0
    let purges = 0
    for (const creator of creators.slice(0, 20)) {
      for (const post of [...world.posts(creator, startMs)].slice(0, 40)) {
        const readings = Array.from({ length: 40 * 24 }, (_, hour) =>
          world.counters(post, post.publishedAtMs + hour * hourMs),
        ).map(({ views }) => views)
        const gains = readings.slice(1).map((views, at) => views - (readings[at] ?? 0))
        if (gains.some(gain => gain < 0)) purges += 1
        if (gains.slice(0, 48).some((gain, at) => gain === 0 && (gains[at + 1] ?? 0) === 0)) standstills += 1
        if (Math.max(...gains.slice(24)) > Math.max(...gains.slice(12, 24)) * 2) bursts += 1
        expect(readings[0]).toBe(0)
        const { views, likes } = world.counters(post, startMs)
        expect(likes).toBeLessThanOrEqual(views)
      }
    }
    expect({ bursts: bursts > 20, standstills: standstills > 20, purges: purges > 5 }).toEqual({
      bursts: true,
      standstills: true,
      purges: true,
    })
  })

  it('goes on by the clock: new posts, gone posts, vanished creators', () => {
    const before = new Set(creators.flatMap(creator => [...world.posts(creator, startMs)].map(post => post.id)))
    const after = new Set(
      creators.flatMap(creator => [...world.posts(creator, startMs + 30 * dayMs)].map(post => post.id)),
    )
    expect([...after].filter(id => !before.has(id)).length).toBeGreaterThan(100)
    expect([...before].filter(id => !after.has(id)).length).toBeGreaterThan(10)
    const vanishing = creators.find(creator => creator.vanishesAtMs !== null)
    if (!vanishing?.vanishesAtMs) throw new Error('Somebody vanishes.')
    expect([...world.posts(vanishing, vanishing.vanishesAtMs - 1)].length).toBeGreaterThan(0)
    expect([...world.posts(vanishing, vanishing.vanishesAtMs)]).toEqual([])
  })

  it('sums what was posted into what a creator has, the same however often it is asked', () => {
    const creator = world.creatorAt('youtube', 2)
    if (!creator) throw new Error('There is a third creator.')
    const now = world.creatorCounters(creator, startMs)
    expect(world.creatorCounters(creator, startMs + dayMs).views).toBeGreaterThan(now.views)
    expect(world.creatorCounters(creator, startMs)).toEqual(now)
    expect(now.posts).toBe([...world.posts(creator, startMs)].length)
  })

  it('has a creator whose titles no terminal should obey', () => {
    const hostile = world.creatorAt('youtube', 1)
    if (!hostile) throw new Error('There is a second creator.')
    const titles = [...world.posts(hostile, startMs)].map(post => post.title)
    expect(titles.some(title => title.includes('\u001b[2J'))).toBe(true)
    expect(titles.some(title => title.length === 10_000)).toBe(true)
    expect(titles.some(title => /\p{Emoji_Presentation}/u.test(title))).toBe(true)
    expect(titles.some(title => /\p{Script=Hebrew}/u.test(title))).toBe(true)
  })

  it('scrambles without losing anything', () => {
    for (const n of [0, 1, 65_535, 65_536, 2 ** 31, 2 ** 32 - 1]) expect(unscramble(77, scramble(77, n))).toBe(n)
  })
})
