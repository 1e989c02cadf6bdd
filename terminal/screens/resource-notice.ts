import type { Resource } from '../net/resource-client.ts'
import { truncate } from '../text/width.ts'
import { noticeBox } from './live-notice.ts'
import type { ScreenView } from './screen.ts'

type Area = Pick<ScreenView, 'width' | 'height' | 'style' | 'nowMs'>

/** What to show instead of a resource that has no rows: loading, refused and empty each look different. */
export function noResourceBox(area: Area, resource: Resource, emptyText: string): string[] {
  const { glyphs } = area.style
  if (resource.status === 'error') return noticeBox(area, { role: 'error', head: '! Refused', text: resource.message })
  if (resource.status === 'loading')
    return noticeBox(area, { role: 'muted', head: `${glyphs.ring} Loading`, text: 'asked the server' })
  return noticeBox(area, { role: 'text', head: `${glyphs.flat} Nothing here`, text: emptyText })
}

/** Painted words about a resource whose last renewal failed; empty when it did not. */
export function failedMark(area: Pick<Area, 'style'>, ...resources: readonly Resource[]): string {
  const failed = resources.find(each => each.status === 'error')
  return failed === undefined ? '' : area.style.paint('error', `! ${failed.message}`)
}

/** The same of one resource, for the beginning of a line: cut to the area. */
export function failedStart({ style, width }: Pick<Area, 'style' | 'width'>, resource: Resource): string {
  if (resource.status !== 'error') return ''
  return style.paint('error', truncate(` ! ${resource.message}`, width, style.glyphs.ellipsis))
}
