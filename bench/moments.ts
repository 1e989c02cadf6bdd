/**
 * How many of the moments that are known are among the ten that are suggested (hit@10). What people would make clips of
 * is in no public set, so events are planted: ten of a kind in twenty minutes of a meeting, at instants that are known.
 * Told is the share of them that lies whole inside a suggested span, beside what as many spans of that length would
 * hold by chance. Prints one JSON object. Needs ffmpeg and the reference data.
 */
import { execFile } from 'node:child_process'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { gunzipSync } from 'node:zlib'
import { z } from 'zod'
import type { ChatMessage, Moment } from '../contracts/timeline.ts'
import { openOutbound } from '../core/outbound/guarded-fetch.ts'
import { openMediaSource } from '../media/source/open-source.ts'
import { probeMedia } from '../media/source/probe.ts'
import { analyzeTimeline } from '../media/timeline/analyze-timeline.ts'
import { suggestMoments } from '../media/timeline/moments.ts'
import { referenceData } from '../test/reference-data.ts'
import { openBenchEngine } from './bench-engine.ts'

const streamSec = 1200
const eventSec = 8
/** Where events begin: one in every two minutes, never at the same place of the meeting, which repeats after 139 s. */
const eventsAt = Array.from({ length: 10 }, (_, index) => index * 120 + 20 + ((index * 37) % 71))
const suggestionsMax = 10
const chatLagSec = 10

const media = (path: string) => {
  const found = referenceData(`media/${path}`)
  if (found === null) throw new Error('This bench needs the reference data: set CLIPTAPE_REFERENCE_DATA.')
  return found
}
const meeting = media('speech/meeting_139s_768x432.mp4')
const shots = media('video/known_cuts_51s_360p.mp4')

/** What the planted events are, as filters over the meeting `[0]` and the shots `[1]`; null: nothing, or only chat. */
const kinds: Readonly<
  Record<string, { readonly applauseDb?: number; readonly hasCuts?: boolean; readonly hasChat?: boolean }>
> = {
  'applause at -20 dB': { applauseDb: -20 },
  'applause at -30 dB': { applauseDb: -30 },
  'six cuts': { hasCuts: true },
  'six cuts and applause at -30 dB': { hasCuts: true, applauseDb: -30 },
  'twice the chat': { hasChat: true },
  'twice the chat, six cuts and applause at -30 dB': { hasChat: true, hasCuts: true, applauseDb: -30 },
}

const ChatFileSchema = z.array(
  z.object({ time_in_seconds: z.number(), author: z.string().nullish(), message: z.string().nullish() }),
)

const run = promisify(execFile)
const folder = await mkdtemp(join(tmpdir(), 'cliptape-bench-'))
const outbound = openOutbound({ configuredOrigins: [] })
const engine = await openBenchEngine()

try {
  const small = { meeting: join(folder, 'meeting.mp4'), shots: join(folder, 'shots.mp4') }
  await run('ffmpeg', ['-v', 'error', '-i', meeting, '-vf', 'scale=192:108,fps=5', small.meeting])
  await run('ffmpeg', ['-v', 'error', '-i', shots, '-vf', 'scale=192:108,fps=5', small.shots])
  const planted: Record<string, ReturnType<typeof hits>> = {}
  for (const [name, kind] of Object.entries(kinds)) {
    const timeline = await timelineOf(await stream(small, kind))
    const chat = kind.hasChat ? await plantedChat() : null
    planted[name] = hits(suggestMoments(timeline, { chat, countMax: suggestionsMax }))
  }
  process.stdout.write(`${JSON.stringify({ bench: 'moments', minutes: streamSec / 60, planted })}\n`)
} finally {
  await Promise.all([engine.close(), outbound.close()])
  await rm(folder, { recursive: true, force: true })
}

/** The meeting with its events: applause is noise of that level, cuts are six shots within 8 s. */
async function stream(
  small: { readonly meeting: string; readonly shots: string },
  { applauseDb, hasCuts }: (typeof kinds)[string],
): Promise<string> {
  const path = join(folder, 'stream.mp4')
  const during = eventsAt.map(atSec => `between(t,${atSec},${atSec + eventSec})`).join('+')
  // Evenly spread noise has an RMS of its amplitude / √3.
  const amplitude = applauseDb === undefined ? 0 : 10 ** (applauseDb / 20) * Math.sqrt(3)
  const cuts = [0, 8, 14, 19, 28, 34].map((fromSec, shot) => {
    return `[${shot + 1}s]trim=${fromSec}:${fromSec + eventSec / 6},setpts=PTS-STARTPTS[${shot + 1}t]`
  })
  const filters = [
    `[1:v]split=6${cuts.map((_, shot) => `[${shot + 1}s]`).join('')}`,
    ...cuts,
    `${cuts.map((_, shot) => `[${shot + 1}t]`).join('')}concat=n=6,loop=-1:size=${eventSec * 5}[fast]`,
    `[0:v][fast]overlay=enable='${hasCuts ? during : 0}':shortest=1[v]`,
    `[2:a]volume='if(${during},1,0)':eval=frame[applause]`,
    '[0:a][applause]amix=inputs=2:duration=first:normalize=0[a]',
  ]
  await run('ffmpeg', [
    ...['-v', 'error', '-y', '-stream_loop', '-1', '-t', String(streamSec), '-i', small.meeting],
    ...['-i', small.shots],
    ...['-f', 'lavfi', '-t', String(streamSec), '-i', `anoisesrc=color=white:r=8000:a=${amplitude}:seed=1`],
    ...['-filter_complex', filters.join(';'), '-map', '[v]', '-map', '[a]', '-t', String(streamSec)],
    ...['-c:v', 'libx264', '-preset', 'ultrafast', '-pix_fmt', 'yuv420p', '-c:a', 'aac', path],
  ])
  return path
}

async function timelineOf(path: string) {
  const file = await openMediaSource({ outbound }, { kind: 'file', path })
  try {
    const source = { path, info: await probeMedia(file), zeroSec: file.zeroSec, keyframes: null }
    return (await analyzeTimeline(engine, source, { level: 'full' }, {})).timeline
  } finally {
    await file.close()
  }
}

/** Share of the planted events that lie whole inside a suggested span, and what as many spans would hold by chance. */
function hits(suggested: readonly Moment[]) {
  const isHit = (atSec: number) => suggested.some(one => one.startSec <= atSec && one.endSec >= atSec + eventSec)
  const room = suggested.reduce((sum, one) => sum + Math.max(0, one.endSec - one.startSec - eventSec), 0)
  const rounded = (share: number) => Math.round(share * 100) / 100
  return { hitAt10: eventsAt.filter(isHit).length / eventsAt.length, chance: rounded(room / (streamSec - eventSec)) }
}

async function readChat(name: string): Promise<ChatMessage[]> {
  const path = referenceData(`streams/chat/${name}.json.gz`)
  if (path === null) throw new Error(`The reference data has no chat ${name}.`)
  const rows = ChatFileSchema.parse(JSON.parse(gunzipSync(await readFile(path)).toString()))
  return rows.map(row => ({
    atSec: Math.max(0, row.time_in_seconds),
    author: row.author ?? '',
    text: row.message ?? '',
  }))
}

/** A recorded chat, repeated to the length of the stream; after an event twice as many speak, and say one word. */
async function plantedChat(): Promise<ChatMessage[]> {
  const recorded = await readChat('youtube-get-messages-from-premiered-video')
  const recordedSec = Math.max(...recorded.map(({ atSec }) => atSec))
  const whole = [0, recordedSec].flatMap(offsetSec => recorded.map(one => ({ ...one, atSec: one.atSec + offsetSec })))
  const isAnswer = ({ atSec }: ChatMessage) =>
    eventsAt.some(eventSecAt => atSec >= eventSecAt + chatLagSec && atSec < eventSecAt + chatLagSec + eventSec)
  return [...whole, ...whole.filter(isAnswer).map((one, index) => ({ ...one, author: `viewer ${index}`, text: 'wow' }))]
}
