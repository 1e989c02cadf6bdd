import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { pictureHeadBytes, readPictureHead } from '../../../contracts/pictures.ts'
import type { MediaEngine } from '../../../media/engine/port.ts'
import { sampleFile } from '../../../test/media-desk.ts'
import { openTestEngine } from '../../../test/media-engine.ts'
import { openServerRig, rigToken, type ServerRig } from '../../../test/server-rig.ts'
import { type RunningServer, startServer } from '../../server.ts'

const [widthPx, heightPx] = [32, 18]
const size = `widthPx=${widthPx}&heightPx=${heightPx}`

let rig: ServerRig
let server: RunningServer
let engine: MediaEngine
let vodId: string
beforeAll(async () => {
  rig = await openServerRig()
  engine = await openTestEngine('node-av')
  const deps = await rig.deps()
  server = await startServer(
    { ...deps, media: { ...deps.media, engine: async () => engine } },
    { host: '127.0.0.1', port: 0 },
  )
  const registered = await ask('/api/vods', { source: sampleFile })
  vodId = z.object({ vodId: z.string() }).parse(await registered.json()).vodId
})
afterAll(async () => {
  await server.close(1000)
  await engine.close()
  await rig.close()
})

function ask(path: string, body?: object): Promise<Response> {
  const headers = { Authorization: `Bearer ${rigToken}`, 'Content-Type': 'application/json' }
  return fetch(`${server.url}${path}`, body ? { method: 'POST', headers, body: JSON.stringify(body) } : { headers })
}

/** All records of an answer, in the order in which they came. */
async function records(path: string) {
  const response = await ask(path)
  if (response.status !== 200) throw new Error(await response.text())
  const bytes = new Uint8Array(await response.arrayBuffer())
  const recordBytes = pictureHeadBytes + widthPx * heightPx * 3
  expect(bytes.length % recordBytes).toBe(0)
  return Array.from({ length: bytes.length / recordBytes }, (_, number) => {
    const record = bytes.subarray(number * recordBytes, (number + 1) * recordBytes)
    return { ...readPictureHead(record), rgb: Buffer.from(record.subarray(pictureHeadBytes)).toString('base64') }
  })
}

describe('pictures of a VOD', () => {
  it('come as a filmstrip from the middle on', async () => {
    const cells = await records(`/api/vods/${vodId}/filmstrip?endSec=60&cells=6&${size}`)
    expect(cells.map(({ index, atSec }) => [index, Math.round(atSec)])).toEqual([
      [3, 34],
      [1, 14],
      [5, 54],
      [0, 4],
      [2, 24],
      [4, 44],
    ])
    expect(new Set(cells.map(({ rgb }) => rgb)).size).toBe(6)
  })

  it('come to the frame: the last before a cut, and the first after it', async () => {
    const [before, after, again] = await records(`/api/vods/${vodId}/pictures?at=11.98,12,12.02&${size}`)
    expect([before, after, again].map(one => one && Math.round(one.atSec * 30))).toEqual([359, 360, 360])
    expect(after?.rgb).toBe(again?.rgb)
    expect(before?.rgb).not.toBe(after?.rgb)
  })

  it('leave nothing behind, also when nobody wants them any more', async () => {
    const gone = new AbortController()
    const headers = { Authorization: `Bearer ${rigToken}` }
    const url = `${server.url}/api/vods/${vodId}/filmstrip?endSec=60&cells=200&${size}`
    const response = await fetch(url, { headers, signal: gone.signal })
    gone.abort()
    await expect(response.arrayBuffer()).rejects.toThrow()
    // The turn was given back: the next one is answered.
    expect(await records(`/api/vods/${vodId}/filmstrip?endSec=60&cells=1&${size}`)).toHaveLength(1)
  })

  it('are refused in words where there is no media, or too much is asked for', async () => {
    expect(
      (await ask(`/api/vods/own:00000000-0000-4000-8000-000000000000/filmstrip?endSec=1&cells=1&${size}`)).status,
    ).toBe(404)
    const unattached = await ask(`/api/vods/youtube:any/pictures?at=1&${size}`)
    expect([unattached.status, await unattached.text()]).toEqual([409, expect.stringContaining('SOURCE_REQUIRED')])
    expect((await ask(`/api/vods/${vodId}/filmstrip?startSec=9&endSec=9&cells=1&${size}`)).status).toBe(400)
    for (const query of ['at=1,2,3,4,5,6,7,8,9', 'at=-1', 'at=', 'at=NaN'])
      expect((await ask(`/api/vods/${vodId}/pictures?${query}&${size}`)).status).toBe(400)
  })
})
