import type { ChartTheme } from '../charts/color.ts'

/** What a colour is for. A theme gives each a colour; meaning never rests on colour alone. */
export const colorRoles = [
  'text',
  'muted',
  'faint',
  'accent',
  'title',
  'up',
  'down',
  'good',
  'warn',
  'error',
  'flash',
  'subject',
] as const
export type ColorRole = (typeof colorRoles)[number]

export const themeNames = ['amber', 'light', 'contrast', 'deuteranopia', 'mono'] as const
export type ThemeName = (typeof themeNames)[number]

/** One look. Colours are `#rrggbb`; `base` paints the whole screen, null leaves the terminal's own colours. */
export interface Theme {
  name: ThemeName
  base: { text: string; ground: string } | null
  colors: Readonly<Record<ColorRole, string>>
  chart: ChartTheme
}

const amber: Theme = {
  name: 'amber',
  base: { text: '#ffb000', ground: '#000000' },
  colors: {
    text: '#ffb000',
    muted: '#b08040',
    faint: '#6b5330',
    accent: '#ffd75f',
    title: '#ff8c1a',
    up: '#3ddc5b',
    down: '#ff5f52',
    good: '#3ddc5b',
    warn: '#ffd75f',
    error: '#ff5f52',
    flash: '#ffffff',
    subject: '#f5e6c8',
  },
  chart: {
    series: ['#ffb000', '#4ec9ff', '#ff7ac6', '#7ee787'],
    axis: '#8a6a30',
    grid: '#3d2f14',
    text: '#b08040',
    cursor: '#ffffff',
    faint: '#4a3a1c',
  },
}

const light: Theme = {
  name: 'light',
  base: { text: '#1f1f1f', ground: '#faf8f3' },
  colors: {
    text: '#1f1f1f',
    muted: '#5c5c5c',
    faint: '#8a8a8a',
    accent: '#7a3e00',
    title: '#8a3b00',
    up: '#0a6b2c',
    down: '#b3181d',
    good: '#0a6b2c',
    warn: '#7a5200',
    error: '#b3181d',
    flash: '#000000',
    subject: '#0b3d91',
  },
  chart: {
    series: ['#8a3b00', '#0b5fa5', '#a3177a', '#0a6b2c'],
    axis: '#5c5c5c',
    grid: '#d5d0c4',
    text: '#5c5c5c',
    cursor: '#000000',
    faint: '#c0bbaf',
  },
}

const contrast: Theme = {
  name: 'contrast',
  base: { text: '#ffffff', ground: '#000000' },
  colors: {
    text: '#ffffff',
    muted: '#d0d0d0',
    faint: '#a8a8a8',
    accent: '#ffff00',
    title: '#00ffff',
    up: '#00ff5f',
    down: '#ff8787',
    good: '#00ff5f',
    warn: '#ffff00',
    error: '#ff8787',
    flash: '#ffff00',
    subject: '#ffffff',
  },
  chart: {
    series: ['#ffffff', '#00ffff', '#ffff00', '#ff87ff'],
    axis: '#d0d0d0',
    grid: '#585858',
    text: '#ffffff',
    cursor: '#ffff00',
    faint: '#767676',
  },
}

/** Blue and orange instead of green and red: told apart by people who do not see the difference of those. */
const deuteranopia: Theme = {
  name: 'deuteranopia',
  base: { text: '#e4e4e4', ground: '#101418' },
  colors: {
    text: '#e4e4e4',
    muted: '#a6b0b8',
    faint: '#66727c',
    accent: '#f0e442',
    title: '#f0e442',
    up: '#56b4e9',
    down: '#e69f00',
    good: '#56b4e9',
    warn: '#f0e442',
    error: '#e69f00',
    flash: '#ffffff',
    subject: '#ffffff',
  },
  chart: {
    series: ['#56b4e9', '#e69f00', '#f0e442', '#cc79a7'],
    axis: '#66727c',
    grid: '#2b333a',
    text: '#a6b0b8',
    cursor: '#ffffff',
    faint: '#3a444c',
  },
}

const mono: Theme = {
  name: 'mono',
  base: null,
  colors: {
    text: '#e4e4e4',
    muted: '#e4e4e4',
    faint: '#e4e4e4',
    accent: '#e4e4e4',
    title: '#e4e4e4',
    up: '#e4e4e4',
    down: '#e4e4e4',
    good: '#e4e4e4',
    warn: '#e4e4e4',
    error: '#e4e4e4',
    flash: '#e4e4e4',
    subject: '#e4e4e4',
  },
  chart: {
    series: ['#e4e4e4', '#e4e4e4', '#e4e4e4', '#e4e4e4'],
    axis: '#e4e4e4',
    grid: '#e4e4e4',
    text: '#e4e4e4',
    cursor: '#e4e4e4',
    faint: '#e4e4e4',
  },
}

export const themes: Readonly<Record<ThemeName, Theme>> = { amber, light, contrast, deuteranopia, mono }

/** The theme of this name, or null. */
export function findTheme(name: string): Theme | null {
  const known = themeNames.find(each => each === name.toLowerCase())
  return known === undefined ? null : themes[known]
}
