import { describe, expect, it } from 'vitest'
import { rangeOf } from './byte-range.ts'

const file = { bytes: 1000, etag: '"abc"' }
const of = (range: string | undefined, ifRange?: string) => rangeOf({ range, ifRange }, file)

describe('a range of a file', () => {
  it('is found in every place where a download may resume', () => {
    expect(of('bytes=0-')).toEqual({ start: 0, end: 999 })
    expect(of('bytes=0-0')).toEqual({ start: 0, end: 0 })
    expect(of('bytes=500-599')).toEqual({ start: 500, end: 599 })
    expect(of('bytes=999-')).toEqual({ start: 999, end: 999 })
    expect(of('bytes=900-5000')).toEqual({ start: 900, end: 999 })
    expect(of('bytes=-1')).toEqual({ start: 999, end: 999 })
    expect(of('bytes=-5000')).toEqual({ start: 0, end: 999 })
  })

  it('is the whole file where there is none, or one that is not answered in parts', () => {
    expect(of(undefined)).toBeNull()
    for (const text of ['bytes=0-1,5-6', 'lines=1-2', 'bytes=-', 'bytes=9-1', 'bytes=a-b', ''])
      expect(of(text)).toBeNull()
  })

  it('is refused when no byte lies in it', () => {
    for (const text of ['bytes=1000-', 'bytes=1000-1001', 'bytes=-0']) {
      expect(() => of(text)).toThrow(
        expect.objectContaining({ code: 'RANGE_NOT_SATISFIABLE', details: { bytes: 1000 } }),
      )
    }
  })

  it('is the whole file again when the file is another than the part before came from', () => {
    expect(of('bytes=500-', '"abc"')).toEqual({ start: 500, end: 999 })
    expect(of('bytes=500-', '"other"')).toBeNull()
    expect(of('bytes=500-', 'W/"abc"')).toBeNull()
    expect(of('bytes=500-', 'Wed, 21 Oct 2015 07:28:00 GMT')).toBeNull()
  })
})
