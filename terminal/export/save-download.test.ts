import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { expect, onTestFinished, test } from 'vitest'
import { createHttpClient } from '../net/http-client.ts'
import { saveDownload } from './save-download.ts'

/** Downloads what a server sends of a file that is said to be ten bytes long. */
async function download(send: (response: ServerResponse) => void, fileName = 'clip.mp4') {
  const server = createServer((_, response) => send(response))
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  const { port } = server.address() as AddressInfo
  const url = `http://127.0.0.1:${port}/file`
  const said: string[] = []
  const saved: [string, string][] = []
  const leaving = new AbortController()
  const done = saveDownload(
    { url, fileName, bytes: 10 },
    {
      http: createHttpClient({ url, tokens: null }),
      async saveFile(name, content) {
        let text = ''
        for await (const piece of content) text += Buffer.from(piece).toString()
        saved.push([name, text])
        return `/home/me/${name}`
      },
      say: sentence => said.push(sentence),
      signal: leaving.signal,
    },
  )
  return { done, said, saved, leave: () => leaving.abort() }
}

test('says how far it is, and where the file lies in the end', async () => {
  const begun = Promise.withResolvers<ServerResponse>()
  const { done, said, saved } = await download(response => {
    response.write('half.')
    begun.resolve(response)
  })
  const response = await begun.promise
  while (said.length < 2) await new Promise(resolve => setImmediate(resolve))
  response.end('whole')
  await done
  expect(said).toEqual(['Downloading clip.mp4, 10 B…', 'clip.mp4: 50%', 'Saved 10 B to /home/me/clip.mp4'])
  expect(saved).toEqual([['clip.mp4', 'half.whole']])
})

test.each([
  ['too few', (response: ServerResponse) => response.end('few'), 'clip.mp4 was not saved: 3 B of 10 B came.'],
  ['a refusal', refuse, 'This link has ended.'],
  ['a redirect', redirect, 'This server has moved to http://127.0.0.1/elsewhere: open the terminal with that address.'],
])('saves nothing of %s', async (_, send, sentence) => {
  const { done, said, saved } = await download(send)
  await done
  expect(said.at(-1)).toBe(sentence)
  expect(saved).toEqual([])
})

test('ends with the terminal, without a word', async () => {
  const begun = Promise.withResolvers<void>()
  const { done, said, saved, leave } = await download(response => {
    response.write('half.')
    begun.resolve()
  })
  await begun.promise
  leave()
  await done
  expect(said.filter(sentence => !sentence.includes('%'))).toEqual(['Downloading clip.mp4, 10 B…'])
  expect(saved).toEqual([])
})

test.each([
  ['../../.bashrc', 'bashrc'],
  ['/etc/passwd', 'etc-passwd'],
  ['..\\..\\autoexec.bat', 'autoexec.bat'],
  ['Folge 1: «Ärger» 🎬.mp4', 'Folge 1- -Ärger- -.mp4'],
  ['...', 'clip'],
])('calls the file %j by a name in the folder itself', async (fileName, expected) => {
  const { done, saved } = await download(response => response.end('ten bytes.'), fileName)
  await done
  expect(saved.map(([name]) => name)).toEqual([expected])
})

function refuse(response: ServerResponse): void {
  response.statusCode = 410
  response.end('{"error":{"code":"GONE","message":"This link has ended."}}')
}

function redirect(response: ServerResponse): void {
  response.writeHead(302, { location: 'http://127.0.0.1/elsewhere' }).end()
}
