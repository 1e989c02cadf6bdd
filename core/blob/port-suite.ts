import { Readable } from 'node:stream'
import { buffer, text } from 'node:stream/consumers'
import { expect, it } from 'vitest'
import type { BlobStore } from './port.ts'

/** What every blob store does. @param store an empty one for each test */
export function describeBlobStore(store: () => BlobStore): void {
  it('gives back what was put, from a buffer or a stream, and replaces it whole', async () => {
    expect(await store().put('clips/2026/a.mp4', Buffer.from([0, 1, 255]))).toEqual({ bytes: 3 })
    expect(await buffer(await store().get('clips/2026/a.mp4'))).toEqual(Buffer.from([0, 1, 255]))
    expect(await store().put('clips/2026/a.mp4', Readable.from([Buffer.from('he'), Buffer.from('llo')]))).toEqual({
      bytes: 5,
    })
    expect(await text(await store().get('clips/2026/a.mp4'))).toBe('hello')
    expect(await store().put('empty', Buffer.alloc(0))).toEqual({ bytes: 0 })
    expect(await text(await store().get('empty'))).toBe('')
  })

  it('reads a range, both ends included', async () => {
    await store().put('a', Buffer.from('0123456789'))
    expect(await text(await store().get('a', { start: 2, end: 4 }))).toBe('234')
    expect(await text(await store().get('a', { start: 8, end: 100 }))).toBe('89')
    await expect(store().get('a', { start: 10, end: 12 })).rejects.toMatchObject({ code: 'BAD_REQUEST' })
    await expect(store().get('a', { start: 4, end: 2 })).rejects.toMatchObject({ code: 'BAD_REQUEST' })
  })

  it('says what is not there, and deletes what is', async () => {
    await expect(store().get('a/b')).rejects.toMatchObject({ code: 'NOT_FOUND' })
    expect(await store().stat('a/b')).toBeNull()
    await store().put('a/b', Buffer.from('x'))
    expect(await store().stat('a/b')).toMatchObject({ bytes: 1, modifiedAt: expect.any(Date) })
    expect(await store().stat('a')).toBeNull()
    await expect(store().get('a')).rejects.toMatchObject({ code: 'NOT_FOUND' })
    await store().delete('a/b')
    await store().delete('a/b')
    expect(await store().stat('a/b')).toBeNull()
  })

  it('lists keys below a prefix in order, at most as many as asked for', async () => {
    for (const key of ['b', 'a/2', 'a/10', 'c.txt', 'a/1/x']) await store().put(key, Buffer.from('x'))
    expect(await store().list('', 10)).toEqual(['a/1/x', 'a/10', 'a/2', 'b', 'c.txt'])
    expect(await store().list('a/1', 10)).toEqual(['a/1/x', 'a/10'])
    expect(await store().list('', 2)).toEqual(['a/1/x', 'a/10'])
    expect(await store().list('zzz', 10)).toEqual([])
  })

  it('refuses keys that leave the folder or hide in it', async () => {
    const bad = [
      '',
      '/etc/passwd',
      '../x',
      'a/../../x',
      'a//b',
      'a/',
      '.parts/x',
      'a/.hidden',
      'a\\b',
      'a\0b',
      'é',
      'a'.repeat(600),
    ]
    for (const key of bad)
      await expect(store().put(key, Buffer.from('x')), key).rejects.toMatchObject({ code: 'BAD_REQUEST' })
    expect(await store().list('', 10)).toEqual([])
  })

  it('shows nothing of a body that broke off, and keeps the old one', async () => {
    await store().put('a', Buffer.from('old'))
    const broken = Readable.from(
      (async function* () {
        yield Buffer.from('half of the n')
        throw new Error('connection lost')
      })(),
    )
    await expect(store().put('a', broken)).rejects.toThrow('connection lost')
    expect(await text(await store().get('a'))).toBe('old')
    expect(await store().list('', 10)).toEqual(['a'])
  })
}
