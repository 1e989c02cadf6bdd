/**
 * FFmpeg's libraries in a process of their own, for machines without an ffmpeg program: one job, given as the only
 * argument, then the end. It is killed like any decoder, and shares nothing with the server but pipes.
 *
 * All calls are the synchronous ones: nothing else happens in this process, and an asynchronous call costs more than
 * most packets. Writing to a pipe waits until it is read, which holds decoding back.
 */
import { writeSync } from 'node:fs'
import {
  Codec,
  CodecContext,
  type CodecParameters,
  Dictionary,
  FFmpegError,
  type FilterContext,
  FilterGraph,
  FormatContext,
  Frame,
  ffmpegVersion,
  InputFormat,
  Log,
  Packet,
  Rational,
  type Stream,
} from 'node-av'
import {
  AV_CODEC_FLAG_GLOBAL_HEADER,
  AV_DISPOSITION_ATTACHED_PIC,
  AV_LOG_ERROR,
  AV_LOG_FATAL,
  AV_NOPTS_VALUE,
  AV_PICTURE_TYPE_NONE,
  AV_PKT_DATA_DISPLAYMATRIX,
  AVDISCARD_ALL,
  AVERROR_EAGAIN,
  AVERROR_EOF,
  AVMEDIA_TYPE_AUDIO,
  AVMEDIA_TYPE_VIDEO,
  type AVPixelFormat,
  type AVSampleFormat,
  AVSEEK_FLAG_BACKWARD,
} from 'node-av/constants'
import { type NodeAvJob, NodeAvJobSchema, type PictureJob, type SoundJob } from './node-av-job.ts'
import { rightingFilters } from './righting-filters.ts'

const [pictureFd, soundFd, eventFd] = [1, 3, 4]
/** A seek goes by the time of decoding, which is up to so much before that of showing. */
const decodeLeadSec = 0.15
const progressMs = 250

/** Where filtered frames of one kind go. */
interface Outlet {
  take(frame: Frame, timeBase: Rational): void
  end(): void
}

/** The way of one stream: decoder, filters, outlet. */
class Lane {
  readonly streamIndex: number
  readonly #stream: Stream
  readonly #decoder: CodecContext
  readonly #filters: string
  readonly #outlet: Outlet
  readonly #framesMax: number
  readonly #frame = new Frame()
  readonly #filtered = new Frame()
  #graph: { source: FilterContext; sink: FilterContext } | null = null
  #frameCount = 0
  isDone = false

  constructor(
    stream: Stream,
    o: { filters: string; outlet: Outlet; framesMax: number; options: Record<string, string> },
  ) {
    this.#stream = stream
    this.streamIndex = stream.index
    this.#decoder = openDecoder(stream, o.options)
    this.#filters = o.filters
    this.#outlet = o.outlet
    this.#framesMax = o.framesMax
    this.#frame.alloc()
    this.#filtered.alloc()
  }

  /** A packet of this stream, or null at the end. What is damaged is skipped: the log says so. */
  take(packet: Packet | null): void {
    if (this.isDone) return
    this.#decoder.sendPacketSync(packet)
    while (!this.isDone && this.#decoder.receiveFrameSync(this.#frame) >= 0) {
      if (this.#frame.bestEffortTimestamp !== AV_NOPTS_VALUE) this.#frame.pts = this.#frame.bestEffortTimestamp
      this.#graph ??= this.#openGraph(this.#frame)
      // EOF: the filters have seen the end of the span.
      const isOver = this.#graph.source.buffersrcAddFrameSync(this.#frame) === AVERROR_EOF
      this.#drain()
      if (isOver) this.#finish()
      this.#frame.unref()
    }
  }

  /** After the last packet. */
  end(): void {
    this.take(null)
    if (this.isDone) return
    this.#graph?.source.buffersrcAddFrameSync(null)
    this.#drain()
    this.#finish()
  }

  #drain(): void {
    while (this.#graph && !this.isDone) {
      const result = this.#graph.sink.buffersinkGetFrameSync(this.#filtered)
      if (result === AVERROR_EOF) return this.#finish()
      if (result === AVERROR_EAGAIN) return
      FFmpegError.throwIfError(result)
      this.#outlet.take(this.#filtered, this.#graph.sink.buffersinkGetTimeBase())
      this.#filtered.unref()
      this.#frameCount += 1
      if (this.#frameCount >= this.#framesMax) this.#finish()
    }
  }

  #finish(): void {
    if (this.isDone) return
    this.isDone = true
    this.#outlet.end()
  }

  #openGraph(frame: Frame): { source: FilterContext; sink: FilterContext } {
    const isVideo = this.#stream.codecpar.codecType === AVMEDIA_TYPE_VIDEO
    const kind = isVideo ? '' : 'a'
    const graph = new FilterGraph()
    graph.alloc()
    const source = isVideo ? pictureSource(frame, this.#stream) : soundSource(frame, this.#stream)
    FFmpegError.throwIfError(graph.parse2(`${kind}buffer@in=${source},${this.#filters},${kind}buffersink@out`))
    FFmpegError.throwIfError(graph.configSync())
    const ends = [graph.getFilter(`${kind}buffer@in`), graph.getFilter(`${kind}buffersink@out`)] as const
    if (!ends[0] || !ends[1]) throw new Error('A filter graph has the ends that it was made with.')
    return { source: ends[0], sink: ends[1] }
  }
}

function main(argument: string): void {
  if (argument === 'version') return void writeSync(pictureFd, `${ffmpegVersion()}\n`)
  Log.setLevel(AV_LOG_ERROR)
  run(NodeAvJobSchema.parse(JSON.parse(argument)))
  const { user, system } = process.cpuUsage()
  writeSync(eventFd, `cpu=${(user + system) / 1e6}\n`)
}

function run(job: NodeAvJob): void {
  const input = openInput(job)
  const lanes = [pictureLane(input, job), soundLane(input, job)].filter(lane => lane !== null)
  for (const stream of input.streams)
    if (!lanes.some(lane => lane.streamIndex === stream.index)) stream.discard = AVDISCARD_ALL
  if (job.seekSec !== null) {
    const targetUs = Math.max(0, Math.round((job.seekSec - decodeLeadSec) * 1e6))
    FFmpegError.throwIfError(input.seekFrameSync(-1, BigInt(targetUs), AVSEEK_FLAG_BACKWARD))
  }
  const packet = new Packet()
  packet.alloc()
  while (lanes.some(lane => !lane.isDone) && input.readFrameSync(packet) >= 0) {
    for (const lane of lanes) if (lane.streamIndex === packet.streamIndex) lane.take(packet)
    packet.unref()
  }
  for (const lane of lanes) lane.end()
}

function openInput(job: NodeAvJob): FormatContext {
  const format = job.inputFormat === null ? null : InputFormat.findInputFormat(job.inputFormat)
  const input = new FormatContext()
  const options = Dictionary.fromObject({
    protocol_whitelist: 'file,pipe',
    format_whitelist: job.fileFormats,
    // Nothing is decoded to find out what there is: that decoder would take pictures of any size.
    codec_whitelist: 'none',
    ...(format ? { probesize: '65536', analyzeduration: '0' } : { probesize: '1000000', analyzeduration: '1000000' }),
  })
  FFmpegError.throwIfError(input.openInputSync(job.input, format, options))
  // It says of each codec that it may not be opened.
  Log.setLevel(AV_LOG_FATAL)
  FFmpegError.throwIfError(input.findStreamInfoSync())
  Log.setLevel(AV_LOG_ERROR)
  return input
}

function pictureLane(input: FormatContext, job: NodeAvJob): Lane | null {
  const { picture } = job
  if (picture === null) return null
  const stream = input.streams.find(
    one => one.codecpar.codecType === AVMEDIA_TYPE_VIDEO && (one.disposition & AV_DISPOSITION_ATTACHED_PIC) === 0,
  )
  if (stream === undefined) throw new Error('The file holds no picture.')
  const turns = picture.isTurned ? rightingFilters(displayMatrix(stream.codecpar)) : []
  const isRaw = picture.output.kind === 'raw'
  return new Lane(stream, {
    filters: [
      ...turns,
      picture.filters,
      ...(picture.output.kind === 'raw' ? [`format=${picture.output.pixels}`] : []),
    ].join(','),
    outlet: picture.output.kind === 'raw' ? rawPictures() : h264File(picture.output, stream),
    framesMax: picture.framesMax,
    options: {
      max_pixels: String(job.pixelsMax),
      threads: '2',
      ...(picture.skip && { skip_frame: picture.skip, skip_loop_filter: 'all' }),
      ...(isRaw && job.inputFormat !== null && { flags: 'low_delay' }),
    },
  })
}

function soundLane(input: FormatContext, job: NodeAvJob): Lane | null {
  const { sound } = job
  if (sound === null) return null
  const stream = input.streams.find(one => one.codecpar.codecType === AVMEDIA_TYPE_AUDIO)
  if (stream === undefined) {
    if (sound.isNeeded) throw new Error('The file holds no sound.')
    return null
  }
  return new Lane(stream, {
    filters:
      sound.output.kind === 'raw'
        ? sound.filters
        : `${sound.filters},asetnsamples=n=${sound.output.samplesOfPacket}:p=0`,
    outlet: sound.output.kind === 'raw' ? rawSound() : soundFile(sound.output),
    framesMax: Number.POSITIVE_INFINITY,
    options: { threads: '1' },
  })
}

function openDecoder(stream: Stream, options: Record<string, string>): CodecContext {
  const codec = Codec.findDecoder(stream.codecpar.codecId)
  if (codec === null) throw new Error('Decoder (of this codec) not found')
  const decoder = new CodecContext()
  decoder.allocContext3(codec)
  FFmpegError.throwIfError(decoder.parametersToContext(stream.codecpar))
  decoder.pktTimebase = stream.timeBase
  setOptions(decoder, options)
  FFmpegError.throwIfError(decoder.open2Sync(codec))
  return decoder
}

/** One by one: a dictionary given to `open2Sync` is freed twice, which ends the process. */
function setOptions(context: CodecContext | FormatContext, options: Record<string, string>): void {
  for (const [name, value] of Object.entries(options)) FFmpegError.throwIfError(context.setOption(name, value))
}

function pictureSource(frame: Frame, stream: Stream): string {
  const aspect = frame.sampleAspectRatio.num > 0 ? frame.sampleAspectRatio : new Rational(1, 1)
  return [
    `video_size=${frame.width}x${frame.height}`,
    `pix_fmt=${frame.format}`,
    `time_base=${stream.timeBase.num}/${stream.timeBase.den}`,
    `pixel_aspect=${aspect.num}/${aspect.den}`,
    `colorspace=${frame.colorSpace}`,
    `range=${frame.colorRange}`,
  ].join(':')
}

function soundSource(frame: Frame, stream: Stream): string {
  const { mask, nbChannels } = frame.channelLayout
  return [
    `time_base=${stream.timeBase.num}/${stream.timeBase.den}`,
    `sample_rate=${frame.sampleRate}`,
    `sample_fmt=${frame.format}`,
    mask > 0n ? `channel_layout=0x${mask.toString(16)}` : `channels=${nbChannels}`,
  ].join(':')
}

function rawPictures(): Outlet {
  return {
    take(frame, timeBase) {
      writeSync(eventFd, `at=${Number(frame.pts) * timeBase.toDouble()}\n`)
      writeAll(pictureFd, frame.toBuffer())
    },
    end: () => undefined,
  }
}

function rawSound(): Outlet {
  return { take: frame => writeAll(soundFd, frame.toBuffer()), end: () => undefined }
}

function h264File(output: Extract<PictureJob['output'], { kind: 'h264' }>, source: Stream): Outlet {
  return encoded({
    path: output.path,
    format: 'mp4',
    formatOptions: {},
    encoder: 'libx264',
    options: {
      preset: 'veryfast',
      crf: String(output.rateFactor),
      profile: output.profile,
      threads: '2',
      'x264-params': `sps-id=${output.parameterSetId}`,
    },
    fit(encoder, frame) {
      encoder.width = frame.width
      encoder.height = frame.height
      if (isPixelFormat(frame, frame.format)) encoder.pixelFormat = frame.format
      encoder.sampleAspectRatio = frame.sampleAspectRatio
      encoder.colorRange = frame.colorRange
      encoder.colorPrimaries = frame.colorPrimaries
      encoder.colorTrc = frame.colorTrc
      encoder.colorSpace = frame.colorSpace
      if (source.avgFrameRate.num > 0) encoder.framerate = source.avgFrameRate
    },
  })
}

function soundFile(output: Extract<SoundJob['output'], { kind: 'file' }>): Outlet {
  return encoded({
    path: output.path,
    format: output.format,
    formatOptions: output.formatOptions,
    encoder: output.encoder,
    options: {},
    fit(encoder, frame) {
      encoder.sampleRate = frame.sampleRate
      if (isSampleFormat(frame, frame.format)) encoder.sampleFormat = frame.format
      encoder.channelLayout = frame.channelLayout
      if (output.bitsPerSec > 0) encoder.bitRate = BigInt(output.bitsPerSec)
    },
  })
}

/** Encodes frames into a file. The encoder is opened for the first of them: filters decide what they are like. */
function encoded(o: {
  path: string
  format: string
  formatOptions: Record<string, string>
  encoder: string
  options: Record<string, string>
  fit: (encoder: CodecContext, frame: Frame) => void
}): Outlet {
  const packet = new Packet()
  packet.alloc()
  let open: { encoder: CodecContext; file: FormatContext; stream: Stream } | null = null
  let saidAtMs = 0

  const start = (frame: Frame, timeBase: Rational): NonNullable<typeof open> => {
    const codec = Codec.getCodecList().find(one => one.isEncoder() && one.name === o.encoder)
    if (codec === undefined) throw new Error(`Encoder ${o.encoder} not found`)
    const encoder = new CodecContext()
    encoder.allocContext3(codec)
    encoder.timeBase = timeBase
    encoder.setFlags(AV_CODEC_FLAG_GLOBAL_HEADER)
    o.fit(encoder, frame)
    setOptions(encoder, o.options)
    FFmpegError.throwIfError(encoder.open2Sync(codec))
    const file = new FormatContext()
    FFmpegError.throwIfError(file.allocOutputContext2(null, o.format, o.path))
    const stream = file.newStream()
    FFmpegError.throwIfError(stream.codecpar.fromContext(encoder))
    stream.timeBase = timeBase
    setOptions(file, o.formatOptions)
    FFmpegError.throwIfError(file.openOutputSync())
    FFmpegError.throwIfError(file.writeHeaderSync())
    return { encoder, file, stream }
  }
  const drain = ({ encoder, file, stream }: NonNullable<typeof open>): void => {
    while (encoder.receivePacketSync(packet) >= 0) {
      packet.streamIndex = stream.index
      // Without one, the last frame would be shown for no time at all.
      if (packet.duration === 0n) packet.duration = frameDuration(encoder)
      packet.rescaleTs(encoder.timeBase, stream.timeBase)
      FFmpegError.throwIfError(file.interleavedWriteFrameSync(packet))
    }
  }
  return {
    take(frame, timeBase) {
      open ??= start(frame, timeBase)
      // What the source's encoder chose is not asked of this one.
      if (frame.isVideo()) frame.pictType = AV_PICTURE_TYPE_NONE
      FFmpegError.throwIfError(open.encoder.sendFrameSync(frame))
      drain(open)
      const nowMs = performance.now()
      if (nowMs - saidAtMs < progressMs) return
      saidAtMs = nowMs
      writeSync(eventFd, `done=${Number(frame.pts) * timeBase.toDouble()}\n`)
    },
    end() {
      if (open === null) throw new Error('Nothing between these times could be decoded.')
      open.encoder.sendFrameSync(null)
      drain(open)
      FFmpegError.throwIfError(open.file.writeTrailerSync())
      open.file.closeOutputSync()
    },
  }
}

/** Of one frame at the usual rate, in units of the encoder's clock. */
function frameDuration(encoder: CodecContext): bigint {
  const { num, den } = encoder.framerate
  return num > 0 ? BigInt(Math.round(den / num / encoder.timeBase.toDouble())) : 0n
}

/** The number of a format means another thing for pictures than for sound. */
function isPixelFormat(frame: Frame, _format: AVPixelFormat | AVSampleFormat): _format is AVPixelFormat {
  return frame.isVideo()
}

function isSampleFormat(frame: Frame, _format: AVPixelFormat | AVSampleFormat): _format is AVSampleFormat {
  return frame.isAudio()
}

function displayMatrix(parameters: CodecParameters): Int32Array | null {
  const bytes = parameters.getCodedSideData(AV_PKT_DATA_DISPLAYMATRIX)
  return bytes === null ? null : Int32Array.from({ length: 9 }, (_, index) => bytes.readInt32LE(index * 4))
}

function writeAll(fd: number, bytes: Uint8Array): void {
  for (let written = 0; written < bytes.length; ) written += writeSync(fd, bytes, written)
}

try {
  main(process.argv[2] ?? '')
} catch (error) {
  writeSync(2, `${error instanceof Error ? error.message : String(error)}\n`)
  process.exitCode = 1
}
