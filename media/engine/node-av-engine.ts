import type { Readable } from 'node:stream'
import { entryPath } from '../../core/entry.ts'
import { decodePipes } from './decode-pipes.ts'
import { firstWords, runEngineProcess, type Wrappers } from './engine-process.ts'
import { fileFormats } from './ffmpeg-runner.ts'
import { audioFilters, fingerprintFilters, pictureFilters, seekSec, soundFilters, videoFilters } from './filters.ts'
import { memoryBytesMax, pixelsMaxDefault } from './limits.ts'
import type { NodeAvJob } from './node-av-job.ts'
import type { AudioEncodeRequest, DecodeRequest, DecodeSink, EngineTask, EngineUsage, MediaEngine } from './port.ts'
import type { ProcessStarter } from './process-starter.ts'
import { readWords } from './raw-streams.ts'
import { boundBy, closingSignal } from './tasks.ts'

/** Its build of the libraries has the filters. */
const able = { mapsRange: true } as const
/** What Node itself takes. */
const nodeBytes = 512 * 1024 ** 2

/** Where its processes run. */
interface Surroundings {
  readonly searchPath: string
  readonly wrappers: Wrappers
  readonly starter: ProcessStarter
}

/** The engine that runs FFmpeg's libraries in a process of ours for each call: no program has to be installed. */
export function openNodeAvEngine(o: Surroundings & { version: string }): MediaEngine {
  const closing = closingSignal()
  const run = (job: Job, task: EngineTask, readers: Readers = {}): Promise<EngineUsage> =>
    runChild(o, job, boundBy(closing.signal, task), readers)
  return {
    kind: 'node-av',
    version: o.version,
    ...able,
    decode: (request, sink, task) => decode(run, request, sink, task),
    encodeVideo: (request, task) =>
      run(
        {
          input: `file:${request.input.path}`,
          seekSec: request.startSec,
          picture: {
            filters: videoFilters(request, able),
            isTurned: request.rotation === 'apply',
            skip: null,
            framesMax: request.frameCount,
            output: {
              kind: 'h264',
              path: `file:${request.outputPath}`,
              profile: request.profile,
              rateFactor: request.rateFactor,
              parameterSetId: request.parameterSetId,
            },
          },
        },
        task,
      ),
    encodeAudio: (request, task) =>
      run(
        {
          input: `file:${request.input.path}`,
          seekSec: request.startSec,
          sound: { filters: audioFilters(request), isNeeded: true, output: soundOutput(request) },
        },
        task,
      ),
    async soundFingerprint(request, task) {
      let words = new Uint32Array()
      await run(
        {
          input: `file:${request.input.path}`,
          seekSec: request.startSec ?? 0,
          sound: {
            filters: fingerprintFilters(request),
            isNeeded: true,
            output: {
              ...{ kind: 'file', path: 'pipe:1', format: 'chromaprint', formatOptions: { fp_format: 'raw' } },
              ...{ encoder: 'pcm_s16le', bitsPerSec: 0, samplesOfPacket: 4096 },
            },
          },
        },
        task,
        {
          async onPicture(stream) {
            words = await readWords(stream)
          },
        },
      )
      return words
    },
    async close() {
      closing.close()
      await o.starter.close()
    },
  }
}

/** The version of FFmpeg in the package; null when it is not installed or does not run on this machine. */
export async function nodeAvVersion(searchPath: string): Promise<string | null> {
  const words = await firstWords([...childCommand(), 'version'], { PATH: searchPath })
  return words?.trim().split('\n').at(-1) ?? null
}

type Job = Pick<NodeAvJob, 'input' | 'seekSec'> & Partial<Pick<NodeAvJob, 'picture' | 'sound' | 'inputFormat'>>

interface Readers {
  readonly input?: AsyncIterable<Uint8Array>
  readonly onPicture?: (stream: Readable) => Promise<void>
  readonly onSound?: (stream: Readable) => Promise<void>
  readonly onFrameTime?: (atSec: number | null) => void
}

async function runChild(o: Surroundings, job: Job, task: EngineTask, readers: Readers): Promise<EngineUsage> {
  const startedAtMs = performance.now()
  let cpuSec: number | null = null
  const whole: NodeAvJob = {
    inputFormat: null,
    fileFormats: job.inputFormat ?? fileFormats,
    pixelsMax: task.pixelsMax ?? pixelsMaxDefault,
    picture: null,
    sound: null,
    ...job,
  }
  const { errorCount } = await runEngineProcess(
    {
      command: [...childCommand(), JSON.stringify(whole)],
      env: { PATH: o.searchPath },
      wrappers: o.wrappers,
      starter: o.starter,
      memoryMax: { of: 'written', bytes: nodeBytes + memoryBytesMax(task.pixelsMax ?? pixelsMaxDefault) },
      input: readers.input,
      onPicture: readers.onPicture,
      onSound: readers.onSound,
      onLogLine(line) {
        if (line === null) readers.onFrameTime?.(null)
        return 'error'
      },
      onEventLine(line) {
        const [name, value] = line.split('=')
        if (name === 'at') readers.onFrameTime?.(Number(value))
        else if (name === 'done') task.onProgress?.(Math.max(0, Number(value)))
        else if (name === 'cpu') cpuSec = Number(value)
      },
    },
    task,
  )
  return { cpuSec, errorCount, wallMs: performance.now() - startedAtMs }
}

function childCommand(): string[] {
  return [process.execPath, '--max-old-space-size=256', entryPath('node-av-child')]
}

async function decode(
  run: (job: Job, task: EngineTask, readers: Readers) => Promise<EngineUsage>,
  request: DecodeRequest,
  sink: DecodeSink,
  task: EngineTask,
): Promise<EngineUsage> {
  const { input, picture, sound } = request
  const { startSec, chunks, readers } = decodePipes(request, sink)
  const skips = { keyframes: 'nokey', referenced: 'noref', all: null } as const
  return run(
    {
      input: input.kind === 'file' ? `file:${input.path}` : 'pipe:0',
      inputFormat: chunks ? 'h264' : null,
      seekSec: startSec > 0 ? seekSec(startSec) : null,
      picture: picture && {
        filters: pictureFilters(request, picture, able),
        isTurned: true,
        skip: skips[picture.which],
        framesMax: picture.framesMax,
        output: { kind: 'raw', pixels: picture.pixels },
      },
      sound: sound && { filters: soundFilters(request, sound), isNeeded: false, output: { kind: 'raw' } },
    },
    task,
    {
      ...readers,
      ...(chunks && { input: chunks }),
      onFrameTime(atSec) {
        if (atSec !== null) task.onProgress?.(Math.max(0, atSec - startSec))
        readers.onFrameTime(atSec)
      },
    },
  )
}

function soundOutput(request: AudioEncodeRequest): NonNullable<NodeAvJob['sound']>['output'] {
  const file = { kind: 'file', path: `file:${request.outputPath}`, formatOptions: {} } as const
  switch (request.codec) {
    case 'aac':
      return { ...file, format: 'ipod', encoder: 'aac', bitsPerSec: request.bitsPerSec, samplesOfPacket: 1024 }
    case 'mp3':
      return { ...file, format: 'mp3', encoder: 'libmp3lame', bitsPerSec: request.bitsPerSec, samplesOfPacket: 1152 }
    case 'pcm-s16':
      return { ...file, format: 'wav', encoder: 'pcm_s16le', bitsPerSec: 0, samplesOfPacket: 4096 }
  }
}
