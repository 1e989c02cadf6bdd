import { z } from 'zod'
import type { ColorDepth } from '../theme/style.ts'
import { themeNames } from '../theme/themes.ts'

const depth = z.union([z.literal(0), z.literal(4), z.literal(8), z.literal(24)])

/** See `Preferences.pictures`. */
export const pictureModes = ['auto', 'blocks', 'kitty'] as const
export type PictureMode = (typeof pictureModes)[number]

/** See `Preferences.bell`. */
export const bellModes = ['on', 'off', 'notify'] as const

/** What the terminal remembers of its user. Whatever in a stored file is missing or wrong falls back to its default. */
export const PreferencesSchema = z.object({
  theme: z.enum(themeNames).nullable().catch(null).default(null),
  /** Corrects the guess of the terminal's colours. */
  depth: depth.nullable().catch(null).default(null),
  /** How pictures are shown: as the terminal can, in cells, or as images whatever the terminal said. */
  pictures: z.enum(pictureModes).catch('auto').default('auto'),
  /** What an alert does: flash and ring, neither, or notify the desktop besides. */
  bell: z.enum(bellModes).catch('on').default('on'),
  isMouseOn: z.boolean().catch(false).default(false),
  /** Own keys: action name → keys; see docs/keys.md. */
  keys: z
    .record(z.string(), z.array(z.string().max(20)).max(10))
    .catch({})
    .default({}),
  /** Past commands, oldest first. */
  history: z.array(z.string()).catch([]).default([]),
})
export type Preferences = z.infer<typeof PreferencesSchema>

/** Where preferences are kept. `load` returns whatever the file holds, parsed as JSON, or null; neither may throw. */
export interface PreferencesPort {
  load(): unknown
  save(preferences: Preferences): void
}

/** Reads the stored preferences; something that is no object counts as nothing stored. */
export function loadPreferences(port: PreferencesPort): Preferences {
  const parsed = PreferencesSchema.safeParse(port.load() ?? {})
  return parsed.success ? parsed.data : PreferencesSchema.parse({})
}

/** What a viewer's terminal can do and its user wants, as far as the environment tells. */
export interface TerminalEnv {
  depth: ColorDepth
  isAscii: boolean
  isReducedMotion: boolean
  /** Append-only lines for screen readers and dumb terminals, no alternate screen. */
  isAccessible: boolean
  /** The theme asked for on the command line; null takes the remembered one. */
  theme: string | null
}
