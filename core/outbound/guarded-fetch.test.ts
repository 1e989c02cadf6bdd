import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { text } from 'node:stream/consumers'
import { afterEach, expect, it } from 'vitest'
import { type OutboundOptions, openOutbound } from './guarded-fetch.ts'
import type { Outbound } from './port.ts'
import { isPublicAddress } from './public-address.ts'

const opened: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const close of opened.splice(0)) await close()
})

type Handle = (request: IncomingMessage, response: ServerResponse) => void

async function serve(handle: Handle, host = '127.0.0.1'): Promise<{ port: number; url: string; server: Server }> {
  const server = createServer(handle).listen(0, host)
  await once(server, 'listening')
  opened.push(async () => {
    server.closeAllConnections()
    server.close()
  })
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('A TCP server has a port.')
  return { port: address.port, url: `http://${host}:${address.port}`, server }
}

/** Users' names resolve as `names` says; 127.0.0.1 stands for a host on the internet. */
function open(options: Partial<OutboundOptions> & { names?: Record<string, string[]> } = {}): Outbound {
  const outbound = openOutbound({
    configuredOrigins: [],
    mayReach: address => address === '127.0.0.1' || isPublicAddress(address),
    resolve: async name => options.names?.[name] ?? [],
    ...options,
  })
  opened.push(() => outbound.close())
  return outbound
}

it('brings an answer whole, with its headers in lower case', async () => {
  const { port } = await serve(async (request, response) => {
    const body = await text(request)
    response
      .writeHead(201, { 'X-Two': ['a', 'b'] })
      .end(`${request.method} ${request.url} ${request.headers.host} ${body}`)
  })
  const outbound = open({ names: { 'hook.example': ['127.0.0.1'] } })
  const answer = await outbound.fetchForUser(`http://hook.example:${port}/in?a=1`, { method: 'POST', body: 'ü' })
  expect(answer).toMatchObject({
    status: 201,
    body: `POST /in?a=1 hook.example:${port} ü`,
    headers: { 'x-two': 'a, b' },
  })
})

it('brings bytes as they are, a range of them too, and says which address gave them', async () => {
  const file = Buffer.from([0xff, 0x00, 0xfe, 0x80])
  const { url } = await serve((request, response) => {
    if (request.url === '/old') return void response.writeHead(302, { location: '/new' }).end()
    const [, first = '0', last = '3'] = /^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? '') ?? []
    response.writeHead(206, { 'content-range': `bytes ${first}-${last}/4` })
    response.end(file.subarray(Number(first), Number(last) + 1))
  })
  const answer = await open().fetchBytesForUser(`${url}/old`, { headers: { range: 'bytes=1-2' } })
  expect(answer).toMatchObject({ status: 206, url: `${url}/new`, headers: { 'content-range': 'bytes 1-2/4' } })
  expect([...answer.bytes]).toEqual([0x00, 0xfe])
})

it.each([
  'http://127.0.0.1/',
  'http://127.1/',
  'http://0x7f.0.0.1/',
  'http://2130706433/',
  'http://0177.0.0.01/',
  'http://0/',
  'http://localhost/',
  'http://api.localhost./',
  'http://[::1]/',
  'http://[::ffff:127.0.0.1]/',
  'http://[fe80::1]/',
  'http://169.254.169.254/latest/meta-data/',
  'http://10.0.0.1:6379/',
  'https://192.168.0.1/',
])('refuses %s before a connection is made', async url => {
  const outbound = open({ mayReach: isPublicAddress })
  expect(() => outbound.checkForUser(url)).toThrow(expect.objectContaining({ code: 'FORBIDDEN' }))
  await expect(outbound.fetchForUser(url)).rejects.toMatchObject({ code: 'FORBIDDEN' })
})

it.each(['ftp://example.com/', 'file:///etc/passwd', '//example.com', 'no address', 'http://a:b@example.com/'])(
  'does not take %s for an address',
  async url => {
    const outbound = open()
    expect(() => outbound.checkForUser(url)).toThrow(expect.objectContaining({ code: 'BAD_REQUEST' }))
    await expect(outbound.fetchForUser(url)).rejects.toMatchObject({ code: 'BAD_REQUEST' })
  },
)

it('refuses a name that leads inside, also when only one of its addresses does', async () => {
  let requests = 0
  const { port } = await serve((_request, response) => {
    requests += 1
    response.end()
  })
  const outbound = open({
    mayReach: isPublicAddress,
    names: { 'inside.example': ['127.0.0.1'], 'both.example': ['93.184.216.34', '127.0.0.1'] },
  })
  for (const name of ['inside.example', 'both.example']) {
    await expect(outbound.fetchForUser(`http://${name}:${port}/`)).rejects.toMatchObject({ code: 'FORBIDDEN' })
  }
  expect(requests).toBe(0)
})

it('is not led inside by a name that gives a public address first and a private one the next time', async () => {
  let requests = 0
  const { port } = await serve((_request, response) => {
    requests += 1
    response.end('inside')
  }, '127.0.0.2')
  const answers = [['127.0.0.1'], ['127.0.0.2']]
  const outside = await serve((_request, response) =>
    response.writeHead(302, { location: `http://rebind.example:${port}/` }).end(),
  )
  const outbound = open({ resolve: async () => answers.shift() ?? ['127.0.0.2'] })
  await expect(outbound.fetchForUser(`http://rebind.example:${outside.port}/`)).rejects.toMatchObject({
    code: 'FORBIDDEN',
  })
  expect(requests).toBe(0)
  expect(answers).toEqual([])
})

it('looks at the address that was reached, whatever the look-up said', async () => {
  const { port } = await serve((_request, response) => response.end('reached'))
  let asked = 0
  const outbound = open({
    names: { 'hook.example': ['127.0.0.1'] },
    // True for the look-up, false for the socket.
    mayReach: () => {
      asked += 1
      return asked === 1
    },
  })
  await expect(outbound.fetchForUser(`http://hook.example:${port}/`)).rejects.toMatchObject({ code: 'FORBIDDEN' })
  expect(asked).toBe(2)
})

it('follows five redirects of a GET and no more, and leaves credentials behind at another origin', async () => {
  const seen: (string | undefined)[] = []
  const second = await serve((request, response) => {
    seen.push(request.headers.authorization)
    response.end('there')
  })
  const first = await serve((request, response) => {
    const left = Number(request.url?.slice(1))
    seen.push(request.headers.authorization)
    response.writeHead(302, { location: left > 0 ? `/${left - 1}` : second.url }).end()
  })
  const outbound = open()
  const headers = { authorization: 'Bearer a' }
  expect(await outbound.fetchForUser(`${first.url}/4`, { headers })).toMatchObject({ status: 200, body: 'there' })
  expect(seen).toEqual([...Array(5).fill('Bearer a'), undefined])
  await expect(outbound.fetchForUser(`${first.url}/5`)).rejects.toMatchObject({ code: 'UNAVAILABLE' })
})

it.each(['http://169.254.169.254/', 'file:///etc/passwd', 'http://[::1]/'])(
  'does not follow a redirect to %s',
  async location => {
    const { url } = await serve((_request, response) => response.writeHead(301, { location }).end())
    await expect(open().fetchForUser(url)).rejects.toMatchObject({
      code: location.startsWith('file') ? 'BAD_REQUEST' : 'FORBIDDEN',
    })
  },
)

it.each([301, 307, 308])('does not repeat a POST at the place that a %d names', async status => {
  let requests = 0
  const { url } = await serve((_request, response) => {
    requests += 1
    response.writeHead(status, { location: '/again' }).end()
  })
  expect(await open().fetchForUser(url, { method: 'POST', body: 'once' })).toMatchObject({ status })
  expect(requests).toBe(1)
})

it('takes an answer of just the permitted size and refuses a longer one, also an endless one', async () => {
  const { url } = await serve((request, response) => {
    if (request.url !== '/endless') return void response.end('x'.repeat(Number(request.url?.slice(1))))
    const pour = () => {
      while (response.writable && response.write('x'.repeat(10_000)));
    }
    response.on('drain', pour)
    pour()
  })
  const outbound = open()
  expect((await outbound.fetchForUser(`${url}/1000`, { answerBytesMax: 1000 })).body).toHaveLength(1000)
  for (const path of ['1001', 'endless']) {
    const asked = outbound.fetchForUser(`${url}/${path}`, { answerBytesMax: 1000 })
    await expect(asked).rejects.toMatchObject({ code: 'UNAVAILABLE', message: expect.stringContaining('more') })
  }
})

it('gives up when the time for everything is over, before the answer or in the middle of it', async () => {
  const { url } = await serve((request, response) => {
    if (request.url === '/middle') response.write('begun')
  })
  for (const path of ['never', 'middle']) {
    const asked = open().fetchForUser(`${url}/${path}`, { timeoutMs: 100 })
    await expect(asked).rejects.toMatchObject({ code: 'UNAVAILABLE', message: expect.stringContaining('in time') })
  }
})

it('says the host and not the path when nobody answers', async () => {
  const { url, server } = await serve((_request, response) => response.end())
  server.close()
  const failing = open().fetchForUser(`${url}/services/T0/secret-part`)
  await expect(failing).rejects.toMatchObject({ code: 'UNAVAILABLE', message: expect.stringContaining('ECONNREFUSED') })
  await expect(failing).rejects.toMatchObject({ message: expect.not.stringContaining('secret-part') })
})

it('says that a name has no address when the name servers know none', async () => {
  const outbound = openOutbound({ configuredOrigins: [] })
  opened.push(() => outbound.close())
  await expect(outbound.fetchForUser('http://no-such-name.invalid/')).rejects.toMatchObject({
    code: 'UNAVAILABLE',
    message: 'The name no-such-name.invalid has no address.',
  })
})

it('ignores the proxies of the environment', async () => {
  let proxied = 0
  const proxy = await serve((_request, response) => {
    proxied += 1
    response.end()
  })
  const { url } = await serve((_request, response) => response.end('direct'))
  const before = { ...process.env }
  try {
    Object.assign(process.env, { HTTP_PROXY: proxy.url, http_proxy: proxy.url, NODE_USE_ENV_PROXY: '1' })
    expect((await open().fetchForUser(url)).body).toBe('direct')
  } finally {
    process.env = before
  }
  expect(proxied).toBe(0)
})

it("reaches a configured origin anywhere, exactly that one, and never by a user's address", async () => {
  const inside = await serve((request, response) => {
    if (request.url === '/away') response.writeHead(302, { location: 'http://localhost:1/' }).end()
    else if (request.url === '/stay') response.writeHead(302, { location: '/' }).end()
    else response.end('inside')
  })
  const outbound = open({ configuredOrigins: [`${inside.url}/some/path`], mayReach: isPublicAddress })
  expect((await outbound.fetchConfigured(inside.url)).body).toBe('inside')
  expect((await outbound.fetchConfigured(`${inside.url}/stay`)).body).toBe('inside')
  const refused = [
    `${inside.url}/away`,
    `http://localhost:${inside.port}/`,
    'http://127.0.0.1:1/',
    'https://127.0.0.1/',
  ]
  for (const url of refused) await expect(outbound.fetchConfigured(url)).rejects.toMatchObject({ code: 'FORBIDDEN' })
  await expect(outbound.fetchForUser(inside.url)).rejects.toMatchObject({ code: 'FORBIDDEN' })
})

it('ends what is under way when it is closed', async () => {
  const { url, server } = await serve(() => undefined)
  const outbound = open()
  const asked = outbound.fetchForUser(url)
  const ended = expect(asked).rejects.toMatchObject({ code: 'UNAVAILABLE' })
  await once(server, 'request')
  await outbound.close()
  await ended
})

it('brings what a configured interface names, from its own origin or from outside', async () => {
  const own = await serve((_request, response) => response.end('own'))
  const other = await serve((_request, response) => response.end('other'))
  const outbound = open({ configuredOrigins: [own.url, other.url], mayReach: isPublicAddress })
  const { bytes } = await outbound.fetchBytesNamed(`${own.url}/a.mp4`, `${own.url}/v1`)
  expect(Buffer.from(bytes).toString()).toBe('own')
  // Another origin of the operator's is none of its.
  const refused = [
    outbound.fetchBytesNamed(`${other.url}/a.mp4`, `${own.url}/v1`),
    outbound.fetchBytesNamed('http://169.254.169.254/a.mp4', `${own.url}/v1`),
    open({ mayReach: isPublicAddress }).fetchBytesNamed(`${own.url}/a.mp4`, `${own.url}/v1`),
  ]
  for (const one of refused) await expect(one).rejects.toMatchObject({ code: 'FORBIDDEN' })
})
