import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import {
  BufferTarget,
  EncodedAudioPacketSource,
  EncodedPacketSink,
  EncodedVideoPacketSource,
  FilePathSource,
  Input,
  MP4,
  Mp4OutputFormat,
  MpegTsOutputFormat,
  Output,
} from 'mediabunny'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { UserIdSchema } from '../../contracts/ids.ts'
import { CutOptionsSchema } from '../../contracts/media.ts'
import { directoryBlobStore } from '../../core/blob/directory.ts'
import { openOutbound } from '../../core/outbound/guarded-fetch.ts'
import { isPublicAddress } from '../../core/outbound/public-address.ts'
import { cutClip } from '../cut/cut-clip.ts'
import { takeWhole } from '../cut/span.ts'
import { audioTrack, videoTrack, writeInterleaved } from '../cut/write-packets.ts'
import { openMediaSource } from './open-source.ts'
import { probeSource } from './probe.ts'
import { type OwnIndexes, SourceIndexes } from './source-indexes.ts'

const sample = fileURLToPath(new URL('../sample/sample.mp4', import.meta.url))
const segmentSec = 2
const segmentCount = 15
/** 127.0.0.1 stands for a host on the internet. */
const outbound = openOutbound({
  configuredOrigins: [],
  mayReach: address => address === '127.0.0.1' || isPublicAddress(address),
})

let folder: string
let segments: Uint8Array[]
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'cliptape-source-'))
  segments = await transportSegments()
})
afterAll(async () => {
  await outbound.close()
  rmSync(folder, { recursive: true, force: true })
})

/** Files by path, and what was asked of them. */
let files: Record<string, string | Uint8Array> = {}
let asked: { path: string; bytes: number }[] = []
let answer: ((request: IncomingMessage, response: ServerResponse) => boolean) | null = null
const server = createServer((request, response) => {
  if (!answer?.(request, response)) serveFile(request, response)
})
function serveFile(request: IncomingMessage, response: ServerResponse): void {
  const path = (request.url ?? '').slice(1)
  const file = files[path]
  if (file === undefined) return void response.writeHead(404).end()
  const whole = Buffer.from(file)
  const range = /^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? '')
  const [start, end] = range ? [Number(range[1]), Math.min(Number(range[2]) + 1, whole.length)] : [0, whole.length]
  asked.push({ path, bytes: end - start })
  const etag = `"${whole.length}"`
  response.writeHead(range ? 206 : 200, { etag, 'content-range': `bytes ${start}-${end - 1}/${whole.length}` })
  response.end(whole.subarray(start, end))
}
let base: string
beforeAll(async () => {
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  base = `http://127.0.0.1:${typeof address === 'object' && address ? address.port : 0}`
})
afterAll(() => server.close())
afterEach(() => {
  files = {}
  asked = []
  answer = null
})

const probe = (path: string) => probeSource({ outbound }, { kind: 'url', url: `${base}/${path}` })
const copy = (path: string, startSec: number, endSec: number, indexes?: OwnIndexes) =>
  cutClip(
    { engine: null, outbound, ...(indexes && { indexes }) },
    {
      ...{ source: { kind: 'url', url: `${base}/${path}` }, startSec, endSec },
      options: CutOptionsSchema.parse({ mode: 'keyframe' }),
    },
    { folder: mkdtempSync(join(folder, 'job-')) },
  )

function playlist(names: readonly string[], lines: readonly string[] = []): string {
  const entries = names.flatMap(name => [`#EXTINF:${segmentSec}.0,`, name])
  return [
    '#EXTM3U',
    '#EXT-X-VERSION:3',
    `#EXT-X-TARGETDURATION:${segmentSec}`,
    ...lines,
    ...entries,
    '#EXT-X-ENDLIST',
    '',
  ].join('\n')
}

describe('a file of this machine', () => {
  it('says what it is, the same of the same bytes wherever they lie', async () => {
    const info = await probeSource({ outbound }, { kind: 'file', path: sample })
    expect(info).toEqual({
      contentId: expect.stringMatching(/^[0-9a-f]{40}$/),
      container: 'mp4',
      durationSec: 60,
      bytes: 980_784,
      video: {
        ...{ codec: 'avc', widthPx: 640, heightPx: 360, rotationDeg: 0, framesPerSec: 30 },
        ...{ isRateConstant: true, isHdr: false },
      },
      audio: { codec: 'aac', rateHz: 48_000, channelCount: 1 },
      trackCount: 2,
      notes: [],
    })
    const blobs = directoryBlobStore({ root: join(folder, 'blobs') })
    await blobs.put('uploads/a.mp4', readFileSync(sample))
    files = { 'a.mp4': readFileSync(sample) }
    expect(await probeSource({ outbound }, { kind: 'blob', blobs, key: 'uploads/a.mp4' })).toEqual(info)
    expect(await probe('a.mp4')).toEqual(info)
  })

  it.each([
    ['a folder', () => folder, 'no file'],
    ['nothing', () => join(folder, 'absent.mp4'), 'not there'],
    ['a playlist, which could name any file', () => written('list.mp4', playlist(['/etc/passwd'])), 'no media file'],
    ['an empty file', () => written('empty.mp4', ''), 'empty'],
    ['a text', () => written('text.mp4', 'x'.repeat(5000)), 'no media file'],
  ])('is refused when it is %s', async (_what, path, words) => {
    const probing = probeSource({ outbound }, { kind: 'file', path: path() })
    await expect(probing).rejects.toMatchObject({ code: 'BAD_REQUEST', message: expect.stringContaining(words) })
  })
})

it('says of a file that it was cut off, when what is left can be used', async () => {
  const path = written('half.mp4', readFileSync(sample).subarray(0, 300_000))
  const { notes } = await probeSource({ outbound }, { kind: 'file', path })
  expect(notes).toEqual([expect.stringContaining('cut off')])
})

describe('a file behind an address', () => {
  it('is read in ranges: less than three times the bytes of the part that is cut', async () => {
    files = { 'a.mp4': readFileSync(sample) }
    const cut = await copy('a.mp4', 30.5, 50.5)
    expect(cut.tier).toBe('preview')
    expect(asked.reduce((sum, one) => sum + one.bytes, 0)).toBe(cut.bytesRead)
    expect(cut.bytesRead).toBeLessThan(3 * cut.bytes)
  })

  it('is looked into once by its owner: a second cut reads hardly more than its own part', async () => {
    files = { 'large.mp4': await largeFile(8192) }
    const ownerId = UserIdSchema.parse('11111111-1111-4111-8111-111111111111')
    const indexes = new SourceIndexes()
    const first = await copy('large.mp4', 10.5, 30.5, indexes.of(ownerId))
    const second = await copy('large.mp4', 30.5, 50.5, indexes.of(ownerId))
    expect(first.bytesRead).toBeLessThan(3 * first.bytes)
    expect(second.bytesRead).toBeLessThan(1.1 * second.bytes)
    const stranger = UserIdSchema.parse('22222222-2222-4222-8222-222222222222')
    expect((await copy('large.mp4', 30.5, 50.5, indexes.of(stranger))).bytesRead).toBeGreaterThan(second.bytesRead)

    // Other content at the same address: nothing of what was known is believed.
    files = { 'large.mp4': await largeFile(4096) }
    const changed = await copy('large.mp4', 30.5, 50.5, indexes.of(ownerId))
    expect(changed.bytes).toBeLessThan(second.bytes)
    expect(changed.frameCount).toBe(second.frameCount)
  })

  it('is tried again when the server is busy, and given up with its name but without its path', async () => {
    let refusals = 2
    files = { 'a.mp4': readFileSync(sample) }
    answer = (_request, response) => {
      if (refusals === 0) return false
      refusals -= 1
      response.writeHead(503).end()
      return true
    }
    expect((await probe('a.mp4')).durationSec).toBe(60)
    refusals = Number.POSITIVE_INFINITY
    const failing = probe('secret-path.mp4')
    await expect(failing).rejects.toMatchObject({ code: 'UNAVAILABLE', message: expect.stringContaining('127.0.0.1') })
    await expect(failing).rejects.toMatchObject({ message: expect.not.stringContaining('secret-path') })
  })

  it('is refused when it changes while it is read, is not there or leads inside', async () => {
    const bytes = readFileSync(sample)
    let version = 0
    answer = (request, response) => {
      const [, start = '0', end = '0'] = /^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? '') ?? []
      if (request.url === '/inside.mp4') response.writeHead(302, { location: 'http://169.254.169.254/' }).end()
      else if (request.url === '/absent.mp4') response.writeHead(404).end()
      else {
        version += 1
        response.writeHead(206, { etag: `"${version}"`, 'content-range': `bytes ${start}-${end}/${bytes.length}` })
        response.end(bytes.subarray(Number(start), Number(end) + 1))
      }
      return true
    }
    await expect(probe('changing.mp4')).rejects.toMatchObject({
      code: 'UNAVAILABLE',
      message: expect.stringContaining('changed'),
    })
    await expect(probe('absent.mp4')).rejects.toMatchObject({
      code: 'BAD_REQUEST',
      message: expect.stringContaining('404'),
    })
    await expect(probe('inside.mp4')).rejects.toMatchObject({ code: 'FORBIDDEN' })
    const inside = probeSource({ outbound }, { kind: 'url', url: 'http://10.0.0.1/a.mp4' })
    await expect(inside).rejects.toMatchObject({ code: 'FORBIDDEN' })
  })
})

describe('a stream of segments', () => {
  const names = Array.from({ length: segmentCount }, (_, index) => `part${index}.ts`)
  const serve = (lists: Record<string, string>): void => {
    files = { ...lists, ...Object.fromEntries(segments.map((bytes, index) => [`hls/part${index}.ts`, bytes])) }
  }

  it('is one recording from 0 on, of which only the segments that a clip lies in are read', async () => {
    serve({
      'hls/main.m3u8': '#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=300000,CODECS="avc1.64001e,mp4a.40.2"\nlist.m3u8\n',
      'hls/list.m3u8': playlist(names),
    })
    expect(await probe('hls/main.m3u8')).toMatchObject({
      container: 'hls',
      durationSec: 30,
      bytes: null,
      video: { widthPx: 640 },
    })
    asked = []
    const cut = await copy('hls/main.m3u8', 14.3, 15.3)
    expect(cut.actual.startSec).toBeCloseTo(14.3, 2)
    const read = new Set(asked.map(one => one.path).filter(path => path.endsWith('.ts')))
    // The first says which codecs there are.
    expect([...read].sort()).toEqual(['hls/part0.ts', 'hls/part7.ts'])
  })

  it('is fetched by six parts at a time, each once, and not beyond the clip', async () => {
    serve({ 'hls/list.m3u8': playlist(names) })
    const gate = partsGate()
    answer = gate.answer
    const cut = await copy('hls/list.m3u8', 2.3, 19.3)
    expect(cut.frameCount).toBe(511)
    expect(gate.mostAtOnce()).toBe(6)
    const read = asked.map(one => one.path).filter(path => path.endsWith('.ts'))
    expect(read.sort()).toEqual(
      names
        .slice(0, 10)
        .map(name => `hls/${name}`)
        .sort(),
    )
  })

  it('is read by ranges where many parts lie in one file', async () => {
    const starts = segments.map((_, index) => sizeOf(segments.slice(0, index)))
    const entries = segments.flatMap((bytes, index) => [
      `#EXTINF:${segmentSec}.0,`,
      `#EXT-X-BYTERANGE:${bytes.length}@${starts[index]}`,
      'all.ts',
    ])
    files = {
      'hls/list.m3u8': ['#EXTM3U', '#EXT-X-VERSION:4', '#EXT-X-TARGETDURATION:2', ...entries, '#EXT-X-ENDLIST'].join(
        '\n',
      ),
      'hls/all.ts': Buffer.concat(segments),
    }
    const cut = await copy('hls/list.m3u8', 20.3, 25.3)
    expect(cut.frameCount).toBe(151)
    // The parts that the clip lies in, and the one that says what the stream is, each with what lies in its blocks.
    const blocks = 3 * 128 * 1024
    expect(cut.bytesRead).toBeLessThan(sizeOf(segments.slice(10, 13)) + sizeOf(segments.slice(0, 1)) + blocks)
    expect(cut.bytesRead).toBeLessThan(sizeOf(segments))
  })

  it('becomes one file, for which each part is fetched once', async () => {
    serve({ 'hls/list.m3u8': playlist(names) })
    const media = await openMediaSource({ outbound }, { kind: 'url', url: `${base}/hls/list.m3u8` })
    const path = join(folder, 'whole.mp4')
    let taken = 0
    const take = async (bytes: number): Promise<void> => {
      taken += bytes
    }
    await takeWhole(media, { path, take, signal: new AbortController().signal })
    await media.close()
    const read = asked.map(one => one.path).filter(path => path.endsWith('.ts'))
    expect(read.sort()).toEqual(names.map(name => `hls/${name}`).sort())
    expect(taken).toBeGreaterThan(0.9 * statSync(path).size)
    const info = await probeSource({ outbound }, { kind: 'file', path })
    expect(info).toMatchObject({ durationSec: expect.closeTo(30, 1), video: { framesPerSec: 30 }, notes: [] })
  })

  it('is asked for nothing more when whoever reads it goes away', async () => {
    serve({ 'hls/list.m3u8': playlist(names) })
    const media = await openMediaSource({ outbound }, { kind: 'url', url: `${base}/hls/list.m3u8` })
    const held: ServerResponse[] = []
    const allGone = Promise.withResolvers<void>()
    const sixAsked = Promise.withResolvers<void>()
    answer = (_request, response) => {
      held.push(response)
      if (held.length === 6) sixAsked.resolve()
      response.on('close', () => held.every(one => one.closed) && allGone.resolve())
      return true
    }
    media.willRead({ startSec: media.zeroSec + 2, endSec: media.zeroSec + 30 })
    if (!media.video) throw new Error('The stream has a picture.')
    const reading = new EncodedPacketSink(media.video).getKeyPacket(media.zeroSec + 3)
    const failing = expect(reading).rejects.toMatchObject({ code: 'UNAVAILABLE' })
    await sixAsked.promise
    await media.close()
    await failing
    await allGone.promise
    expect(held).toHaveLength(6)
  })

  it('is cut across segments without a hole or a doubled frame', async () => {
    serve({ 'hls/list.m3u8': playlist(names) })
    const cut = await copy('hls/list.m3u8', 10, 14)
    expect(cut.frameCount).toBe(120)
    const input = new Input({ formats: [MP4], source: new FilePathSource(cut.path) })
    const track = await input.getPrimaryVideoTrack()
    const times: number[] = []
    if (track) for await (const packet of new EncodedPacketSink(track).packets()) times.push(packet.timestamp)
    times.sort((a, b) => a - b)
    const steps = times.slice(1).map((time, index) => Math.round((time - (times[index] ?? 0)) * 3000))
    expect(new Set(steps)).toEqual(new Set([100]))
    input.dispose()
  })

  it.each([
    [
      'includes itself',
      { 'hls/list.m3u8': '#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\nlist.m3u8\n' },
      'BAD_REQUEST',
      'damaged',
    ],
    ['names a playlist as a segment', { 'hls/list.m3u8': playlist(['list.m3u8']) }, 'BAD_REQUEST', 'no media file'],
    ['names a file of this machine', { 'hls/list.m3u8': playlist(['file:///etc/passwd']) }, 'BAD_REQUEST', 'http'],
    [
      'names an address inside',
      { 'hls/list.m3u8': playlist(['http://169.254.169.254/latest']) },
      'FORBIDDEN',
      'private network',
    ],
    [
      'takes its key from an address inside',
      { 'hls/list.m3u8': playlist(['part0.ts'], ['#EXT-X-KEY:METHOD=AES-128,URI="http://[::1]/key"']) },
      'FORBIDDEN',
      'private network',
    ],
    [
      'is longer than playlists are',
      { 'hls/list.m3u8': `#EXTM3U\n${'#\n'.repeat(1_100_000)}` },
      'BAD_REQUEST',
      '2 MiB',
    ],
    ['has lost its segments', { 'hls/list.m3u8': playlist(['gone.ts']) }, 'BAD_REQUEST', '404'],
    ['holds nothing', { 'hls/list.m3u8': '#EXTM3U\n#EXT-X-ENDLIST\n' }, 'BAD_REQUEST', 'no picture'],
    [
      'is still live',
      { 'hls/list.m3u8': playlist(['part0.ts']).replace('#EXT-X-ENDLIST\n', '') },
      'BAD_REQUEST',
      'live',
    ],
  ])('is refused when its playlist %s', async (_what, lists: Record<string, string>, code, words) => {
    serve(lists)
    await expect(probe('hls/list.m3u8')).rejects.toMatchObject({ code, message: expect.stringContaining(words) })
  })
})

function sizeOf(parts: readonly Uint8Array[]): number {
  return parts.reduce((sum, part) => sum + part.length, 0)
}

/** Holds parts of a stream back until six are asked for at once. */
function partsGate() {
  const waiting: (() => void)[] = []
  let inFlight = 0
  let most = 0
  let isOpen = false
  return {
    mostAtOnce: () => most,
    answer(request: IncomingMessage, response: ServerResponse): boolean {
      if (!request.url?.endsWith('.ts') || request.url.endsWith('part0.ts')) return false
      inFlight += 1
      most = Math.max(most, inFlight)
      response.on('close', () => {
        inFlight -= 1
      })
      isOpen ||= inFlight === 6
      waiting.push(() => serveFile(request, response))
      if (isOpen) for (const go of waiting.splice(0)) go()
      return true
    },
  }
}

/** The sample with so many bytes of filler in each of its pictures. */
async function largeFile(fillerBytes: number): Promise<Uint8Array> {
  const input = new Input({ formats: [MP4], source: new FilePathSource(sample) })
  const [video, audio] = [await input.getPrimaryVideoTrack(), await input.getPrimaryAudioTrack()]
  const [videoConfig, audioConfig] = [await video?.getDecoderConfig(), await audio?.getDecoderConfig()]
  if (!video || !audio || !videoConfig || !audioConfig) throw new Error('The sample has a picture and sound.')
  const filler = Buffer.alloc(4 + fillerBytes, 0xff)
  filler.writeUInt32BE(fillerBytes)
  filler[4] = 12
  const filled = async function* () {
    for await (const packet of new EncodedPacketSink(video).packets())
      yield packet.clone({ data: Buffer.concat([packet.data, filler]) })
  }
  const target = new BufferTarget()
  const output = new Output({ format: new Mp4OutputFormat({ fastStart: false }), target })
  const matrix = await video.getTransformationMatrix()
  await writeInterleaved(output, [
    videoTrack(output, { codec: 'avc', config: videoConfig, matrix, packets: filled() }),
    audioTrack(output, { codec: 'aac', config: audioConfig, packets: new EncodedPacketSink(audio).packets() }),
  ])
  input.dispose()
  return new Uint8Array(target.buffer ?? new ArrayBuffer(0))
}

function written(name: string, text: string | Uint8Array): string {
  const path = join(folder, name)
  writeFileSync(path, text)
  return path
}

/** The first half minute of the sample in transport streams of six seconds, on a clock that begins at 10 s. */
async function transportSegments(): Promise<Uint8Array[]> {
  const input = new Input({ formats: [MP4], source: new FilePathSource(sample) })
  const [video, audio] = [await input.getPrimaryVideoTrack(), await input.getPrimaryAudioTrack()]
  const [videoConfig, audioConfig] = [await video?.getDecoderConfig(), await audio?.getDecoderConfig()]
  if (!video || !audio || !videoConfig || !audioConfig) throw new Error('The sample has a picture and sound.')
  const made: Uint8Array[] = []
  for (let index = 0; index < segmentCount; index += 1) {
    const target = new BufferTarget()
    const output = new Output({ format: new MpegTsOutputFormat(), target })
    const [pictures, sounds] = [new EncodedVideoPacketSource('avc'), new EncodedAudioPacketSource('aac')]
    output.addVideoTrack(pictures)
    output.addAudioTrack(sounds)
    await output.start()
    const [startSec, endSec] = [index * segmentSec, (index + 1) * segmentSec]
    const videoSink = new EncodedPacketSink(video)
    for await (const packet of videoSink.packets((await videoSink.getKeyPacket(startSec)) ?? undefined)) {
      if (packet.type === 'key' && packet.timestamp >= endSec - 0.001) break
      await pictures.add(packet.clone({ timestamp: packet.timestamp + 10 }), { decoderConfig: videoConfig })
    }
    const audioSink = new EncodedPacketSink(audio)
    for await (const packet of audioSink.packets((await audioSink.getPacket(Math.max(0, startSec))) ?? undefined)) {
      if (packet.timestamp >= endSec) break
      if (packet.timestamp >= startSec)
        await sounds.add(packet.clone({ timestamp: packet.timestamp + 10 }), { decoderConfig: audioConfig })
    }
    await output.finalize()
    made.push(new Uint8Array(target.buffer ?? new ArrayBuffer(0)))
  }
  input.dispose()
  return made
}
