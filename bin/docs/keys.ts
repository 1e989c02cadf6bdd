import { type ActionContext, actionContexts, actions } from '../../terminal/keys/actions.ts'

const contextTitles: Readonly<Record<ActionContext, { title: string; text: string }>> = {
  global: { title: 'Everywhere', text: 'These hold on every screen while nothing is being typed.' },
  list: {
    title: 'Lists: TOP, MOV, IDX, OPS, API, ACCT, FIND, VOD, MEDIA, CLIPS, KEYS, CRM, ALRT, WL, HELP',
    text: 'Rows can also be clicked and scrolled when the mouse is on.',
  },
  chart: { title: 'Charts: GP', text: 'With the mouse on, the crosshair follows it and the wheel zooms.' },
  ops: { title: 'OPS', text: 'For dead letters: rows that could not be read.' },
  api: { title: 'API', text: '' },
  bill: { title: 'BILL', text: '' },
  account: { title: 'ACCT', text: '' },
  creators: { title: 'FIND', text: '' },
  videos: { title: 'VOD', text: '' },
  credentials: { title: 'KEYS', text: '' },
  crm: { title: 'CRM', text: 'In the heat map, up and down go to another day.' },
  media: { title: 'MEDIA', text: '' },
  cut: { title: 'CUT', text: 'With the mouse on, a click goes to the place in the strip.' },
  clips: { title: 'CLIPS', text: '' },
  board: { title: 'BOARD', text: 'Rows of the panel with the focus move as in lists.' },
  alerts: { title: 'ALRT', text: '' },
  watchlist: { title: 'WL', text: '' },
  pages: {
    title: 'Pages: BILL, ACCT, FIND, VOD, MEDIA, CLIPS, CRM',
    text: 'For lists that the server hands out page by page.',
  },
  sql: {
    title: 'SQL',
    text: 'In SQL. Letters hold on the rows; while a text is written, they are typed, and the keys with Ctrl, Alt or F hold.',
  },
  grid: { title: 'Rows of SQL', text: 'On the rows of SQL; up and down also scroll a whole cell and a plan.' },
  editor: {
    title: 'Writing SQL',
    text: 'While SQL is written. While completions are shown, up and down choose one, Tab takes it, Esc closes them.',
  },
  help: { title: 'HELP', text: '' },
  form: {
    title: 'In a form',
    text: 'For LOGIN, REGISTER, and what API, ACCT, FIND, MEDIA, CUT, KEYS, ALRT, WL and SQL ask for. Space chooses an option; editing keys are those of typing, below.',
  },
  input: { title: 'While typing', text: 'In the command line, the filter and the lists above them.' },
}

/** `docs/keys.md`: every action with its default keys, from the table that the terminal itself uses. */
export function keysPage(): string {
  const sections = actionContexts.map(context => {
    const { title, text } = contextTitles[context]
    const rows = actions
      .filter(action => action.context === context && !('isInternal' in action))
      .map(action => `| ${action.keys.map(showKey).join(' ')} | ${action.title} | \`${action.name}\` |`)
    return [
      `## ${title}`,
      '',
      ...(text === '' ? [] : [text, '']),
      '| Keys | What | Action |',
      '|---|---|---|',
      ...rows,
    ].join('\n')
  })
  return `${intro}\n\n${sections.join('\n\n')}\n`
}

const intro = `# Keys

Generated from the table of actions; do not edit. \`?\` shows the keys of the screen you are on, searches them and runs them.
\`C-\` is Ctrl, \`M-\` Alt, \`S-\` Shift. Typing anything that is no key opens the command line, so a command needs no colon; nor does one in capitals, though some are keys (see [terminal.md](terminal.md)).

Every action can have keys of your own: in the file \`preferences.json\` of the configuration folder (see \`docs/env.md\`) put
the action's name and its keys under \`keys\`, for example \`{"keys": {"move.down": ["n", "down"]}}\`. They replace the default
keys of that action. Keys that two actions want are reported when the terminal starts.`

/** A key as code; the pipe would end the table's cell. */
function showKey(key: string): string {
  return `\`${key.replace('|', '\\|')}\``
}
