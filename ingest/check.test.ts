import { describe, expect, test } from 'vitest'
import type { z } from 'zod'
import {
  CreatorRecordSchema,
  CreatorSampleSchema,
  type Item,
  SampleSchema,
  TopicSampleSchema,
  VideoRecordSchema,
} from '../contracts/samples.ts'
import { checkItems } from './check.ts'

const schemas: Record<Item['kind'], z.ZodType> = {
  sample: SampleSchema,
  video: VideoRecordSchema,
  creator: CreatorRecordSchema,
  creatorSample: CreatorSampleSchema,
  topicSample: TopicSampleSchema,
}

const origin = { source: 'import:test', endpoint: 'US', definitionVersion: 1, expiresAtMs: null }
const good: Item[] = [
  {
    kind: 'sample',
    row: {
      ...origin,
      platform: 'youtube',
      videoId: 'dQw4w9WgXcQ',
      creatorId: '',
      observedAtMs: 1_510_617_600_000,
      views: 1,
      likes: null,
      comments: 2n,
      shares: null,
      saves: null,
    },
  },
  {
    kind: 'video',
    row: {
      platform: 'tiktok',
      videoId: '1',
      creatorId: '',
      kind: 'clip',
      title: 't',
      url: '',
      thumbnailUrl: '',
      publishedAtMs: null,
      endedAtMs: null,
      durationSeconds: 1.5,
      category: '',
      tags: ['a'],
      regions: ['US'],
      topics: ['b'],
      observedAtMs: 0,
      source: 's',
    },
  },
  {
    kind: 'creator',
    row: { platform: 'instagram', creatorId: 'x', name: '', handle: '', observedAtMs: 5, source: 's' },
  },
  {
    kind: 'creatorSample',
    row: {
      ...origin,
      platform: 'youtube',
      creatorId: 'x',
      observedAtMs: 5,
      followers: 1,
      views: null,
      videos: null,
      likes: null,
    },
  },
  {
    kind: 'topicSample',
    row: { ...origin, platform: 'tiktok', topic: 'x', observedAtMs: 5, views: 1, videos: null },
  },
]

/** Values at and around every limit of the schemas, and of every wrong type. */
const values: readonly unknown[] = [
  null,
  undefined,
  '',
  'x',
  0,
  -1,
  1,
  1.5,
  Number.NaN,
  Number.POSITIVE_INFINITY,
  65_535,
  65_536,
  Number.MAX_SAFE_INTEGER,
  Number.MAX_SAFE_INTEGER + 1,
  4_102_444_800_000,
  4_102_444_800_001,
  1e7,
  1e7 + 1,
  0n,
  -1n,
  9223372036854775807n,
  9223372036854775808n,
  true,
  [],
  {},
  'youtube',
  'vimeo',
  'vod',
  ...[8, 100, 200, 280, 300, 500, 2000].flatMap(length => ['y'.repeat(length), 'y'.repeat(length + 1)]),
  ...[100, 250, 500].flatMap(length => [Array(length).fill('z'), Array(length + 1).fill('z')]),
  ['y'.repeat(9)],
  ['y'.repeat(101)],
  ['y'.repeat(301)],
  [1],
]

describe('checkItems', () => {
  test.each(good.map(item => [item.kind, item] as const))(
    'agrees with the schema of %s on every field',
    (kind, item) => {
      expect(checkItems([item])).toBeNull()
      for (const field of Object.keys(item.row)) {
        for (const value of values) {
          const row: unknown = { ...item.row, [field]: value }
          const isGood = schemas[kind].safeParse(row).success
          const bad = checkItems([{ kind, row } as Item])
          expect(bad, `${field} = ${typeof value} ${String(value).slice(0, 20)}`).toBe(isGood ? null : field)
        }
      }
    },
  )
})
