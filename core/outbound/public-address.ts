import { networkInterfaces } from 'node:os'
import ipaddr from 'ipaddr.js'

/** Azure's service for its machines: the one such address that lies in a public range. */
const hostServices = ['168.63.129.16']
/** All global unicast addresses of today's internet. Everything else in IPv6 is special, deprecated or unassigned. */
const globalUnicast = ipaddr.IPv6.parseCIDR('2000::/3')

/**
 * Whether an IP address, as the system writes it, lies on the public internet and is not this machine. Forms that carry
 * an IPv4 address inside (mapped, 6to4, Teredo, NAT64) are refused whatever they carry: no public name resolves to them.
 */
export function isPublicAddress(text: string): boolean {
  if (!ipaddr.isValid(text) || text.includes('%')) return false
  const address = ipaddr.parse(text)
  if (address.range() !== 'unicast') return false
  if (address instanceof ipaddr.IPv6 && !address.match(globalUnicast)) return false
  const normal = address.toString()
  return !hostServices.includes(normal) && !isOwn(normal)
}

function isOwn(normal: string): boolean {
  for (const entries of Object.values(networkInterfaces())) {
    for (const { address } of entries ?? []) {
      const plain = address.split('%')[0] ?? ''
      if (ipaddr.isValid(plain) && ipaddr.parse(plain).toString() === normal) return true
    }
  }
  return false
}
