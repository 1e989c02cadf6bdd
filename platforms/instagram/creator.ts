import { readCreatorAddress } from '../creator-address.ts'
import type { CreatorRef } from '../port.ts'

const username = /^[\w.]{1,30}$/
const professionalId = /^1784\d{13}$/
/** Parts of Instagram's addresses that are no names. */
const reserved = new Set(
  'p reel reels tv explore accounts direct about developer legal web emails session press api challenge oauth'.split(
    ' ',
  ),
)

/** An account by address, `@name`, bare name or professional id. Addresses of posts name nobody. */
export function parseInstagramCreator(text: string): CreatorRef | null {
  const address = readCreatorAddress('instagram', text)
  if (address === null) return null
  if (address.form === 'word') {
    if (!address.hasAt && professionalId.test(address.word)) return { by: 'id', value: address.word }
    return byName(address.word)
  }
  if (address.host !== 'instagram.com' && address.host !== 'instagr.am') return null
  const [first = '', second = ''] = address.path
  if (first === 'stories') return second === 'highlights' ? null : byName(second)
  return reserved.has(first.toLowerCase()) ? null : byName(first.replace(/^@/, ''))
}

function byName(value: string): CreatorRef | null {
  return username.test(value) ? { by: 'username', value: value.toLowerCase() } : null
}
