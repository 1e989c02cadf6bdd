import type { WorldStatus } from '../../contracts/ws.ts'
import type { Connection } from '../net/live-client.ts'
import { joinLine } from '../screens/join-line.ts'
import { formatInstant } from '../text/format.ts'
import { truncate } from '../text/width.ts'
import type { Style } from '../theme/style.ts'

export interface HeaderOptions {
  width: number
  style: Style
  connection: Connection
  world: WorldStatus | null
  dataNowMs: number
  nowMs: number
  /** What an alert has just told. */
  alert: string | null
  /** Firings that nobody has looked at. */
  unseenAlerts: number
}

/** Two lines: who we are, the connection and the clocks; and what the numbers are, in plain words. */
export function drawHeader(options: HeaderOptions): string[] {
  const { style, width, world, dataNowMs, nowMs } = options
  const speed = world === null || world.speed === 1 ? '' : ` x${world.speed}`
  const dataClock = style.paint('accent', `DATA ${formatInstant(dataNowMs, true)}${speed}`)
  const wallClock = style.paint('muted', `${formatInstant(nowMs, true).slice(11)} UTC`)
  const name = style.inverse(style.bold('title', ' CLIPTAPE '))
  const clocks = width >= 78 ? `${dataClock}  ${wallClock} ` : `${dataClock} `
  const first =
    options.alert === null || style.isReducedMotion
      ? joinLine([name, connectionText(options), unseenText(options)], clocks, width)
      : style.inverse(style.bold('warn', style.fit(` ! ALERT  ${options.alert}`, width)))
  return [first, provenanceLine(options)]
}

/** Stands there until somebody looks at what fired. */
function unseenText({ style, width, unseenAlerts }: HeaderOptions): string {
  if (unseenAlerts === 0) return ''
  const named = `! ${unseenAlerts} ${unseenAlerts === 1 ? 'ALERT' : 'ALERTS'}`
  return style.bold('warn', width >= 78 ? named : `!${unseenAlerts}`)
}

function connectionText({ style, connection, nowMs }: HeaderOptions): string {
  const { glyphs } = style
  switch (connection.status) {
    case 'open':
      return style.bold('good', `${glyphs.dot} CONNECTED`)
    case 'connecting':
      return style.paint('warn', `${glyphs.ring} CONNECTING`)
    case 'signedOut':
      return style.paint('warn', `${glyphs.ring} SIGNED OUT`)
    case 'silent':
      return style.bold('warn', '! STALE')
    case 'closed': {
      const waitSeconds = connection.retryAtMs === null ? 0 : Math.ceil((connection.retryAtMs - nowMs) / 1000)
      return style.bold('error', `x DISCONNECTED${waitSeconds > 0 ? `, again in ${waitSeconds}s` : ''}`)
    }
  }
}

/** A replay can never be taken for the market: its notice stands here for as long as it runs. */
function provenanceLine({ style, width, world, connection }: HeaderOptions): string {
  if (world === null) {
    const isOut = connection.status === 'closed' || connection.status === 'signedOut'
    const text = isOut ? connection.message : 'Asking the server what its numbers are…'
    return style.paint('muted', style.fit(` ${text}`, width))
  }
  if (world.mode === 'live') {
    const sources = world.sources.length === 0 ? 'none yet' : world.sources.join(', ')
    return style.paint('muted', style.fit(` ${world.notice || `Sources: ${sources}`}`, width))
  }
  const label = { replay: ' NOT LIVE ', history: ' HISTORY ', empty: ' NO DATA ' }[world.mode]
  const notice = truncate(world.notice, Math.max(0, width - label.length - 2), style.glyphs.ellipsis)
  return joinLine([style.inverse(style.bold('warn', label)), style.paint('warn', notice)], '', width)
}
