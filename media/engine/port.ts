/**
 * What decodes and encodes. Two engines do the same: an ffmpeg program as a child process, and FFmpeg's libraries inside a
 * forked process of ours. Both get files that lie in the private folder of one job under names of ours, never an address,
 * a playlist, a shell line or a name that a user chose. Reading containers, copying and muxing are not theirs:
 * see `media/source` and `media/cut`.
 */
export interface MediaEngine {
  readonly kind: 'ffmpeg' | 'node-av'
  /** As the engine says it, e.g. `5.1.9`. */
  readonly version: string
  /** Whether it brings pictures of a high range of brightness into the usual one; where not, they come out pale. */
  readonly mapsRange: boolean
  /**
   * One pass over a file: small frames and mono sound at once, in the order of the file. Sinks that return a promise
   * hold the pass back.
   * @throws AppError BAD_REQUEST when the file cannot be decoded; UNAVAILABLE when the pass took too long; the signal's
   * reason when it was aborted
   */
  decode(request: DecodeRequest, sink: DecodeSink, task: EngineTask): Promise<EngineUsage>
  /**
   * Encodes a span of the picture as H.264 into an MP4 file of its own, without sound. Exactly the frames whose time is
   * in the span, each once: times are not made even.
   * @throws AppError as `decode`
   */
  encodeVideo(request: VideoEncodeRequest, task: EngineTask): Promise<EngineUsage>
  /**
   * Encodes a span of the sound, exact to the sample.
   * @throws AppError as `decode`
   */
  encodeAudio(request: AudioEncodeRequest, task: EngineTask): Promise<EngineUsage>
  /**
   * The chromaprint of a file's sound: 32 bits for each 0.1238 s, the first after about 2.6 s.
   * @throws AppError as `decode`
   */
  soundFingerprint(request: SoundFingerprintRequest, task: EngineTask): Promise<Uint32Array>
  /** Ends everything under way. */
  close(): Promise<void>
}

/** A file in the private folder of a job. */
export interface EngineFile {
  readonly kind: 'file'
  /** Absolute. */
  readonly path: string
}

/** H.264 in Annex B form, parameter sets in front of each keyframe, whole pictures in decode order. */
export interface EngineStream {
  readonly kind: 'h264'
  readonly chunks: AsyncIterable<Uint8Array>
}

/**
 * How pictures that are brighter than a usual screen are coded (ITU-R BT.2100); they are brought into the usual range
 * where `mapsRange` says so.
 */
export type HighRange = 'pq' | 'hlg'

/** What every call is bound by. */
export interface EngineTask {
  readonly signal?: AbortSignal
  /** How much processor time it will probably take, in seconds; it is ended when it takes many times that. */
  readonly cpuSecEstimate: number
  /** Somebody looks on and waits. Everything else is done with the processor time that nobody else wants. */
  readonly isWatched?: boolean
  /** Pictures of more pixels are refused; 9,000,000 unless told. */
  readonly pixelsMax?: number
  /** How far into the span it is, in seconds of the media; a few times a second. */
  readonly onProgress?: (doneSec: number) => void
}

export interface DecodeRequest {
  readonly input: EngineFile | EngineStream
  /** Null: the picture is not decoded. Of a stream it must be asked for. */
  readonly picture: {
    readonly widthPx: number
    readonly heightPx: number
    readonly pixels: 'rgb24' | 'gray'
    /** Keyframes alone; all that others are predicted from (what is dropped is not seen, times stay true); or all. */
    readonly which: 'keyframes' | 'referenced' | 'all'
    readonly highRange?: HighRange
    /** At most so many a second, evenly; every decoded one when absent. */
    readonly framesPerSec?: number
    /** The pass ends after so many frames. */
    readonly framesMax: number
  } | null
  /** Null: the sound is not decoded. A file without sound gives none, without an error. */
  readonly sound: { readonly rateHz: number } | null
  /** On the file's own clock; its beginning unless told. */
  readonly startSec?: number
  /** To its end unless told. */
  readonly durationSec?: number
}

export interface DecodedFrame {
  /** On the file's own clock; null of a stream. */
  readonly atSec: number | null
  /** Rows from the top, 3 bytes or 1 a pixel; the sink may keep it. */
  readonly pixels: Uint8Array
}

export interface DecodeSink {
  readonly onFrame?: (frame: DecodedFrame) => void | Promise<void>
  /** Mono, in order, chunks of any length; the sink may keep them. The first sample is at `startSec`. */
  readonly onSound?: (samples: Int16Array) => void | Promise<void>
}

/** A span of a file, on its own clock: from `startSec` to just before `endSec`. */
interface EngineSpan {
  readonly input: EngineFile
  readonly startSec: number
  readonly endSec: number
  /** Absolute, in the job's folder; its ending says the container. */
  readonly outputPath: string
}

export interface VideoEncodeRequest extends EngineSpan {
  /** The frames in the span; no more are written. */
  readonly frameCount: number
  /** `keep`: pixels as they are coded, for a file that carries the rotation beside them. */
  readonly rotation: 'keep' | 'apply'
  readonly highRange?: HighRange
  /** After the rotation; whole even numbers. */
  readonly crop?: { readonly widthPx: number; readonly heightPx: number; readonly xPx: number; readonly yPx: number }
  /** After the crop; whole even numbers. */
  readonly scale?: { readonly widthPx: number; readonly heightPx: number }
  readonly profile: 'baseline' | 'main' | 'high'
  /** x264's constant rate factor: 18 cannot be told from the source by eye, 20 hardly. */
  readonly rateFactor: number
  /** The id of the sequence and picture parameter sets, 0 to 31: another than the source's where both meet in one file. */
  readonly parameterSetId: number
}

export interface AudioEncodeRequest extends EngineSpan {
  readonly codec: 'aac' | 'mp3' | 'pcm-s16'
  /** The source's own where the codec takes it: sound is not resampled without need. */
  readonly rateHz: number
  readonly channelCount: 1 | 2
  /** Ignored for pcm-s16. */
  readonly bitsPerSec: number
}

export interface SoundFingerprintRequest {
  readonly input: EngineFile
  readonly startSec?: number
  readonly durationSec: number
}

/** What a call cost. */
export interface EngineUsage {
  /** Processor time of the engine's process, in seconds; null where the system does not say. */
  readonly cpuSec: number | null
  readonly wallMs: number
  /** How often it met something damaged and went on. */
  readonly errorCount: number
}
