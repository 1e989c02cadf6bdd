const esc = '\u001b'

/**
 * Takes the terminal over: alternate screen, no cursor, pastes marked as such, and no wrapping: in the moment between a
 * resize and the frame that knows of it, a line that is too long must not push the others away.
 */
export const enterScreen = `${esc}[?1049h${esc}[?25l${esc}[?7l${esc}[?2004h`

/** Mouse reports on or off: presses, drags and the wheel, in the form that has no limit of columns. */
export function mouseMode(isOn: boolean): string {
  return isOn ? `${esc}[?1002h${esc}[?1006h` : `${esc}[?1002l${esc}[?1006l`
}

/** Gives the terminal back as it was, whatever was switched on. Safe to write more than once, and after a crash. */
export const leaveScreen = `${esc}[?2026l${mouseMode(false)}${esc}[?2004l${esc}[?7h${esc}[0m${esc}[?25h${esc}[?1049l`

/**
 * The end of a terminal that is known to be on its alternate screen. It is emptied first: tmux, when its window has grown
 * meanwhile, moves lines of it into what the user sees afterwards.
 */
export const endScreen = `${esc}[0m${esc}[2J${leaveScreen}`

/** Puts a text on the clipboard of the terminal (OSC 52). */
export function clipboardText(text: string): string {
  return `${esc}]52;c;${Buffer.from(text).toString('base64')}\u0007`
}

/** Rings the terminal's bell; with a text the desktop is notified as well, where the terminal knows how (OSC 9). */
export function bellText(notification: string | null): string {
  return notification === null ? '\u0007' : `\u0007${esc}]9;${notification}\u0007`
}
