import type { Platform } from '../../contracts/ids.ts'
import type { LinkState, StartedLink } from '../../contracts/platform-accounts.ts'
import { type FormSpec, type FormState, openForm } from '../state/form.ts'
import { formatSpan } from '../text/format.ts'
import { chunk, padLine, wrap } from '../text/width.ts'
import { type DrawnForm, drawForm } from '../widgets/form.ts'
import { type DrawnCode, drawQr, type QrModules, qrModules, qrRoom } from '../widgets/qr-code.ts'
import { platformTitles } from './credential-kinds.ts'
import { centredForm, type FormHead } from './form-place.ts'
import { linkResource } from './platform-resources.ts'
import type { ScreenView } from './screen.ts'

// Linking an account, as the terminal sees it: the browser is on the platform's page, here or on another machine. The server
// says how it goes; where the browser does not find its way back, the address that it ended on is pasted.

/** A link that is under way. */
export interface OpenLink {
  platform: Platform
  started: StartedLink
  /** Whether a browser was opened here; null while that is being tried. */
  isBrowserOpen: boolean | null
  form: FormState
  /** Of the address that a phone opens; null when no code holds it. */
  code: QrModules | null
  /** The code has the screen to itself. */
  isCodeShown: boolean
}

/** The link as it is when the server has just begun it. */
export function openLink(platform: Platform, started: StartedLink): OpenLink {
  const code = qrModules(addressForPhones(started))
  return { platform, started, isBrowserOpen: null, form: openForm(linkSpec), code, isCodeShown: false }
}

/** A phone that reaches the server takes the short address; the page of the platform can be opened from anywhere. */
function addressForPhones({ shortUrl, authorizationUrl }: StartedLink): string {
  return shortUrl ?? authorizationUrl
}

export const linkSpec: FormSpec = {
  fields: [
    {
      kind: 'text',
      name: 'address',
      label: 'Address',
      hint: 'where the browser ended, if it did not come back',
      lengthMax: 16_000,
      check: text => (text.trim() === '' ? 'Paste the address that the browser ended on.' : null),
    },
    { kind: 'button', name: 'take', label: 'Use this address' },
    { kind: 'button', name: 'copy', label: 'Copy the link' },
    { kind: 'button', name: 'code', label: 'QR code' },
    { kind: 'button', name: 'open', label: 'Open the browser' },
    { kind: 'button', name: 'back', label: 'Back' },
  ],
  submit: 'take',
}

/** What the server says of the link; null before it has. */
export function progressOf(link: OpenLink, view: Pick<ScreenView, 'resource'>): LinkState | null {
  return view.resource(linkResource(link.started.linkId)).body
}

/** The body of the screen while an account is being linked. */
export function placeLink(link: OpenLink, view: ScreenView): DrawnForm {
  if (link.isCodeShown) return { lines: drawCodeAlone(link, view), cursor: null, focusY: 0, targets: [] }
  const place = (area: Pick<ScreenView, 'width' | 'height' | 'style'>) =>
    centredForm(area, headOf(link, view), room => drawForm(linkSpec, link.form, { ...room, style: view.style }))
  const code = link.isBrowserOpen === false ? codeBelow(link, view) : null
  if (code === null) return place(view)
  const form = place({ ...view, height: formLines(link, view) })
  const left = Math.floor((view.width - code.width) / 2)
  const lines = code.lines.map(line => padLine(' '.repeat(left) + line, view.width))
  return { ...form, lines: fillLines([...form.lines, ...lines], view) }
}

/**
 * The link when no browser could be opened here: a phone can go on with the short address, whose code is shown at once,
 * below the form or, where there is no room for both, alone.
 */
export function withoutBrowser(link: OpenLink, view: ScreenView): OpenLink {
  const isFirst = link.isBrowserOpen === null
  const fitsAlone =
    link.code !== null && drawQr(link.code, { columns: view.width, rows: view.height }, view.style) !== null
  const isCodeShown = isFirst && link.started.shortUrl !== null && fitsAlone && codeBelow(link, view) === null
  return { ...link, isBrowserOpen: false, isCodeShown }
}

/** The code as it fits below the form; null where there is no room for both. */
function codeBelow(link: OpenLink, view: ScreenView): DrawnCode | null {
  const rows = view.height - formLines(link, view)
  return link.code === null ? null : drawQr(link.code, { columns: view.width, rows }, view.style)
}

/** How many lines the form takes when nothing limits it. */
function formLines(link: OpenLink, view: ScreenView): number {
  const drawn = centredForm({ ...view, height: 200 }, headOf(link, view), room =>
    drawForm(linkSpec, link.form, { ...room, style: view.style }),
  )
  return drawn.lines.findLastIndex(line => line.trim() !== '') + 2
}

/** The code on the left, and beside it what to do; or how much room it takes, where there is too little. */
function drawCodeAlone(link: OpenLink, view: ScreenView): string[] {
  const { style, width, height } = view
  const code = link.code === null ? null : drawQr(link.code, { columns: width, rows: height }, style)
  const textWidth = width - (code?.width ?? 0) - 3
  const told = progressSentence(link, view) ?? { text: codeSentence(link, view, code !== null), role: 'text' as const }
  const text =
    textWidth < 12
      ? []
      : [
          style.bold('title', style.fit(`Link an account of ${platformTitles[link.platform]}`, textWidth)),
          '',
          ...wrap(told.text, textWidth).map(line => style.paint(told.role, line)),
          '',
          ...(code === null ? [] : chunk(addressForPhones(link.started), textWidth)).map(line =>
            style.paint('accent', line),
          ),
          '',
          style.paint('muted', style.fit('Enter goes back to the form.', textWidth)),
        ]
  const lines = Array.from({ length: Math.max(code?.lines.length ?? 0, text.length) }, (_, y) =>
    padLine(`${code?.lines[y] ?? ' '.repeat(code?.width ?? 0)}  ${text[y] ?? ''}`, width),
  )
  return fillLines(lines, view)
}

function codeSentence({ code, started }: OpenLink, { style, width, height }: ScreenView, isShown: boolean): string {
  if (code === null) return 'The address is too long for a QR code: copy the link instead.'
  const { columns, rows } = qrRoom(code, style.isAscii)
  if (!isShown)
    return `The QR code takes ${columns} columns and ${rows} lines, and there are ${width} and ${height}: make the window larger, or copy the link.`
  const end =
    started.comesBack && started.shortUrl !== null
      ? 'This screen follows by itself.'
      : 'It ends on a page that does not load: paste the address of that page into the form.'
  return `Scan it with a phone, or open the address in a browser, and go on there. ${end}`
}

function fillLines(lines: readonly string[], { width, height }: ScreenView): string[] {
  return Array.from({ length: height }, (_, y) => lines[y] ?? ' '.repeat(width))
}

/** What the server says of the link, once there is something to say. */
export function progressSentence(link: OpenLink, view: Pick<ScreenView, 'resource'>): FormHead | null {
  const progress = progressOf(link, view)
  if (progress?.status === 'connected') return { text: 'Done: the account is linked. Any key goes back.', role: 'good' }
  if (progress?.status === 'failed')
    return {
      text: `! ${progress.reason ?? 'The account was not linked.'} Esc goes back; l starts again.`,
      role: 'error',
    }
  if (progress?.status === 'exchanging') return { text: 'The browser came back: asking the platform.', role: 'good' }
  return null
}

/** What is said of the link above the form, without the address. */
function linkSentence(link: OpenLink, view: Pick<ScreenView, 'resource' | 'nowMs'>): FormHead {
  const told = progressSentence(link, view)
  if (told !== null) return told
  const leftMs = Date.parse(link.started.expiresAt) - view.nowMs
  if (leftMs <= 0) return { text: '! This link has ended. Esc goes back; l starts another.', role: 'error' }
  const open =
    link.isBrowserOpen === true ? 'The browser was opened: go on there.' : 'Open the link below in a browser.'
  const end = link.started.comesBack
    ? 'This screen follows by itself; if the last page does not load, paste its address here.'
    : 'It ends on a page that does not load: paste the address of that page here.'
  return { text: `${open} ${end} The link is good for ${formatSpan(leftMs)}.`, role: 'text' }
}

function headOf(link: OpenLink, view: ScreenView): FormHead[] {
  const { started, platform } = link
  return [
    { text: `Link an account of ${platformTitles[platform]}`, role: 'title', isTitle: true },
    linkSentence(link, view),
    { text: started.authorizationUrl, role: 'accent', hasWords: false },
    { text: 'Redirect address to register with the platform:', role: 'muted' },
    { text: started.redirectUri, role: 'muted', hasWords: false },
  ]
}
