import { decodePipes } from './decode-pipes.ts'
import { type FfmpegProgram, runFfmpeg } from './ffmpeg-runner.ts'
import { audioFilters, fingerprintFilters, pictureFilters, seekSec, soundFilters, videoFilters } from './filters.ts'
import { isStreamMissing } from './messages.ts'
import type { AudioEncodeRequest, DecodeRequest, DecodeSink, EngineTask, EngineUsage, MediaEngine } from './port.ts'
import { readWords } from './raw-streams.ts'
import { boundBy, closingSignal } from './tasks.ts'

/** The engine that runs an ffmpeg program, 5.1 or newer, as a child process for each call. */
export function openFfmpegEngine(program: FfmpegProgram & { readonly version: string }): MediaEngine {
  const closing = closingSignal()
  const bound = (task: EngineTask): EngineTask => boundBy(closing.signal, task)
  return {
    kind: 'ffmpeg',
    version: program.version,
    mapsRange: program.mapsRange,
    decode: (request, sink, task) => decodeWhatIsThere(program, request, sink, bound(task)),
    encodeVideo: (request, task) =>
      runFfmpeg(
        program,
        {
          inputArgs: [...seekArgs(request.startSec), ...(request.rotation === 'keep' ? ['-noautorotate'] : [])],
          input: request.input,
          outputArgs: [
            ...['-map', '0:v:0', '-an', '-sn', '-dn', '-vf', videoFilters(request, program)],
            ...['-frames:v', String(request.frameCount), '-fps_mode', 'passthrough', '-enc_time_base', '-1'],
            ...['-c:v', 'libx264', '-preset', 'veryfast', '-crf', String(request.rateFactor), '-threads', '2'],
            ...['-profile:v', request.profile, '-x264-params', `sps-id=${request.parameterSetId}`],
            ...['-map_metadata', '-1', '-video_track_timescale', '90000', '-f', 'mp4', `file:${request.outputPath}`],
          ],
        },
        bound(task),
      ),
    encodeAudio: (request, task) =>
      runFfmpeg(
        program,
        {
          inputArgs: seekArgs(request.startSec),
          input: request.input,
          outputArgs: [
            ...['-map', '0:a:0', '-vn', '-sn', '-dn', '-af', audioFilters(request), ...audioCodecArgs(request)],
            ...['-map_metadata', '-1', `file:${request.outputPath}`],
          ],
        },
        bound(task),
      ),
    async soundFingerprint(request, task) {
      let words = new Uint32Array()
      await runFfmpeg(
        program,
        {
          inputArgs: seekArgs(request.startSec ?? 0),
          input: request.input,
          outputArgs: [
            ...['-map', '0:a:0', '-vn', '-af', fingerprintFilters(request)],
            ...['-f', 'chromaprint', '-fp_format', 'raw', 'pipe:1'],
          ],
          async onPicture(stream) {
            words = await readWords(stream)
          },
        },
        bound(task),
      )
      return words
    },
    async close() {
      closing.close()
      await program.starter.close()
    },
  }
}

/** An output without a stream is an error to ffmpeg, before anything is decoded: sound that is not there is left out. */
async function decodeWhatIsThere(
  program: FfmpegProgram,
  request: DecodeRequest,
  sink: DecodeSink,
  task: EngineTask,
): Promise<EngineUsage> {
  try {
    return await decode(program, request, sink, task)
  } catch (error) {
    if (request.sound === null || !isStreamMissing(error)) throw error
    if (request.picture === null) return { cpuSec: 0, wallMs: 0, errorCount: 0 }
    return decode(program, { ...request, sound: null }, sink, task)
  }
}

async function decode(
  program: FfmpegProgram,
  request: DecodeRequest,
  sink: DecodeSink,
  task: EngineTask,
): Promise<EngineUsage> {
  const { input, picture, sound } = request
  const { startSec, chunks, readers } = decodePipes(request, sink)
  return runFfmpeg(
    program,
    {
      inputArgs: [
        ...(chunks ? ['-probesize', '65536', '-analyzeduration', '0'] : seekArgs(startSec)),
        ...(picture?.which === 'keyframes' ? ['-skip_frame', 'nokey', '-skip_loop_filter', 'all'] : []),
        ...(picture?.which === 'referenced' ? ['-skip_frame', 'noref', '-skip_loop_filter', 'all'] : []),
        // Demuxed packets of what nobody asked for are not even parsed.
        ...(picture ? [] : ['-vn']),
        ...(sound ? [] : ['-an']),
      ],
      input: input.kind === 'file' ? input : { h264: chunks ?? input.chunks },
      outputArgs: [
        ...(picture
          ? [
              ...['-map', '0:v:0', '-vf', `${pictureFilters(request, picture, program)},showinfo=checksum=0`],
              ...['-fps_mode', 'passthrough', '-frames:v', String(picture.framesMax)],
              ...['-f', 'rawvideo', '-pix_fmt', picture.pixels, 'pipe:1'],
            ]
          : []),
        ...(sound
          ? ['-map', '0:a:0?', '-af', soundFilters(request, sound), '-f', 's16le', '-c:a', 'pcm_s16le', 'pipe:3']
          : []),
      ],
      ...readers,
    },
    // Pictures keep the clock of the file, so what is done is counted from there.
    {
      ...task,
      onProgress: doneSec => task.onProgress?.(Math.max(0, doneSec - (picture === null ? 0 : startSec))),
    },
  )
}

/** Begins at the keyframe before: the filters cut to the frame and the sample. Times stay those of the file. */
function seekArgs(startSec: number): string[] {
  return [
    '-copyts',
    '-seek_timestamp',
    '1',
    '-noaccurate_seek',
    ...(startSec > 0 ? ['-ss', String(seekSec(startSec))] : []),
  ]
}

function audioCodecArgs(request: AudioEncodeRequest): string[] {
  switch (request.codec) {
    case 'aac':
      return ['-c:a', 'aac', '-b:a', String(request.bitsPerSec), '-f', 'ipod']
    case 'mp3':
      return ['-c:a', 'libmp3lame', '-b:a', String(request.bitsPerSec), '-f', 'mp3']
    case 'pcm-s16':
      return ['-c:a', 'pcm_s16le', '-f', 'wav']
  }
}
