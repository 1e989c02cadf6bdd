import { once } from 'node:events'
import { createServer, type RequestListener } from 'node:http'
import { exportJWK, generateKeyPair, type JWTHeaderParameters, type JWTPayload, SignJWT } from 'jose'

/** Somebody else's sign-in on loopback: signs tokens, and publishes the keys for them where that somebody does. */
export interface TokenMaker {
  /** e.g. `http://127.0.0.1:41234` */
  readonly origin: string
  /** How often the keys were asked for. */
  readonly keyRequests: () => number
  sign(payload: JWTPayload, header?: Partial<JWTHeaderParameters>): Promise<string>
  /** The same claims signed by a key that nobody published. */
  forge(payload: JWTPayload): Promise<string>
  /** From now on another key is published, and signs. */
  changeKey(): Promise<void>
  /** From now on keys are answered with an error, or well again. */
  fail(isFailing: boolean): void
  close(): Promise<void>
}

/**
 * @param o.keysPath where the keys are, e.g. `/certs`
 * @param o.others answers every other path
 */
export async function startTokenMaker(o: {
  alg: 'RS256' | 'ES256'
  keysPath: string
  others?: RequestListener
}): Promise<TokenMaker> {
  const newKey = async (kid: string) => ({ kid, ...(await generateKeyPair(o.alg, { extractable: true })) })
  const stranger = await newKey('key-1')
  let current = await newKey('key-1')
  let keyCount = 1
  let requests = 0
  let isFailing = false
  const server = createServer(async (request, response) => {
    if (request.url !== o.keysPath) return o.others?.(request, response) ?? response.writeHead(404).end()
    requests += 1
    if (isFailing) return response.writeHead(500).end()
    const jwk = { ...(await exportJWK(current.publicKey)), kid: current.kid, alg: o.alg, use: 'sig' }
    return response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify({ keys: [jwk] }))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  const sign = (key: typeof current, payload: JWTPayload, header: Partial<JWTHeaderParameters> = {}) =>
    new SignJWT(payload).setProtectedHeader({ alg: o.alg, kid: key.kid, ...header }).sign(key.privateKey)
  return {
    origin: `http://127.0.0.1:${typeof address === 'object' && address ? address.port : 0}`,
    keyRequests: () => requests,
    sign: (payload, header) => sign(current, payload, header),
    forge: payload => sign(stranger, payload),
    async changeKey() {
      keyCount += 1
      current = await newKey(`key-${keyCount}`)
    },
    fail(failing) {
      isFailing = failing
    },
    async close() {
      server.closeAllConnections()
      const closed = once(server, 'close')
      server.close()
      await closed
    },
  }
}
