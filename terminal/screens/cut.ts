import type { z } from 'zod'
import { ClipAcceptedSchema } from '../../contracts/clips.ts'
import { MediaEstimateSchema, MediaJobSchema } from '../../contracts/media-jobs.ts'
import type { Timeline } from '../../contracts/timeline.ts'
import type { Vod } from '../../contracts/vods.ts'
import { formatSubject, type Subject } from '../command/subject.ts'
import type { HttpResult } from '../net/http-client.ts'
import type { ReadResource } from '../net/resource-client.ts'
import { actInForm, type FormSpec, type FormState, openForm, spokenField, textIn, withProblem } from '../state/form.ts'
import { truncate } from '../text/width.ts'
import type { ColorRole } from '../theme/themes.ts'
import { drawForm } from '../widgets/form.ts'
import { ruleLine } from '../widgets/rule.ts'
import { shareBar } from '../widgets/share-bar.ts'
import {
  type CutScene,
  drawFrames,
  drawLoudness,
  drawMarks,
  drawMoments,
  drawRuler,
  drawScenes,
  drawStrip,
  drawWave,
} from './cut-draw.ts'
import { layoutCut, picturesOf, shapeOf } from './cut-layout.ts'
import {
  type CutPlace,
  cutStart,
  type MediaShape,
  mark,
  moveTo,
  nextEdge,
  pan,
  parseTimecode,
  playheadSec,
  sceneEdges,
  shuttle,
  silenceEdges,
  snap,
  timecode,
  undo,
  windowOf,
  withMarks,
  zoom,
} from './cut-state.ts'
import { centredForm, pressInForm } from './form-place.ts'
import { joinLine } from './join-line.ts'
import { noSubjectBox, noticeBox } from './live-notice.ts'
import { clockText } from './measure-text.ts'
import { sourceForm } from './media.ts'
import { mediaJobResource, mediaPath, mediaResource, timelineResource } from './media-resources.ts'
import { noResourceBox } from './resource-notice.ts'
import { type ActionCall, type ScreenDeps, type ScreenView, screenFactory } from './screen.ts'
import { trendingText } from './trending-mark.ts'

type Level = 'keyframes' | 'full'

/** Narrower panes get the head in short words. */
const roomyWidth = 60
const titleWidthMin = 3

interface CutState {
  subject: Subject | null
  place: CutPlace
  options: { mode: 'exact' | 'keyframe'; isUpright: boolean; isAudioOnly: boolean }
  momentIndex: number | null
  analysis: Analysis
  /** What cutting would cost: the next Enter does it. Null when nothing has been asked, or it has changed since. */
  order: Price | null
  form: { kind: 'time' | 'source'; state: FormState } | null
}

/** `priced`: the next `a` begins it. */
type Analysis =
  | { status: 'none' }
  | { status: 'asked' }
  | { status: 'priced'; level: Level; price: Price }
  | { status: 'begun'; level: Level; jobId: string; before: string | null }

type Price = z.output<typeof MediaEstimateSchema>

/** The editor: frames over sound, marks, and what comes of them. */
export const cutFactory = screenFactory<CutState>({
  fn: 'CUT',
  contexts: ['cut'],
  open: ({ subject }) => ({
    subject,
    place: cutStart,
    options: { mode: 'exact', isUpright: false, isAudioOnly: false },
    momentIndex: null,
    analysis: { status: 'none' },
    order: null,
    form: null,
  }),
  title: ({ subject }) => (subject === null ? 'CUT' : `${formatSubject(subject)} CUT`),
  queries: () => [],
  resources(state, read) {
    const vodId = vodIdOf(state)
    return vodId === null ? [] : [mediaResource(vodId), ...analysisResources(state.analysis, read)]
  },
  pictures(state, view) {
    const vod = vodOf(state, view)
    if (vod === null || state.form !== null) return []
    return picturesOf(vod.vodId, state.place, { layout: layoutCut(view, vod.media), shape: shapeOf(vod.media) })
  },
  isMoving: ({ place }) => place.speed !== 0,
  isTyping: ({ form }) => form !== null,
  cursor: (state, view) => (state.form === null ? null : placeForm(state.form, view).cursor),
  spoken: ({ form }) => (form === null ? '' : spokenField(specOf(form.kind), form.state)),
  draw: drawCut,
  act(state, call, deps) {
    if (call.name === 'answer' && call.answer !== undefined) return answered(state, call.answer, deps)
    return state.form === null ? actInCut(state, call, deps) : actInTyping(state, state.form, call, deps)
  },
  subject: ({ subject }) => (subject?.type === 'clip' && subject.id.startsWith('own:') ? null : subject),
  copyText: (state, view) => timecode(playheadSec(state.place, shapeIn(state, view), view.nowMs)),
})

const jobResources = (jobId: string, read: ReadResource) =>
  read(mediaJobResource(jobId)).body?.status === 'done'
    ? [mediaJobResource(jobId), timelineResource(jobId)]
    : [mediaJobResource(jobId)]

function analysisResources(analysis: Analysis, read: ReadResource) {
  if (analysis.status !== 'begun') return []
  return [
    ...jobResources(analysis.jobId, read),
    ...(analysis.before === null ? [] : jobResources(analysis.before, read)),
  ]
}

function vodIdOf({ subject }: CutState): string | null {
  return subject?.type === 'clip' ? subject.id : null
}

function vodOf(state: CutState, { resource }: Pick<ScreenView, 'resource'>): Vod | null {
  const vodId = vodIdOf(state)
  return vodId === null ? null : resource(mediaResource(vodId)).body
}

function shapeIn(state: CutState, view: Pick<ScreenView, 'resource'>): MediaShape {
  const vod = vodOf(state, view)
  return vod === null ? { durationSec: 0, frameSec: 1 } : shapeOf(vod.media)
}

/** What the analysis found; while a finer one runs, what the one before found. */
function timelineOf({ analysis }: CutState, { resource }: Pick<ScreenView, 'resource'>): Timeline | null {
  if (analysis.status !== 'begun') return null
  const found = resource(timelineResource(analysis.jobId)).body
  const before = analysis.before === null ? null : resource(timelineResource(analysis.before)).body
  return (found ?? before)?.result ?? null
}

// Drawing

function drawCut(state: CutState, view: ScreenView): string[] {
  const vodId = vodIdOf(state)
  if (state.form !== null) return placeForm(state.form, view).lines
  if (vodId === null) {
    if (state.subject === null || state.subject.type === 'search') return noSubjectBox(view, 'CUT', state.subject)
    return noticeBox(view, {
      role: 'text',
      head: 'CUT what?',
      text: 'Clips are cut out of a video: choose one in MEDIA or VOD.',
    })
  }
  const found = view.resource(mediaResource(vodId))
  if (found.body === null) return drawWithoutMedia(view, found)
  const vod = found.body
  const scene: CutScene = {
    vodId,
    place: state.place,
    shape: shapeOf(vod.media),
    layout: layoutCut(view, vod.media),
    timeline: timelineOf(state, view),
    momentIndex: state.momentIndex,
  }
  const lines = [
    drawHead(state, vod, view),
    ...drawFrames(scene, view),
    drawMarks(scene, view),
    ...drawStrip(scene, view),
    ...drawWave(scene, view),
    drawLoudness(scene, view),
    drawScenes(scene, view),
    drawMoments(scene, view),
    drawRuler(scene, view),
  ]
  const foot = [drawMoment(state, scene, view), drawFoot(state, view)]
  lines.push(...drawMomentList(scene, { ...view, height: view.height - lines.length - foot.length }))
  const blank = ' '.repeat(view.width)
  const body = Array.from({ length: Math.max(0, view.height - foot.length) }, (_, y) => lines[y] ?? blank)
  return [...body, ...foot].slice(0, view.height)
}

function drawWithoutMedia(view: ScreenView, found: ReturnType<ScreenView['resource']>): string[] {
  if (found.status !== 'error') return noResourceBox(view, found, '')
  return noticeBox(view, {
    role: 'warn',
    head: 'No media yet',
    text: `${found.message} M attaches a file or an address that you may use.`,
  })
}

function drawHead(state: CutState, vod: Vod, view: ScreenView): string {
  const { style, width } = view
  const shape = shapeOf(vod.media)
  const { inSec, outSec } = state.place.marks
  const isNarrow = width < roomyWidth
  const { fromSec, toSec } = windowOf(state.place, shape)
  const zoomed = state.place.window === null ? '' : `zoom ${(toSec - fromSec).toFixed(toSec - fromSec < 10 ? 2 : 0)} s`
  const clock = timecode(playheadSec(state.place, shape, view.nowMs))
  const span = inSec !== null && outSec !== null ? `${(outSec - inSec).toFixed(3)} s${isNarrow ? '' : ' marked'}` : ''
  const options = optionsText(state, isNarrow)
  // Where one is, what is marked and how it will be cut can always be read; the title gets what is left.
  const spare = width - [clock, span, options].reduce((sum, text) => sum + text.length + 2, 0)
  const titleWidth = Math.max(titleWidthMin, Math.min(spare, Math.floor(width / 2)))
  return joinLine(
    [
      style.bold('title', ` ${truncate(vod.title || vod.sourceLabel, titleWidth, style.glyphs.ellipsis)}`),
      style.bold('accent', clock),
      style.paint('good', span),
      style.paint('muted', `of ${clockText(shape.durationSec)}`),
      style.paint('muted', zoomed),
      style.paint('up', trendingText(vod.trending)),
    ],
    style.paint('muted', options),
    width,
  )
}

function optionsText({ options }: CutState, isNarrow: boolean): string {
  const parts = [
    options.isAudioOnly ? (isNarrow ? 'sound' : 'sound alone') : '',
    options.isUpright && !options.isAudioOnly ? '9:16' : '',
    options.mode === 'exact' ? 'exact' : isNarrow ? 'keyframe' : 'from a keyframe',
  ]
  return `${parts.filter(part => part !== '').join(', ')} `
}

/** Suggested moments with their reasons, as far as there is room below the picture. */
function drawMomentList(scene: CutScene, view: ScreenView): string[] {
  const moments = scene.timeline?.moments ?? []
  const room = view.height - 2
  if (moments.length === 0 || room < 2) return []
  const { style, width } = view
  // The chosen one stays in sight.
  const first = Math.max(0, Math.min(moments.length - room, (scene.momentIndex ?? 0) - room + 1))
  const rows = moments.slice(first, first + room).map((moment, i) => {
    const isChosen = first + i === scene.momentIndex
    const span = `${timecode(moment.startSec)}  ${clockText(moment.endSec - moment.startSec).padStart(5)}`
    const text = ` ${String(first + i + 1).padStart(2)}  ${span}  ${String(Math.round(moment.score * 100)).padStart(3)}  ${moment.why}`
    return isChosen ? style.inverse(style.fit(text, width)) : style.paint('text', style.fit(text, width))
  })
  return [' '.repeat(width), ruleLine('SUGGESTED MOMENTS: WHERE, HOW LONG, SCORE OF 100, WHY', view), ...rows]
}

/** The chosen moment with its reason, or how far the analysis is. */
function drawMoment(state: CutState, scene: CutScene, view: ScreenView): string {
  const { style, width } = view
  const { analysis } = state
  const line = (role: ColorRole, text: string) => style.paint(role, style.fit(` ${text}`, width))
  if (analysis.status === 'asked') return line('muted', `${style.glyphs.ring} analysing: asked the server`)
  if (analysis.status === 'begun') {
    const { body: job } = view.resource(mediaJobResource(analysis.jobId))
    if (job?.status === 'failed')
      return line('error', `! The analysis failed: ${job.error?.message ?? 'no reason was given.'}`)
    if (job === null || job.status === 'queued' || job.status === 'running') return analysingLine(job, view)
  }
  const moment = scene.timeline?.moments[state.momentIndex ?? -1]
  const score = moment === undefined ? 0 : Math.round(moment.score * 100)
  if (moment !== undefined)
    return line('subject', `Moment ${(state.momentIndex ?? 0) + 1}, ${score} of 100: ${moment.why}`)
  if (scene.timeline === null) return line('muted', '')
  const { length: count } = scene.timeline.moments
  if (count === 0) return line('muted', 'No moment stands out.')
  return line(
    'muted',
    count === 1 ? 'One suggested moment: n marks it' : `${count} suggested moments: n marks the next one`,
  )
}

function analysingLine(job: { status: string; progress: number } | null, { style, width }: ScreenView): string {
  const bar = shareBar(job?.progress ?? 0, Math.min(24, Math.max(4, width - 40)), style.isAscii)
  const words = job?.status === 'running' ? `${Math.round(job.progress * 100)} %` : 'waiting for its turn'
  return joinLine(
    [
      ` ${style.paint('accent', bar.full)}${style.paint('faint', bar.empty)}`,
      style.paint('muted', `analysing: ${words}`),
    ],
    '',
    width,
  )
}

function drawFoot(state: CutState, view: ScreenView): string {
  const { style, width } = view
  if (state.order !== null)
    return style.paint(
      'warn',
      style.fit(` ! ${priceText(state.order)} Enter again cuts, any other key goes on.`, width),
    )
  if (state.analysis.status === 'priced')
    return style.paint('warn', style.fit(` ! Analysing: ${priceText(state.analysis.price)} a again begins.`, width))
  const hints = 'i in  o out  j k l run  arrows frame  [ ] scene  + - zoom  s snap  n moment  Enter cuts  ? keys '
  return style.paint('muted', style.fit(` ${hints}`, width))
}

function priceText({ cpuSeconds, credits, isStored }: Price): string {
  if (isStored) return 'This was made before and costs nothing again.'
  return `About ${Math.max(1, Math.round(cpuSeconds))} s of work, ${credits} ${credits === 1 ? 'credit' : 'credits'}.`
}

// Acting

function actInCut(state: CutState, call: ActionCall, deps: ScreenDeps): CutState | null {
  const vod = vodOf(state, deps)
  if (vod === null) return call.name === 'cut.attach' ? withForm(state, 'source') : null
  // What has been priced is what is marked now.
  const open = call.name === 'cut.order' ? state : { ...state, order: null }
  const settled =
    call.name === 'cut.analyse' || open.analysis.status !== 'priced' ? open : withAnalysis(open, { status: 'none' })
  const shape = shapeOf(vod.media)
  const place = moved(settled, call, { deps, shape })
  if (place !== null) return { ...settled, place }
  switch (call.name) {
    case 'cut.momentNext':
      return chooseMoment(settled, 1, { deps, shape })
    case 'cut.momentBack':
      return chooseMoment(settled, -1, { deps, shape })
    case 'cut.mode':
      return withOptions(settled, { mode: settled.options.mode === 'exact' ? 'keyframe' : 'exact' })
    case 'cut.crop':
      return withOptions(settled, { isUpright: !settled.options.isUpright })
    case 'cut.sound':
      return withOptions(settled, { isAudioOnly: !settled.options.isAudioOnly })
    case 'cut.time':
      return withForm(settled, 'time')
    case 'cut.attach':
      return withForm(settled, 'source')
    case 'cut.analyse':
      return analyse(settled, vod.vodId, deps)
    case 'cut.order':
      return orderClip(settled, vod.vodId, deps)
    case 'cut.clips':
      deps.run('CLIPS')
      return settled
    case 'back':
      return state.order === null && state.analysis.status !== 'priced' ? null : settled
    default:
      return null
  }
}

/** Where an action takes the playhead, the strip or the marks; null for an action that does none of it. */
function moved(
  state: CutState,
  call: ActionCall,
  { deps, shape }: { deps: ScreenDeps; shape: MediaShape },
): CutPlace | null {
  const { place } = state
  const nowSec = playheadSec(place, shape, deps.nowMs)
  const by = (sec: number) => moveTo(place, shape, nowSec + sec)
  const toEdge = (edgesOf: (timeline: Timeline) => number[], way: -1 | 1) => {
    const timeline = timelineOf(state, deps)
    if (timeline === null) deps.say('Nothing is known of scenes and silences yet: a analyses this video.')
    const edge = timeline === null ? null : nextEdge(edgesOf(timeline), nowSec, way)
    return edge === null ? place : moveTo(place, shape, edge)
  }
  switch (call.name) {
    case 'cut.in':
      return mark(by(0), 'in', nowSec)
    case 'cut.out':
      return mark(by(0), 'out', nowSec)
    case 'cut.runBack':
      return shuttle(place, shape, -1, deps.nowMs)
    case 'cut.stop':
      return shuttle(place, shape, 0, deps.nowMs)
    case 'cut.run':
      return shuttle(place, shape, 1, deps.nowMs)
    case 'cut.frameBack':
      return by(-shape.frameSec)
    case 'cut.frameNext':
      return by(shape.frameSec)
    case 'cut.secondBack':
      return by(-1)
    case 'cut.secondNext':
      return by(1)
    case 'cut.sceneBack':
      return toEdge(sceneEdges, -1)
    case 'cut.sceneNext':
      return toEdge(sceneEdges, 1)
    case 'cut.silenceBack':
      return toEdge(silenceEdges, -1)
    case 'cut.silenceNext':
      return toEdge(silenceEdges, 1)
    case 'cut.first':
      return moveTo(place, shape, 0)
    case 'cut.last':
      return moveTo(place, shape, shape.durationSec)
    case 'cut.zoomIn':
      return zoom(by(0), shape, 0.5)
    case 'cut.zoomOut':
      return zoom(by(0), shape, 2)
    case 'cut.whole':
      return { ...place, window: null }
    case 'cut.panBack':
      return pan(place, shape, -0.5)
    case 'cut.panNext':
      return pan(place, shape, 0.5)
    case 'cut.undo':
      return undo(place)
    case 'cut.snap': {
      const timeline = timelineOf(state, deps)
      if (timeline === null) deps.say('Nothing is known of scenes and silences yet: a analyses this video.')
      return timeline === null ? place : snap(place, timeline)
    }
    case 'pointer.press': {
      const { fromSec, toSec } = windowOf(place, shape)
      return moveTo(place, shape, fromSec + (((call.at?.x ?? 0) + 0.5) / deps.width) * (toSec - fromSec))
    }
    default:
      return null
  }
}

/** The next or last moment in the order of the list, with its ends marked and the playhead at its beginning. */
function chooseMoment(state: CutState, by: -1 | 1, { deps, shape }: { deps: ScreenDeps; shape: MediaShape }): CutState {
  const moments = timelineOf(state, deps)?.moments ?? []
  if (moments.length === 0) {
    deps.say('There are no suggested moments yet: a analyses this video.')
    return state
  }
  const start = state.momentIndex ?? (by > 0 ? -1 : moments.length)
  const momentIndex = (start + by + moments.length) % moments.length
  const moment = moments[momentIndex]
  if (moment === undefined) return state
  const marked = withMarks(state.place, { inSec: moment.startSec, outSec: moment.endSec })
  return { ...state, momentIndex, place: moveTo(marked, shape, moment.startSec) }
}

function withOptions(state: CutState, part: Partial<CutState['options']>): CutState {
  return { ...state, options: { ...state.options, ...part } }
}

function withAnalysis(state: CutState, analysis: Analysis): CutState {
  return { ...state, analysis }
}

/** The first time at keyframes; once that is done, of every frame. What costs something is said first. */
function analyse(state: CutState, vodId: string, deps: ScreenDeps): CutState {
  const { analysis } = state
  if (analysis.status === 'asked') return state
  if (analysis.status === 'priced') return beginAnalysis(state, { vodId, level: analysis.level }, deps)
  const isDone = analysis.status === 'begun' && timelineOf(state, deps) !== null
  if (analysis.status === 'begun' && (!isDone || analysis.level === 'full')) {
    deps.say(isDone ? 'Every frame has been analysed.' : 'The analysis is under way.')
    return state
  }
  const level: Level = isDone ? 'full' : 'keyframes'
  // Whoever runs the server pays nobody.
  if (deps.account === null) return beginAnalysis(state, { vodId, level }, deps)
  deps.ask(`price ${level}`, deps.http.post('/api/media/estimate', analysisOf(vodId, level)))
  return state
}

function beginAnalysis(state: CutState, { vodId, level }: { vodId: string; level: Level }, deps: ScreenDeps): CutState {
  deps.ask(`analyse ${level}`, deps.http.post('/api/media/jobs', analysisOf(vodId, level)))
  // What is known stays until more is.
  return state.analysis.status === 'begun' ? state : withAnalysis(state, { status: 'asked' })
}

function analysisOf(vodId: string, level: Level) {
  return { type: 'timeline/analyze', input: { vodId }, params: { level } }
}

function orderClip(state: CutState, vodId: string, deps: ScreenDeps): CutState {
  const { inSec, outSec } = state.place.marks
  if (inSec === null || outSec === null) {
    deps.say('Mark the beginning with i and the end with o first; t goes to a timecode.')
    return state
  }
  const span = { startTime: inSec, endTime: outSec }
  const { mode, isUpright, isAudioOnly } = state.options
  const options = isAudioOnly
    ? { mode, isAudioOnly, container: 'm4a' }
    : { mode, ...(isUpright ? { crop: '9:16' } : {}) }
  if (state.order === null) {
    const params = { segments: [span], ...options }
    deps.ask('order', deps.http.post('/api/media/estimate', { type: 'video/clips', input: { vodId }, params }))
    return state
  }
  deps.ask('clip', deps.http.post('/api/clips/request', { vodId, ...span, ...options }))
  return { ...state, order: null }
}

function answered(state: CutState, { tag, result }: { tag: string; result: HttpResult }, deps: ScreenDeps): CutState {
  const [what, level] = tag.split(' ')
  if (what === 'attach') return attached(state, result, deps)
  const isFull = level === 'full'
  if (!result.ok) {
    deps.say(result.message)
    return state.analysis.status === 'asked' ? withAnalysis(state, { status: 'none' }) : state
  }
  switch (what) {
    case 'order': {
      const price = MediaEstimateSchema.safeParse(result.body)
      return price.success ? { ...state, order: price.data } : unread(state, deps)
    }
    case 'price': {
      const price = MediaEstimateSchema.safeParse(result.body)
      if (!price.success) return unread(state, deps)
      const asked: Level = isFull ? 'full' : 'keyframes'
      const vodId = vodIdOf(state)
      if (price.data.isStored && vodId !== null) return beginAnalysis(state, { vodId, level: asked }, deps)
      return withAnalysis(state, { status: 'priced', level: asked, price: price.data })
    }
    case 'analyse': {
      const job = MediaJobSchema.safeParse(result.body)
      if (!job.success) return unread(state, deps)
      const before = state.analysis.status === 'begun' ? state.analysis.jobId : null
      return withAnalysis(state, {
        status: 'begun',
        level: isFull ? 'full' : 'keyframes',
        jobId: job.data.jobId,
        before,
      })
    }
    case 'clip': {
      const clip = ClipAcceptedSchema.safeParse(result.body)
      if (!clip.success) return unread(state, deps)
      deps.say(
        clip.data.status === 'ready'
          ? 'This clip is there already: C shows it.'
          : 'The clip is being cut: C shows how it goes.',
      )
      deps.refresh('/api/clips')
      return state
    }
    default:
      return state
  }
}

function unread(state: CutState, deps: ScreenDeps): CutState {
  deps.say("The server's answer was not understood: it may be of another version.")
  return state
}

// Typing

const timeForm: FormSpec = {
  fields: [
    {
      kind: 'text',
      name: 'time',
      label: 'Timecode',
      hint: '1:02:03.5',
      lengthMax: 20,
      check: text => (parseTimecode(text) === null ? 'A timecode looks like 1:02:03.5, 2:03 or 75.25.' : null),
    },
    { kind: 'button', name: 'go', label: 'Go there' },
  ],
  submit: 'go',
}

function specOf(kind: 'time' | 'source'): FormSpec {
  return kind === 'time' ? timeForm : sourceForm
}

function withForm(state: CutState, kind: 'time' | 'source'): CutState {
  return { ...state, form: { kind, state: openForm(specOf(kind)) } }
}

function placeForm({ kind, state }: NonNullable<CutState['form']>, view: ScreenView) {
  const head = kind === 'time' ? 'Go to a timecode' : 'Attach media that you may use'
  return centredForm(view, [{ text: head, role: 'title', isTitle: true }], room =>
    drawForm(specOf(kind), state, { ...room, style: view.style }),
  )
}

function actInTyping(
  state: CutState,
  form: NonNullable<CutState['form']>,
  call: ActionCall,
  deps: ScreenDeps,
): CutState | null {
  if (call.name === 'form.cancel' || call.name === 'back') return { ...state, form: null }
  const spec = specOf(form.kind)
  const pressed = call.name === 'pointer.press' ? pressInForm(spec, form.state, call, placeForm(form, deps)) : null
  const acted = actInForm(spec, pressed?.form ?? form.state, pressed?.call ?? call)
  if (acted === null) return null
  if (acted.pressed === 'cancel') return { ...state, form: null }
  if (acted.pressed !== spec.submit) return { ...state, form: { ...form, state: acted.state } }
  if (form.kind === 'time') {
    const place = moveTo(state.place, shapeIn(state, deps), parseTimecode(textIn(acted.state, 'time')) ?? 0)
    return { ...state, place, form: null }
  }
  const vodId = vodIdOf(state)
  if (vodId === null) return state
  deps.ask('attach', deps.http.post(`${mediaPath(vodId)}/source`, { source: textIn(acted.state, 'source').trim() }))
  return { ...state, form: { ...form, state: { ...acted.state, isBusy: true } } }
}

/** A refusal stays in the form with what was typed. */
function attached(state: CutState, result: HttpResult, deps: ScreenDeps): CutState {
  if (!result.ok) {
    const { form } = state
    return form === null
      ? state
      : { ...state, form: { ...form, state: withProblem(form.state, result.message, 'source') } }
  }
  deps.refresh('/api/vods')
  deps.say('The media is attached.')
  return { ...state, form: null, place: cutStart, analysis: { status: 'none' }, momentIndex: null, order: null }
}
