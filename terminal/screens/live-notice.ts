import type { Subject } from '../command/subject.ts'
import type { LiveState } from '../state/live-data.ts'
import { formatSpan } from '../text/format.ts'
import { wrap } from '../text/width.ts'
import type { ColorRole } from '../theme/themes.ts'
import type { ScreenView } from './screen.ts'

type Area = Pick<ScreenView, 'width' | 'height' | 'style' | 'nowMs'>

/**
 * What to show instead of rows when there are none: loading, refused, disconnected and empty each look different. Exactly
 * `height` lines of `width` cells.
 */
export function noRowsBox(area: Area, snapshot: LiveState, emptyText: string): string[] {
  return noticeBox(area, noRowsText(area, snapshot, emptyText))
}

export interface Notice {
  role: ColorRole
  head: string
  text: string
}

/** A head and a few words in the middle of an area: exactly `height` lines of `width` cells. */
export function noticeBox(area: Area, { role, head, text }: Notice): string[] {
  const words = wrap(text, Math.max(1, area.width - 4))
  const lines = [
    area.style.bold(role, area.style.fit(head, area.width, 'center')),
    ...words.map(line => area.style.paint('muted', area.style.fit(line, area.width, 'center'))),
  ].slice(0, area.height)
  const above = Math.max(0, Math.floor((area.height - lines.length) / 2))
  const blank = ' '.repeat(area.width)
  return Array.from({ length: area.height }, (_, y) => lines[y - above] ?? blank)
}

function noRowsText(
  area: Area,
  snapshot: LiveState,
  emptyText: string,
): { role: ColorRole; head: string; text: string } {
  const { glyphs } = area.style
  const sinceText = formatSpan(area.nowMs - snapshot.statusSinceMs)
  switch (snapshot.status) {
    case 'loading':
      return { role: 'muted', head: `${glyphs.ring} Loading`, text: `asked ${sinceText} ago` }
    case 'error':
      return { role: 'error', head: '! Refused', text: snapshot.message }
    case 'disconnected':
      return {
        role: 'error',
        head: 'x Disconnected',
        text: snapshot.message || 'The server is not there; trying again.',
      }
    case 'stale':
      return { role: 'warn', head: `${glyphs.ring} Stale`, text: `Nothing heard for ${sinceText}.` }
    case 'live':
      return { role: 'text', head: `${glyphs.flat} Nothing here`, text: emptyText }
  }
}

/** What a screen about a subject shows while it has none: how to give it one. */
export function noSubjectBox(area: Area, fn: string, subject: Subject | null): string[] {
  if (subject?.type === 'search')
    return noticeBox(area, {
      role: 'muted',
      head: `Looking for ${subject.text}`,
      text: 'A name has to be found before it can be shown.',
    })
  const text = `Select a row in another pane, or type a subject before ${fn}: @creator, #topic or a clip's id.`
  return noticeBox(area, { role: 'title', head: `${fn} of what?`, text })
}

/** A few words about rows that are not live, painted; empty when they are. */
export function notLiveMark(area: Area, snapshot: LiveState): string {
  const sinceText = formatSpan(area.nowMs - snapshot.statusSinceMs)
  switch (snapshot.status) {
    case 'live':
      return ''
    case 'loading':
      return area.style.paint('muted', 'loading')
    case 'stale':
      return area.style.paint('warn', `STALE ${sinceText}`)
    case 'disconnected':
      return area.style.paint('error', `DISCONNECTED ${sinceText}, last known`)
    case 'error':
      return area.style.paint('error', `REFUSED: ${snapshot.message}`)
  }
}
