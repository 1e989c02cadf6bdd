import type { IncomingHttpHeaders } from 'node:http'

/**
 * The client's address of a request that Express does not see: what the outermost trusted proxy says.
 * @param trustProxyHops proxies in front of us that set `X-Forwarded-For`
 */
export function clientAddress(
  { headers, socket }: { headers: IncomingHttpHeaders; socket: { remoteAddress?: string | undefined } },
  trustProxyHops: number,
): string | null {
  const said = String(headers['x-forwarded-for'] ?? '').split(',')
  const nearestFirst = [socket.remoteAddress, ...said.map(one => one.trim()).reverse()].filter(one => one)
  return nearestFirst[Math.min(trustProxyHops, nearestFirst.length - 1)] ?? null
}

/**
 * Who an address stands for where requests are counted: an IPv6 customer has a whole /64, so its first four groups stand
 * for all of it.
 * @param address as the socket or a trusted proxy gives it; null when nobody knows
 */
export function networkOf(address: string | null): string {
  if (address === null) return 'unknown'
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1]
  if (mapped !== undefined) return mapped
  if (!address.includes(':')) return address
  const [head = [], tail = []] = address.split('::').map(part => part.split(':').filter(group => group !== ''))
  const zeros = Array.from({ length: Math.max(0, 8 - head.length - tail.length) }, () => '0')
  return [...head, ...zeros, ...tail].slice(0, 4).join(':')
}
