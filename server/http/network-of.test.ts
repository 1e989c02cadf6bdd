import { expect, it } from 'vitest'
import { clientAddress, networkOf } from './network-of.ts'

it.each([
  ['192.0.2.1', '192.0.2.1'],
  ['::ffff:192.0.2.1', '192.0.2.1'],
  ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2'],
  ['2001:db8:1:2::9', '2001:db8:1:2'],
  ['2001:db8::1', '2001:db8:0:0'],
  ['::1', '0:0:0:0'],
  ['2001::3:4:5:6:7', '2001:0:0:3'],
  [null, 'unknown'],
])('counts %s as %s', (address, network) => {
  expect(networkOf(address)).toBe(network)
})

it.each([
  [0, '192.0.2.9'],
  [1, '192.0.2.3'],
  [2, '192.0.2.2'],
  [9, '192.0.2.1'],
])('believes %i proxies about where a request comes from', (hops, address) => {
  const headers = { 'x-forwarded-for': '192.0.2.1, 192.0.2.2,192.0.2.3' }
  expect(clientAddress({ headers, socket: { remoteAddress: '192.0.2.9' } }, hops)).toBe(address)
})
