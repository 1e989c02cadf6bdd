import { type Setting, settings } from '../../core/settings.ts'

const groups: Readonly<Record<Setting['group'], string>> = {
  server: 'Server',
  stores: 'Stores (cluster profile; leave empty for the embedded one)',
  secrets: 'Secrets',
  features: 'Features',
  platforms: 'Platforms',
  media: 'Media',
}
const all: readonly Setting[] = settings

/** The text of `.env.example`: every setting, each commented out with its default. */
export function envExample(): string {
  const head = [
    '# Settings of Cliptape. Copy this file to .env and fill in what you need; nothing is required in the embedded profile.',
    '# Made from core/settings.ts: run `npm run docs` after a change there.',
  ]
  const body = groupsInOrder().flatMap(([group, title]) => [
    '',
    `# ── ${title} ──`,
    ...all.filter(setting => setting.group === group).flatMap(setting => ['', ...exampleLines(setting)]),
  ])
  return `${[...head, ...body].join('\n')}\n`
}

function exampleLines(setting: Setting): string[] {
  const also = setting.aliases ? [`# Also accepted as ${setting.aliases.join(', ')}.`] : []
  return [`# ${setting.effect}`, ...also, `# ${setting.name}=${setting.default ?? ''}`]
}

/** The text of `docs/env.md`. */
export function envPage(): string {
  const head = [
    '# Settings',
    '',
    'Cliptape reads the environment, and beneath it the file `.env` in the folder it is started from. Flags of a verb win over',
    'both. A mistake stops the start with a sentence per setting; secrets are never printed. In the embedded profile',
    'the three secrets are made once in the home folder when they are absent; the cluster profile (chosen by `DATABASE_URL`,',
    '`CLICKHOUSE_URL` and `REDIS_URL` together) requires them, each at least 32 characters long.',
  ]
  const body = groupsInOrder().flatMap(([group, title]) => [
    '',
    `## ${title}`,
    '',
    '| setting | default | effect |',
    '| --- | --- | --- |',
    ...all.filter(setting => setting.group === group).map(tableRow),
  ])
  return `${[...head, ...body].join('\n')}\n`
}

function tableRow(setting: Setting): string {
  const aliases = setting.aliases ? ` Also accepted as ${setting.aliases.map(name => `\`${name}\``).join(', ')}.` : ''
  const secret = setting.kind === 'secret' ? ' Secret.' : ''
  return `| \`${setting.name}\` | ${setting.default === null ? '–' : `\`${setting.default}\``} | ${setting.effect}${aliases}${secret} |`
}

function groupsInOrder(): [Setting['group'], string][] {
  return (['server', 'stores', 'secrets', 'features', 'platforms', 'media'] as const).map(group => [
    group,
    groups[group],
  ])
}
