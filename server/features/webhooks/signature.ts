import { createHmac } from 'node:crypto'

/** The header that carries the signature. */
export const signatureHeader = 'Cliptape-Signature'

/**
 * Signs a body as of an instant: `t=<Unix seconds>,v1=<hex>`, where the hex is the HMAC-SHA256 of `<t>.<body>` under the
 * webhook's secret, taken as text. A receiver refuses a `t` that is more than five minutes away from its own clock.
 */
export function signatureOf(secret: string, body: string, atMs: number): string {
  const seconds = Math.floor(atMs / 1000)
  const hex = createHmac('sha256', secret).update(`${seconds}.${body}`).digest('hex')
  return `t=${seconds},v1=${hex}`
}
