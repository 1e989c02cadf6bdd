import { expect, it } from 'vitest'
import { isKnownTo, weakEtag } from './etag.ts'

it('knows a tag in any list that names it, weak or strong, and no other', () => {
  const etag = weakEtag('content')
  expect(etag).toBe(weakEtag('content'))
  expect(etag).not.toBe(weakEtag('content '))
  for (const known of [etag, etag.slice(2), `"x",${etag}`, ` ${etag} , "y"`, '*', ' * ']) {
    expect(isKnownTo(known, etag)).toBe(true)
  }
  for (const other of [undefined, '', '"x"', etag.slice(0, -2), etag.slice(3, -1), '"*"', 'W/']) {
    expect(isKnownTo(other, etag)).toBe(false)
  }
})
