import { describe, expect, it } from 'vitest'
import { manualClock } from '../../../core/clock.ts'
import { createDownloadLinks, type LinkQuery, linkKeptMs } from './download-links.ts'

const fileId = '0b6b4c1e-7d0d-4f6a-8f0e-2a6f6f1c9a57'
const startMs = Date.parse('2026-01-31T23:55:00Z')

function queryOf(path: string): LinkQuery {
  const query = new URL(path, 'http://localhost').searchParams
  return { expires: query.get('expires') ?? '', key: query.get('key') ?? '', signature: query.get('signature') ?? '' }
}

describe('a download link', () => {
  it('opens its file for a quarter of an hour, on every node, over midnight too', () => {
    const clock = manualClock(startMs)
    const link = createDownloadLinks({ secret: 'one', clock }).sign(fileId)
    expect(link.expiresAt.toISOString()).toBe('2026-02-01T00:10:00.000Z')
    const elsewhere = createDownloadLinks({ secret: 'one', clock })
    clock.advance(linkKeptMs - 1)
    expect(() => elsewhere.check(fileId, queryOf(link.path))).not.toThrow()
    clock.advance(1)
    expect(() => elsewhere.check(fileId, queryOf(link.path))).toThrow(expect.objectContaining({ code: 'GONE' }))
  })

  it('opens nothing when anything of it was changed, or another installation made it', () => {
    const clock = manualClock(startMs)
    const links = createDownloadLinks({ secret: 'one', clock })
    const query = queryOf(links.sign(fileId).path)
    const refused = expect.objectContaining({ code: 'FORBIDDEN' })
    expect(() => links.check(fileId.replace('0', '1'), query)).toThrow(refused)
    expect(() => links.check(fileId, { ...query, expires: String(Number(query.expires) + 60) })).toThrow(refused)
    expect(() => links.check(fileId, { ...query, key: String(Number(query.key) + 1) })).toThrow(refused)
    expect(() => links.check(fileId, { ...query, signature: query.signature.slice(1) })).toThrow(refused)
    expect(() => links.check(fileId, { ...query, signature: '' })).toThrow(refused)
    expect(() => createDownloadLinks({ secret: 'two', clock }).check(fileId, query)).toThrow(refused)
  })
})
