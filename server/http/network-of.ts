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
  const [head = '', tail] = address.split('::')
  const groups = head.split(':').filter(group => group !== '')
  const full = tail === undefined ? groups : [...groups, ...Array.from({ length: 4 }, () => '0')]
  return full.slice(0, 4).join(':')
}
