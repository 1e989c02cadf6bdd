import { readCreatorAddress } from '../creator-address.ts'
import type { CreatorRef } from '../port.ts'

const channelId = /^UC[\w-]{22}$/
const handle = /^[\p{L}\p{N}\p{M}._·-]{1,60}$/u

/**
 * A channel by its address, `@handle`, id or bare handle. The old `/c/name` is asked for as a handle, which nearly every
 * such channel has got; addresses of videos name no channel.
 */
export function parseYoutubeCreator(text: string): CreatorRef | null {
  const address = readCreatorAddress('youtube', text)
  if (address === null) return null
  if (address.form === 'word')
    return !address.hasAt && channelId.test(address.word) ? { by: 'id', value: address.word } : byHandle(address.word)
  if (!/^(music\.)?youtube\.com$/.test(address.host)) return null
  const [first = '', second = ''] = address.path
  if (first.startsWith('@')) return byHandle(first.slice(1))
  if (first === 'channel') return channelId.test(second) ? { by: 'id', value: second } : null
  if (first === 'user') return handle.test(second) ? { by: 'username', value: second } : null
  return first === 'c' ? byHandle(second) : null
}

function byHandle(value: string): CreatorRef | null {
  return handle.test(value) ? { by: 'handle', value } : null
}
