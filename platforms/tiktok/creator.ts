import { readCreatorAddress } from '../creator-address.ts'
import type { CreatorRef } from '../port.ts'

const username = /^[\w.]{1,24}$/
const openId = /^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/i

/** A user by address (also that of a video), `@name`, bare name or open id. Short links (`vm.tiktok.com`) name nobody. */
export function parseTiktokCreator(text: string): CreatorRef | null {
  const address = readCreatorAddress('tiktok', text)
  if (address === null) return null
  if (address.form === 'word') {
    if (!address.hasAt && openId.test(address.word)) return { by: 'id', value: address.word }
    return byName(address.word)
  }
  const [first = ''] = address.path
  return address.host === 'tiktok.com' && first.startsWith('@') ? byName(first.slice(1)) : null
}

function byName(value: string): CreatorRef | null {
  return username.test(value) ? { by: 'username', value: value.toLowerCase() } : null
}
