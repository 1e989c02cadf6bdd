import { expect, it } from 'vitest'
import type { Sample } from '../contracts/samples.ts'
import { sampleLine } from './rows.ts'

const dayMs = 86_400_000
const row: Sample = {
  platform: 'youtube',
  videoId: 'v',
  creatorId: 'c',
  observedAtMs: 1_700_000_000_000,
  views: 1,
  likes: null,
  comments: null,
  shares: null,
  saves: null,
  source: 'import:x',
  endpoint: '',
  definitionVersion: 1,
  expiresAtMs: null,
}
const expiry = (more: Partial<Sample>) =>
  Number(
    sampleLine({ ...row, ...more })
      .trimEnd()
      .split('\t')
      .at(-1),
  ) * 1000

it('keeps what may be kept, until the user’s own limit where there is one', () => {
  expect(new Date(expiry({})).getUTCFullYear()).toBe(2106)
  expect(expiry({ expiresAtMs: row.observedAtMs + dayMs })).toBe(row.observedAtMs + dayMs)
})

it('lets no row outlive what the terms of its source allow', () => {
  const source = 'youtube-api'
  expect(expiry({ source })).toBe(row.observedAtMs + 30 * dayMs)
  expect(expiry({ source, expiresAtMs: row.observedAtMs + dayMs })).toBe(row.observedAtMs + dayMs)
  expect(expiry({ source, expiresAtMs: row.observedAtMs + 90 * dayMs })).toBe(row.observedAtMs + 30 * dayMs)
})
