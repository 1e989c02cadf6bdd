/**
 * An exact cut that copies all but its edges. A copy can begin only at a keyframe, and end only where what was decoded
 * is shown without a hole. So the frames before the first keyframe, and the few after the last such place, are encoded
 * anew with parameter sets of other ids than the source's, and all three parts share one track whose configuration
 * carries the sets of all of them: no timestamps are joined by a demuxer, no frame is doubled at the joints.
 *
 * Refused: joining files with ffmpeg's concat demuxer (a doubled frame and 19 ms at the joint), and keeping the source's
 * parameter sets for the encoded edges (the encoder cannot be told to write the same ones).
 */
import { join } from 'node:path'
import { type EncodedPacket, EncodedPacketSink, type InputVideoTrack } from 'mediabunny'
import type { MediaEngine } from '../engine/port.ts'
import {
  type AvcConfig,
  avcConfigOf,
  idrUnit,
  mergedAvcConfig,
  parseSequenceSet,
  pictureSetId,
  unitTypes,
} from '../source/h264.ts'
import { decodeCpuSec, encodeCpuSec, type PictureSize } from './cost.ts'
import { type ClipFrame, endOf, planSmartCut, type SmartPlan } from './frames.ts'
import { keyPacketAt, type Span } from './span.ts'
import { sumOfCpu } from './tier.ts'
import type { ClipPicture } from './write-clip.ts'
import { openWrittenFile, packetsAtFrames, shownTimes, type WrittenFile } from './written-file.ts'

/** The edges should not be told from what is copied. */
const rateFactor = 18
/** 66 Baseline, 77 Main, 100 High: what players of H.264 in 8 bits and 4:2:0 all take. */
const profiles: Readonly<Record<number, 'baseline' | 'main' | 'high'>> = { 66: 'baseline', 77: 'main', 100: 'high' }
const idCount = 32
/** On either side of a joint: what is wrong with one shows at once. */
const sampledSec = 0.5

/** What a smart cut needs of a source's picture, or why it cannot be. */
export type SmartEligibility =
  | { readonly config: AvcConfig; readonly profile: 'baseline' | 'main' | 'high' }
  | { readonly refusal: string }

/** Whether another encoding can be joined to this picture. */
export async function smartEligibility(track: InputVideoTrack): Promise<SmartEligibility> {
  const codec = await track.getCodec()
  if (codec !== 'avc') return { refusal: `The picture is ${codec ?? 'unknown'}, not H.264, so all of it was encoded.` }
  const config = await avcConfigOf(track)
  const set = config?.sequenceSets[0]
  if (!config || !set) return { refusal: 'The picture does not say how it was encoded, so all of it was encoded.' }
  const { profileIdc, chromaFormat, bitDepth, isProgressive } = parseSequenceSet(set)
  const profile = profiles[profileIdc]
  if (profile === undefined || chromaFormat !== 1 || bitDepth !== 8 || !isProgressive || config.lengthBytes !== 4)
    return { refusal: 'The picture is an unusual kind of H.264, so all of it was encoded.' }
  return { config, profile }
}

/** A clip's picture put together, and what it takes to check it. */
export interface SmartPicture {
  readonly picture: ClipPicture
  readonly encodedFrameCount: number
  /** Where parts meet, on the clip's clock. */
  readonly jointsSec: readonly number[]
  readonly cpuSec: number | null
  close(): void
}

/**
 * Encodes the edges and puts the picture together.
 * @returns null when the frames hold no part that could be copied, or the encoder did not return every frame
 */
export async function smartPicture(
  engine: MediaEngine,
  span: Span,
  source: InputVideoTrack,
  frames: readonly [ClipFrame, ...ClipFrame[]],
  eligible: { readonly config: AvcConfig; readonly profile: 'baseline' | 'main' | 'high' },
  job: {
    readonly folder: string
    readonly signal: AbortSignal | undefined
    readonly size: PictureSize
    readonly onProgress: (doneSec: number) => void
  },
): Promise<SmartPicture | null> {
  const joint = await firstCleanKeyframe(source, eligible.config, span, frames)
  const config = await source.getDecoderConfig()
  const [headId, tailId] = freeIds(eligible.config)
  if (joint === null || config === null || headId === undefined || tailId === undefined) return null
  const plan = planSmartCut(frames, joint)
  const edges: Edge[] = []
  const close = (): void => {
    for (const edge of edges) edge.file.close()
  }
  const encode = async (name: string, part: readonly ClipFrame[], parameterSetId: number): Promise<Edge | null> => {
    if (part.length === 0) return null
    const edge = await encodeEdge(engine, span, part, { ...job, name, parameterSetId, profile: eligible.profile })
    edges.push(edge)
    return edge
  }
  try {
    const head = await encode('head', plan.head, headId)
    const tail = await encode('tail', plan.tail, tailId)
    const configs = edges.flatMap(edge => (edge.config === null ? [] : [edge.config]))
    if (configs.length < edges.length) {
      close()
      return null
    }
    const startSec = frames[0].shownAtSec
    return {
      picture: {
        codec: 'avc',
        config: { ...config, description: mergedAvcConfig(eligible.config, configs) },
        matrix: await source.getTransformationMatrix(),
        packetCountMax: frames.length,
        packets: joined(span, source, plan, { head, tail }, startSec),
      },
      encodedFrameCount: plan.head.length + plan.tail.length,
      jointsSec: jointsOf(plan, frames).map(atSec => atSec - startSec),
      cpuSec: sumOfCpu(edges.map(edge => edge.cpuSec)),
      close,
    }
  } catch (error) {
    close()
    throw error
  }
}

/**
 * Whether the written clip is what was planned: every frame once, at its time, and both joints decode without a fault;
 * and what it cost to look.
 */
export async function checkSmartClip(
  engine: MediaEngine,
  path: string,
  frames: readonly [ClipFrame, ...ClipFrame[]],
  joints: readonly number[],
  task: { readonly signal: AbortSignal | undefined; readonly size: PictureSize },
): Promise<{ isSound: boolean; cpuSec: number | null }> {
  const expected = frames.map(frame => frame.shownAtSec - frames[0].shownAtSec)
  const file = await openWrittenFile(path)
  try {
    const times = file.video === null ? [] : await shownTimes(file.video)
    if (times.length !== expected.length || times.some((atSec, index) => !isNear(atSec, expected[index])))
      return { isSound: false, cpuSec: 0 }
  } finally {
    file.close()
  }
  const spent: (number | null)[] = []
  for (const jointSec of joints) {
    const startSec = Math.max(0, jointSec - sampledSec)
    const endSec = jointSec + sampledSec
    let seenCount = 0
    const usage = await engine.decode(
      {
        input: { kind: 'file', path },
        picture: { widthPx: 16, heightPx: 16, pixels: 'gray', which: 'all', framesMax: expected.length },
        sound: null,
        startSec,
        durationSec: endSec - startSec,
      },
      {
        onFrame: () => {
          seenCount += 1
        },
      },
      { cpuSecEstimate: decodeCpuSec(20, task.size), ...(task.signal && { signal: task.signal }) },
    )
    const wantedCount = expected.filter(atSec => atSec > startSec - 0.0005 && atSec < endSec - 0.0005).length
    spent.push(usage.cpuSec)
    if (usage.errorCount > 0 || seenCount !== wantedCount) return { isSound: false, cpuSec: sumOfCpu(spent) }
  }
  return { isSound: true, cpuSec: sumOfCpu(spent) }
}

interface Edge {
  readonly file: WrittenFile
  readonly frames: readonly ClipFrame[]
  /** Null when the encoder did not return every frame. */
  readonly config: AvcConfig | null
  readonly cpuSec: number | null
}

async function encodeEdge(
  engine: MediaEngine,
  span: Span,
  frames: readonly ClipFrame[],
  edge: {
    readonly name: string
    readonly folder: string
    readonly parameterSetId: number
    readonly profile: 'baseline' | 'main' | 'high'
    readonly signal: AbortSignal | undefined
    readonly size: PictureSize
    readonly onProgress: (doneSec: number) => void
  },
): Promise<Edge> {
  const outputPath = join(edge.folder, `${edge.name}.mp4`)
  const startSec = frames[0]?.atSec ?? 0
  const last = frames.at(-1)
  const endSec = last === undefined ? startSec : last.atSec + Math.max(last.durationSec, 0.002)
  const { cpuSec } = await engine.encodeVideo(
    {
      input: { kind: 'file', path: span.path },
      startSec,
      endSec,
      outputPath,
      frameCount: frames.length,
      rotation: 'keep',
      profile: edge.profile,
      rateFactor,
      parameterSetId: edge.parameterSetId,
    },
    {
      cpuSecEstimate: encodeCpuSec(endOf(frames) - startSec, edge.size) + decodeCpuSec(20, edge.size),
      onProgress: edge.onProgress,
      ...(edge.signal && { signal: edge.signal }),
    },
  )
  const file = await openWrittenFile(outputPath)
  const isWhole = file.video !== null && (await shownTimes(file.video)).length === frames.length
  return { file, frames, cpuSec, config: isWhole && file.video ? await avcConfigOf(file.video) : null }
}

/** Head, copy and tail, from time 0. */
async function* joined(
  span: Span,
  source: InputVideoTrack,
  plan: SmartPlan,
  edges: { readonly head: Edge | null; readonly tail: Edge | null },
  startSec: number,
): AsyncGenerator<EncodedPacket> {
  if (edges.head?.file.video) yield* packetsAtFrames(edges.head.file.video, edges.head.frames, startSec)
  const copied = span.packets.slice(plan.copied.from, plan.copied.until)
  const sink = new EncodedPacketSink(source)
  const packets = sink.packets(await keyPacketAt(sink, copied[0]?.atSec ?? 0))
  for (const { atSec } of copied) {
    const { value: packet } = await packets.next()
    if (packet) yield packet.clone({ timestamp: atSec - startSec })
  }
  await packets.return()
  if (edges.tail?.file.video) yield* packetsAtFrames(edges.tail.file.video, edges.tail.frames, startSec)
}

/** The place among the frames of the first keyframe after which everything earlier may be forgotten; null without. */
async function firstCleanKeyframe(
  track: InputVideoTrack,
  config: AvcConfig,
  span: Span,
  frames: readonly ClipFrame[],
): Promise<number | null> {
  const sink = new EncodedPacketSink(track)
  for (const [index, frame] of frames.entries()) {
    if (!span.packets[frame.packetIndex]?.isKey || frame.shownAtSec !== frame.atSec) continue
    const packet = await keyPacketAt(sink, frame.atSec)
    if (unitTypes(packet.data, config.lengthBytes).includes(idrUnit)) return index
  }
  return null
}

/** Ids of parameter sets that the source does not use. */
function freeIds(config: AvcConfig): number[] {
  const used = new Set([
    ...config.sequenceSets.map(set => parseSequenceSet(set).id),
    ...config.pictureSets.map(pictureSetId),
  ])
  return Array.from({ length: idCount }, (_, id) => id).filter(id => !used.has(id))
}

function jointsOf(plan: SmartPlan, frames: readonly ClipFrame[]): number[] {
  const afterHead = plan.head.length > 0 ? [frames[plan.head.length]] : []
  const tail = plan.tail.length > 0 ? [plan.tail[0]] : []
  return [...afterHead, ...tail].flatMap(frame => (frame === undefined ? [] : [frame.shownAtSec]))
}

function isNear(atSec: number, expectedSec: number | undefined): boolean {
  return expectedSec !== undefined && Math.abs(atSec - expectedSec) < 0.0005
}
