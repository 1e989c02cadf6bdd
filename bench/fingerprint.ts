/**
 * How surely copies are found after what people do to them: clips are cut from videos, edited in a dozen ways, and
 * looked for in their own original (found), where in it (placed), and in all that they are not from: the other videos,
 * and the rest of the same stream (false). Pictures and sound are counted apart, and so are originals whose picture moves
 * and those of a camera that stands still, by which pictures prove nothing. Prints one JSON object. Arguments: folder
 * with the media (default: the reference media), clips per original (default 4: 260 edited clips, about 7 minutes of
 * processor time). Needs ffmpeg.
 */
import { execFile } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { cpus, tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { openOutbound } from '../core/outbound/guarded-fetch.ts'
import { matchFingerprints } from '../media/fingerprint/match.ts'
import { hashWords } from '../media/fingerprint/picture-hash.ts'
import type { PictureTrack } from '../media/fingerprint/picture-print.ts'
import { printSound } from '../media/fingerprint/print-sound.ts'
import { soundItemSec } from '../media/fingerprint/sound-match.ts'
import { openMediaSource } from '../media/source/open-source.ts'
import { probeMedia } from '../media/source/probe.ts'
import { analyzeTimeline } from '../media/timeline/analyze-timeline.ts'
import { packageRoot } from '../sql/read.ts'
import { referenceData } from '../test/reference-data.ts'
import { openBenchEngine } from './bench-engine.ts'

const folderOfMedia = process.argv[2] || (referenceData('media') ?? '')
const clipsPerOriginal = Number(process.argv[3] ?? 4)
if (folderOfMedia === '') throw new Error('Name a folder with media, or set CLIPTAPE_REFERENCE_DATA.')

/**
 * Each with the films that it shows: a clip found in another video of the same film is neither right nor false (seven
 * seconds of the shots are of the room that the meeting is shown with). One that is still is a plain ground with a
 * running clock, or the camera of that room.
 */
const originals = [
  { path: join(folderOfMedia, 'video/big_buck_bunny_480p_30s.mp4'), films: ['bunny'], isStill: false },
  { path: join(folderOfMedia, 'video/known_cuts_51s_360p.mp4'), films: ['bunny', 'room'], isStill: false },
  { path: join(folderOfMedia, 'speech/loud_and_silent_42s_720p.mp4'), films: ['loud'], isStill: true },
  { path: join(folderOfMedia, 'speech/meeting_139s_768x432.mp4'), films: ['room'], isStill: true },
  { path: join(packageRoot, 'media/sample/sample.mp4'), films: ['sample'], isStill: false },
] as const
const clipSec = 15
/** A clip counts as placed where it was cut when its beginning is so near. */
const nearSec = 1.5
/** Three notes and a beat, a bar of two seconds. */
const music = 'aevalsrc=0.2*sin(2*PI*(220+110*floor(mod(t\\,2)*1.5))*t)+0.2*sin(2*PI*60*t)*exp(-8*mod(t\\,0.5)):s=48000'

/**
 * Filters of picture (`v`) and sound (`a`) between the clip and the result; `[1:v]` is another video, `[2:a]` music.
 * `trimSec` is how much later the result begins.
 */
const upright = 'scale=-2:640,crop=360:640'
const fitted = 'scale=360:-2'
const edits: Readonly<Record<string, { readonly v?: string; readonly a?: string; readonly trimSec?: number }>> = {
  recompress: { v: '[0:v]scale=426:-2[v]' },
  crop: { v: '[0:v]crop=iw*0.85:ih*0.85,scale=640:-2[v]' },
  mirror: { v: '[0:v]hflip[v]' },
  'speed 1.25, pitch kept': { v: '[0:v]setpts=PTS/1.25[v]', a: '[0:a]atempo=1.25[a]' },
  'speed 0.9 with pitch': { v: '[0:v]setpts=PTS/0.9[v]', a: '[0:a]aresample=48000,asetrate=43200,aresample=48000[a]' },
  captions: {
    v: "[0:v]drawbox=x=iw*0.1:y=ih*0.74:w=iw*0.8:h=ih*0.16:color=black@0.6:t=fill,drawtext=text='WAIT FOR IT':fontcolor=white:fontsize=h/9:x=(w-text_w)/2:y=h*0.77[v]",
  },
  overlay: {
    v: '[0:v]drawbox=x=iw*0.03:y=ih*0.04:w=iw*0.2:h=ih*0.14:color=red:t=fill,drawbox=x=0:y=ih*0.97:w=iw*0.6:h=ih*0.03:color=yellow:t=fill[v]',
  },
  '9:16 crop': { v: `[0:v]${upright}[v]` },
  letterbox: { v: `[0:v]${fitted},pad=360:640:0:(oh-ih)/2[v]` },
  'blurred ground': {
    v: `[0:v]split[p][q];[p]${upright},gblur=sigma=20[ground];[q]${fitted}[clip];[ground][clip]overlay=0:(H-h)/2[v]`,
  },
  'split screen': {
    v: '[0:v]fps=30,scale=-2:320,crop=360:320[top];[1:v]fps=30,scale=-2:320,crop=360:320[down];[top][down]vstack[v]',
  },
  'music bed': { a: '[0:a]volume=1[own];[2:a]volume=0.5[bed];[own][bed]amix=2:duration=first[a]' },
  subclip: { v: '[0:v]trim=2:10.5,setpts=PTS-STARTPTS[v]', a: '[0:a]atrim=2:10.5,asetpts=PTS-STARTPTS[a]', trimSec: 2 },
}

type Edit = (typeof edits)[string]

const kinds = ['picture', 'sound', 'any'] as const
type Kind = (typeof kinds)[number]

interface Printed {
  readonly views: readonly PictureTrack[]
  readonly parts: readonly PictureTrack[]
  readonly sound: Uint32Array | null
  readonly durationSec: number
}
type Original = (typeof originals)[number] & { readonly print: Printed }

/** What became of one edited clip. */
interface Outcome {
  readonly edit: string
  readonly isStill: boolean
  readonly hasSound: boolean
  /** By which kinds it was found in its original, and by which where it was cut. */
  readonly found: ReadonlySet<Kind>
  readonly placed: ReadonlySet<Kind>
  /** How often it was found in what it is not from. */
  readonly falseCount: Readonly<Record<Kind, number>>
}

const run = promisify(execFile)
const folder = await mkdtemp(join(tmpdir(), 'cliptape-bench-'))
const outbound = openOutbound({ configuredOrigins: [] })
const engine = await openBenchEngine()

try {
  const printed: Original[] = []
  for (const one of originals) printed.push({ ...one, print: await printOf(one.path) })
  const cuts = printed.flatMap(original =>
    startsIn(original.print.durationSec).flatMap(startSec =>
      Object.entries(edits).map(([name, edit]) => ({ original, startSec, name, edit })),
    ),
  )
  const outcomes: Outcome[] = []
  const queue = cuts.entries()
  const work = async () => {
    for (const [index, cut] of queue) outcomes.push(await outcomeOfCut(printed, cut, join(folder, `${index}.mp4`)))
  }
  await Promise.all(cpus().map(work))
  const perEdit = Object.fromEntries(
    Object.keys(edits).map(name => [name, figures(outcomes.filter(one => one.edit === name))]),
  )
  const result = {
    bench: 'fingerprint',
    originals: originals.length,
    clips: outcomes.length,
    all: figures(outcomes),
    moving: figures(outcomes.filter(one => !one.isStill)),
    still: figures(outcomes.filter(one => one.isStill)),
    perEdit,
  }
  process.stdout.write(`${JSON.stringify(result)}\n`)
} finally {
  await Promise.all([engine.close(), outbound.close()])
  await rm(folder, { recursive: true, force: true })
}

/** Whether two videos show parts of one film. */
function showsSame(a: Original, b: Original): boolean {
  const films: readonly string[] = b.films
  return a.films.some(film => films.includes(film))
}

/** Where clips begin: spread evenly, and none at the very beginning where titles are. */
function startsIn(durationSec: number): number[] {
  const room = durationSec - clipSec
  return Array.from({ length: clipsPerOriginal }, (_, index) => Math.round((room * (index + 0.5)) / clipsPerOriginal))
}

async function printOf(path: string): Promise<Printed> {
  const opened = await openMediaSource({ outbound }, { kind: 'file', path })
  try {
    const source = { path, info: await probeMedia(opened), zeroSec: opened.zeroSec, keyframes: null }
    const { views, parts } = await analyzeTimeline(engine, source, { level: 'full' }, {})
    return { views, parts, sound: await printSound(engine, source), durationSec: source.info.durationSec }
  } finally {
    await opened.close()
  }
}

interface Cut {
  readonly original: Original
  readonly startSec: number
  readonly name: string
  readonly edit: Edit
}

/** @param path where the edited clip may lie meanwhile */
async function outcomeOfCut(printed: readonly Original[], cut: Cut, path: string): Promise<Outcome> {
  const { original, startSec, name, edit } = cut
  const other = printed.find(one => !showsSame(one, original)) ?? original
  await writeEdited(path, cut, other.path)
  const clip = await printOf(path)
  await rm(path)
  // What stands below on a split screen is there.
  const shown = name === 'split screen' ? printed.filter(one => !showsSame(one, other)) : printed
  return outcomeOf(clip, shown, { edit: name, original, cutAtSec: startSec + (edit.trimSec ?? 0) })
}

async function writeEdited(path: string, { original, startSec, edit }: Cut, otherPath: string): Promise<void> {
  const filters = [edit.v, original.print.sound && edit.a].filter(filter => filter !== undefined && filter !== null)
  const sound = original.print.sound ? ['-map', edit.a ? '[a]' : '0:a:0'] : []
  await run('ffmpeg', [
    ...['-v', 'error', '-y', '-ss', String(startSec), '-t', String(clipSec), '-i', original.path],
    ...['-t', String(clipSec), '-i', otherPath],
    ...['-f', 'lavfi', '-t', String(clipSec), '-i', music],
    ...(filters.length > 0 ? ['-filter_complex', filters.join(';')] : []),
    ...['-map', edit.v ? '[v]' : '0:v:0', ...sound, '-t', String(clipSec * 1.2), '-ar', '48000', '-ac', '2'],
    ...[
      '-c:v',
      'libx264',
      '-preset',
      'ultrafast',
      '-crf',
      '30',
      '-pix_fmt',
      'yuv420p',
      '-c:a',
      'aac',
      '-b:a',
      '96k',
      path,
    ],
  ])
}

function outcomeOf(
  clip: Printed,
  printed: readonly Original[],
  { edit, original, cutAtSec }: { readonly edit: string; readonly original: Original; readonly cutAtSec: number },
): Outcome {
  const own = startsBy(clip, original.print)
  const placed = kinds.filter(kind => own[kind] !== undefined && Math.abs(own[kind] - cutAtSec) <= nearSec)
  const strangers = [
    ...printed.filter(one => !showsSame(one, original)).map(one => one.print),
    without(original.print, cutAtSec - clipSec, cutAtSec + 2 * clipSec),
  ]
  const falseCount = { picture: 0, sound: 0, any: 0 }
  for (const stranger of strangers) {
    const starts = startsBy(clip, stranger)
    for (const kind of kinds) if (starts[kind] !== undefined) falseCount[kind] += 1
  }
  const found = new Set(kinds.filter(kind => own[kind] !== undefined))
  return { edit, isStill: original.isStill, hasSound: clip.sound !== null, found, placed: new Set(placed), falseCount }
}

/** Where in a video a clip was found to begin, by each kind that found it. */
function startsBy(clip: Printed, video: Pick<Printed, 'views' | 'sound'>): Partial<Record<Kind, number>> {
  const match = matchFingerprints(
    { pictures: clip.parts, sound: clip.sound },
    { pictures: video.views, sound: video.sound },
  )
  const picture = match?.picture?.offsetSec
  const sound = match?.sound?.offsetSec
  const any = picture ?? sound
  return {
    ...(picture !== undefined && { picture }),
    ...(sound !== undefined && { sound }),
    ...(any !== undefined && { any }),
  }
}

/** A video's print without a stretch of it. */
function without({ views, sound }: Printed, fromSec: number, toSec: number): Pick<Printed, 'views' | 'sound'> {
  const isLeft = (sec: number) => sec < fromSec || sec > toSec
  return {
    views: views.map(track => ({
      ...track,
      atSec: track.atSec.filter(isLeft),
      words: track.words.filter((_, at) => isLeft(track.atSec[Math.floor(at / hashWords)] ?? 0)),
    })),
    sound: sound?.filter((_, item) => isLeft(item * soundItemSec)) ?? null,
  }
}

/** Recall and place over the clips that have a kind, and precision over everything that was said to match. */
function figures(outcomes: readonly Outcome[]) {
  const share = (part: number, of: number) => (of === 0 ? null : Math.round((part / of) * 1000) / 1000)
  return Object.fromEntries(
    kinds.map(kind => {
      const having = outcomes.filter(one => kind !== 'sound' || one.hasSound)
      const foundCount = having.filter(one => one.found.has(kind)).length
      const placedCount = having.filter(one => one.placed.has(kind)).length
      const falseCount = having.reduce((sum, one) => sum + one.falseCount[kind], 0)
      return [
        kind,
        {
          recall: share(foundCount, having.length),
          placed: share(placedCount, foundCount),
          precision: share(foundCount, foundCount + falseCount),
        },
      ]
    }),
  )
}
