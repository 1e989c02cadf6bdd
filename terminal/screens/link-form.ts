import type { Platform } from '../../contracts/ids.ts'
import type { LinkState, StartedLink } from '../../contracts/platform-accounts.ts'
import type { FormSpec, FormState } from '../state/form.ts'
import { formatSpan } from '../text/format.ts'
import { type DrawnForm, drawForm } from '../widgets/form.ts'
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
  return centredForm(view, headOf(link, view), room => drawForm(linkSpec, link.form, { ...room, style: view.style }))
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
