/** Where past commands are kept between sessions. A failed save is the port's to report. */
export interface HistoryStore {
  /** Past commands, oldest first. */
  load(): readonly string[]
  save(commands: readonly string[]): void
}

/** Most commands kept. The oldest go first. */
export const historyMax = 500

/**
 * The commands of this and earlier sessions. Every command stands in it once, at its latest use; `older` and `newer` walk
 * through it from a cursor that `add` and `rewind` put behind the end.
 */
export interface CommandHistory {
  /** Oldest first. */
  entries(): readonly string[]
  add(command: string): void
  /** The next older command that starts with `prefix` (any case), or null at the end; the first call starts the walk. */
  older(prefix: string): string | null
  /** The next newer one of the walk, or null when the walk is back where it began. */
  newer(prefix: string): string | null
  rewind(): void
  /** Commands that contain `text` (any case), newest first: what Ctrl-R shows. */
  search(text: string): string[]
}

/** Opens the history. Entries that are empty, too long or hold control characters are left out. */
export function openHistory(store: HistoryStore): CommandHistory {
  const commands = unique(store.load().filter(isKeepable))
  let cursor = commands.length
  const step = (prefix: string, by: 1 | -1): string | null => {
    const wanted = prefix.toLowerCase()
    for (let i = cursor + by; i >= 0 && i < commands.length; i += by) {
      const command = commands[i]
      if (command?.toLowerCase().startsWith(wanted)) {
        cursor = i
        return command
      }
    }
    if (by === 1) cursor = commands.length
    return null
  }
  return {
    entries: () => commands,
    add(command) {
      const text = command.trim()
      if (isKeepable(text)) {
        const known = commands.indexOf(text)
        if (known >= 0) commands.splice(known, 1)
        commands.push(text)
        if (commands.length > historyMax) commands.splice(0, commands.length - historyMax)
        store.save(commands)
      }
      cursor = commands.length
    },
    older: prefix => step(prefix, -1),
    newer: prefix => step(prefix, 1),
    rewind() {
      cursor = commands.length
    },
    search(text) {
      const wanted = text.toLowerCase()
      return commands.filter(command => command.toLowerCase().includes(wanted)).reverse()
    },
  }
}

function isKeepable(command: string): boolean {
  return command.trim() !== '' && command.length <= 1000 && !/\p{Cc}/u.test(command)
}

function unique(commands: readonly string[]): string[] {
  const latest = [...new Set([...commands].reverse())].reverse()
  return latest.slice(-historyMax)
}
