import { type CrmPeriod, crmPeriods } from '../../contracts/crm.ts'
import { bucketMs, buckets, metrics, periodMs, periods, trendSorts } from '../../contracts/measures.ts'
import { type ThemeName, themeNames } from '../theme/themes.ts'

/** Functions of the command line that exist. `LOGOUT`, `THEME`, `COLOR`, `PICTURES`, `MOUSE`, `BELL` and `QUIT` act on the terminal itself. */
const functionNames = [
  'TOP',
  'MOV',
  'IDX',
  'GP',
  'DES',
  'OPS',
  'API',
  'BILL',
  'ACCT',
  'FIND',
  'VOD',
  'MEDIA',
  'CUT',
  'CLIPS',
  'KEYS',
  'CRM',
  'SQL',
  'BOARD',
  'ALRT',
  'WL',
  'LOGIN',
  'REGISTER',
  'LOGOUT',
  'HELP',
  'THEME',
  'COLOR',
  'PICTURES',
  'MOUSE',
  'BELL',
  'QUIT',
] as const
export type FunctionName = (typeof functionNames)[number]

/** A value that an argument takes: `value` is what the command carries, `aliases` are other ways to type it. */
interface ArgValue {
  value: string
  aliases: readonly string[]
  title: string
}

/** One argument. It is closed (`values`) or open (`read`); a positional one needs no `NAME=`. */
export interface ArgSpec {
  name: string
  title: string
  isPositional: boolean
  values: readonly ArgValue[]
  /** Reads an open value; null refuses it. Closed arguments have none. */
  read?: (text: string) => string | null
  /** An example of an open value, shown when one is refused. */
  example?: string
}

/** One function as the parser, the completion and HELP see it. */
export interface FunctionSpec {
  name: FunctionName
  aliases: readonly string[]
  /** One line for lists. */
  title: string
  /** A few sentences for `HELP <name>`, in paragraphs of one line each. */
  help: string
  /**
   * Whether it is about a subject: typed before it, or the row that has the focus; of an optional one only what is typed,
   * before it or after.
   */
  subject: 'none' | 'filter' | 'required' | 'optional'
  args: readonly ArgSpec[]
  examples: readonly string[]
}

const value = (name: string, title: string, ...aliases: string[]): ArgValue => ({ value: name, title, aliases })
const spanOf = (ms: number): string => {
  const [count, unit] =
    ms >= 86_400_000 ? [ms / 86_400_000, 'day'] : ms >= 3_600_000 ? [ms / 3_600_000, 'hour'] : [ms / 60_000, 'minute']
  return `${count} ${unit}${count === 1 ? '' : 's'}`
}
const closed = (name: string, title: string, values: readonly ArgValue[]): ArgSpec => ({
  name,
  title,
  isPositional: true,
  values,
})
const open = (name: string, title: string, example: string, read: (text: string) => string | null): ArgSpec => ({
  name,
  title,
  isPositional: false,
  values: [],
  read,
  example,
})

const measureTitles: Readonly<Record<string, string>> = {
  views: 'Views so far',
  gain: 'Views gained in the window',
  velocity: 'Views gained an hour',
  acceleration: 'Speed of the last quarter against the whole window',
  engagement: 'Likes, comments, shares and saves for each view',
  outlier: "Times the creator's usual views at this age",
  clippers: 'Accounts that post clips of it',
  followers: 'Followers of the creator',
}
const measure = (name: string): ArgValue => value(name, measureTitles[name] ?? name, ...(measureAliases[name] ?? []))
const measureAliases: Readonly<Record<string, readonly string[]>> = {
  velocity: ['vel', 'speed'],
  acceleration: ['acc', 'accel'],
  engagement: ['eng'],
  followers: ['subs', 'subscribers'],
}

const platform = closed('platform', 'Platform', [
  value('all', 'Every platform'),
  value('youtube', 'YouTube', 'yt'),
  value('tiktok', 'TikTok', 'tt'),
  value('instagram', 'Instagram', 'ig'),
])
const period = closed(
  'period',
  'Window that ends now',
  periods.map(name => value(name, `The last ${spanOf(periodMs[name])}`)),
)
const bucket = closed(
  'bucket',
  'Width of one step in the chart',
  buckets.map(name => value(name, `Steps of ${spanOf(bucketMs[name])}`)),
)
const type = closed('type', 'What is ranked', [
  value('clips', 'Single videos', 'clip', 'videos'),
  value('creators', 'Channels and accounts', 'creator', 'channels'),
  value('topics', 'Hashtags and title phrases', 'topic', 'tags'),
])
const sort = closed('sort', 'Ranked by', trendSorts.map(measure))
const metric = closed('metric', 'Measure', metrics.map(measure))
const niche = open('niche', 'Only this niche', 'brain-rot', text => match(text.toLowerCase(), /^[a-z0-9-]{1,40}$/))
const instant = (name: string, title: string) => open(name, title, '2017-11-14', readInstant)
const filters: readonly ArgSpec[] = [
  type,
  period,
  platform,
  sort,
  niche,
  open('country', 'Only what trended in this country', 'US', text => match(text.toUpperCase(), /^[A-Z]{2}$/)),
  open('creator', 'Only this creator', 'youtube:UCX6OQ3DkcsbYNE6H8uQQuVA', text =>
    match(text, /^(youtube|tiktok|instagram):.{1,280}$/),
  ),
  open('topic', 'Only this topic', 'minecraft', text => match(text.toLowerCase().replace(/^#+/, ''), /^.{1,100}$/)),
  open('limit', 'At most so many rows, 1 to 500', '50', readLimit),
  instant('from', 'Start of the window'),
  instant('to', 'End of the window'),
]

const crmPeriodMs: Readonly<Record<CrmPeriod, number>> = {
  '24h': periodMs['24h'],
  '7d': periodMs['7d'],
  '30d': periodMs['30d'],
  '90d': 3 * periodMs['30d'],
}

const themeTitles: Readonly<Record<ThemeName, string>> = {
  amber: 'Dark with amber, the default',
  light: 'Dark text on a light ground',
  contrast: 'High contrast',
  deuteranopia: 'Blue and orange instead of green and red',
  mono: 'No colours',
}

/** Every function, in the order in which lists show them. */
export const functionSpecs: readonly FunctionSpec[] = [
  {
    name: 'TOP',
    aliases: ['T', 'TREND', 'TRENDS'],
    title: 'What is biggest now: clips, creators or topics',
    help: 'A ranked list that stays live. Rank changes are against one window ago. Filter with NICHE=, COUNTRY=, CREATOR= or TOPIC=; a creator id or #topic typed before TOP filters as well.',
    subject: 'filter',
    args: filters,
    examples: ['TOP CLIPS 24H YT', 'TOP CREATORS 7D VELOCITY', 'TOP NICHE=brain-rot COUNTRY=US', '#minecraft TOP'],
  },
  {
    name: 'MOV',
    aliases: ['MOVERS'],
    title: 'What moves fastest: rank jumps and accelerations',
    help: 'The largest changes of rank and the fastest accelerations of the window, with the same filters as TOP.',
    subject: 'filter',
    args: filters,
    examples: ['MOV', 'MOV TOPICS 7D', 'MOV NICHE=gaming'],
  },
  {
    name: 'IDX',
    aliases: ['INDEX'],
    title: 'Clip index: the level of each niche',
    help: "The clip index follows the view velocity of a niche's top clips, chained and rebalanced daily; 100 is its base day.",
    subject: 'none',
    args: [period, platform, { ...niche, isPositional: true }],
    examples: ['IDX', 'IDX GAMING 30D', 'IDX YT 7D'],
  },
  {
    name: 'GP',
    aliases: ['CHART', 'GRAPH'],
    title: 'Chart of a clip, creator or topic over time',
    help: 'Draws one measure of up to four subjects. Gaps are times without a reading, never zero. VS= adds subjects to compare; BARS draws bars.',
    subject: 'required',
    args: [
      metric,
      period,
      bucket,
      platform,
      closed('style', 'How it is drawn', [
        value('line', 'A line'),
        value('bars', 'Bars from zero', 'bar'),
        value('classic', "blessed-contrib's line"),
      ]),
      open('vs', 'Compare with these subjects, up to three', '@mrbeast', text => (text.trim() === '' ? null : text)),
      instant('from', 'Start of the window'),
      instant('to', 'End of the window'),
    ],
    examples: ['youtube:dQw4w9WgXcQ GP VIEWS 7D', '@mrbeast GP VELOCITY 30D 1D', '#minecraft #roblox GP GAIN 7D'],
  },
  {
    name: 'DES',
    aliases: ['DESCRIBE', 'D'],
    title: 'Everything known about a clip, creator or topic',
    help: 'Each number with its source, the instant of its reading and the definition behind it.',
    subject: 'required',
    args: [period],
    examples: ['@mrbeast DES', 'youtube:dQw4w9WgXcQ DES 7D', '#minecraft DES'],
  },
  {
    name: 'OPS',
    aliases: ['STATUS'],
    title: 'Sources, rates, queues, stores and dead letters',
    help: 'How Cliptape itself is doing: what comes in, how fast, what could not be read and why.',
    subject: 'none',
    args: [],
    examples: ['OPS'],
  },
  {
    name: 'API',
    aliases: ['APIKEYS'],
    title: 'Keys for scripts: create, revoke, use against limits',
    help: 'Lists the API keys of your account. n creates one, which is shown once; x revokes the selected one; y copies a curl line that shows how it is used. Below, what was used of each limit, live.',
    subject: 'none',
    args: [],
    examples: ['API'],
  },
  {
    name: 'BILL',
    aliases: ['BILLING', 'PLANS', 'CREDITS'],
    title: 'Plans, use against limits, ledger of credits',
    help: 'Plans side by side with their limits, the present plan and its cycle, use against limits, and every line of the ledger with its reason.',
    subject: 'none',
    args: [
      closed('view', 'What is shown', [
        value('plans', 'Plans and use against limits'),
        value('ledger', 'The ledger of credits, line by line'),
      ]),
    ],
    examples: ['BILL', 'BILL LEDGER'],
  },
  {
    name: 'ACCT',
    aliases: ['ACCOUNT', 'WHOAMI'],
    title: 'Your account: address, password, audit log',
    help: 'Who you are on this server, and the log of every change of credentials, keys, plans and sharing. p changes the password, m sends the mail that verifies the address.',
    subject: 'none',
    args: [],
    examples: ['ACCT'],
  },
  {
    name: 'FIND',
    aliases: ['SEARCH'],
    title: 'Creators by name, and which of them you watch',
    help: 'Finds creators by a part of their name, handle or id; several words go in quotes, and / searches while you type. w watches the selected one or stops it, a takes the address of one that nobody has named yet, o shows its videos.',
    subject: 'none',
    args: [
      closed('watched', 'Only those that you watch', [value('watched', 'Only creators that you watch', 'monitored')]),
      platform,
      {
        ...open('search', 'A part of the name, handle or id', 'mrbeast', text =>
          text.trim() === '' || text.length > 200 ? null : text.trim(),
        ),
        isPositional: true,
      },
    ],
    examples: ['FIND mrbeast', 'FIND "gordon ramsay" YT', 'FIND WATCHED'],
  },
  {
    name: 'VOD',
    aliases: ['VODS'],
    title: 'Videos of a creator, newest first',
    help: 'Every video that a source has named, with its date, length and thumbnail. Enter describes one, c charts it.',
    subject: 'required',
    args: [],
    examples: ['@mrbeast VOD', 'VOD @mrbeast'],
  },
  {
    name: 'MEDIA',
    aliases: ['FILES'],
    title: 'Your media: files and addresses that clips are cut from',
    help: 'Media that you may use: a file of this machine below a declared folder, an http(s) address of a file or HLS playlist, or an upload. a registers one; Enter opens it in CUT. Cliptape downloads nothing from the pages of platforms.',
    subject: 'none',
    args: [],
    examples: ['MEDIA'],
  },
  {
    name: 'CUT',
    aliases: ['EDIT'],
    title: 'Cut clips out of a video, by keyboard',
    help: 'Frames over the sound. i and o mark the beginning and the end, j k l run back, stop and run, arrows step by frame, Shift by second, [ ] by scene, { } by silence. + and - zoom down to the frame. a analyses: silences, scenes and moments that are worth a clip, each with its reasons; n marks the next one. Enter twice cuts.',
    subject: 'required',
    args: [],
    examples: ['CUT youtube:dQw4w9WgXcQ', 'CUT own:3f0c6d1e-8f4e-4c9b-9a53-0d1f4b1c2a77'],
  },
  {
    name: 'CLIPS',
    aliases: ['QUEUE'],
    title: 'Clips that you asked for: progress, downloads, links',
    help: 'Every clip with how far it is. d downloads one that is ready, l copies a link that needs no sign-in and ends after a quarter of an hour, x twice cancels or deletes.',
    subject: 'none',
    args: [],
    examples: ['CLIPS'],
  },
  {
    name: 'KEYS',
    aliases: ['CREDENTIALS', 'LINK'],
    title: 'Developer credentials and linked accounts',
    help: 'Your own registration with YouTube, TikTok and Instagram, and the accounts that are linked with it. Enter takes credentials, which are tried at once; l links an account through a browser, here or on another machine; x twice unlinks.',
    subject: 'none',
    args: [],
    examples: ['KEYS'],
  },
  {
    name: 'CRM',
    aliases: ['OWN', 'PERFORMANCE'],
    title: 'Your own accounts: numbers, posts, best times',
    help: 'How your linked accounts do in a period against the one before, their posts with counters, outlier multiples and views at fixed ages, and which hours of the week did best. t goes from one to the next, p changes the period, Enter shows the selected account alone. Only you see these numbers.',
    subject: 'none',
    args: [
      closed(
        'period',
        'Period that ends now',
        crmPeriods.map(name => value(name, `The last ${spanOf(crmPeriodMs[name])}`)),
      ),
      closed('view', 'What is shown', [
        value('overview', 'Numbers, their course, and accounts'),
        value('posts', 'Posts, newest first'),
        value('times', 'Hours of the week', 'besttime', 'heatmap'),
      ]),
      open('tz', 'Hours of this time zone instead of your own', 'Europe/Berlin', text =>
        match(text, /^[A-Za-z0-9+/_:-]{1,64}$/),
      ),
    ],
    examples: ['CRM 30D', 'CRM POSTS', 'CRM TIMES TZ=Europe/Berlin'],
  },
  {
    name: 'SQL',
    aliases: ['QUERY'],
    title: 'Ask the data in SQL: write, run, chart, save, share',
    help: [
      'Write: SQL of ClickHouse over v.… (public) and mine.… (yours); an empty screen lists the tables. Tab takes a completion. Nothing that you type is lost: Ctrl-R searches in what was run.',
      'Run: Ctrl-J, F9 or Alt-Enter runs the statement at the cursor, or what is selected. {name:Type} in it is asked for. Esc cancels.',
      'Esc goes from the text to the rows, i back to the text. On the rows: Enter shows a whole cell, / finds, t goes to a row, y copies.',
      'Save: s, with a name and who may see it (Ctrl-S while writing). Open: o. Versions: V.',
      'Share: u copies the command that opens it for others, e.g. SQL <id>. Chart: c, and c again chooses columns. Alert: A.',
      'Export: e, as CSV, JSON, Parquet or Markdown. Live: L, and the rows follow the data. ? lists and runs all keys.',
    ].join('\n'),
    subject: 'none',
    args: [
      {
        ...open('query', 'A saved query by its name or id', '"top gaming"', text =>
          text.trim() === '' || text.length > 200 ? null : text.trim(),
        ),
        isPositional: true,
      },
    ],
    examples: ['SQL', 'SQL "my query"'],
  },
  {
    name: 'BOARD',
    aliases: ['BOARDS', 'DASHBOARD'],
    title: 'Dashboards: panels over live queries, and walls of them',
    help: 'Lists the boards; with the name of one, shows it over the whole window. Left and right go from panel to panel, up and down through its rows, Enter tells more of a row (DES or GP), z shows a panel alone, i changes what the board is about, e saves rows or a picture, n goes to the next board. WALL shows all of them, or those named, in turn.',
    subject: 'none',
    args: [
      closed('wall', 'Boards in turn', [value('wall', 'One after the other, without keys')]),
      period,
      platform,
      {
        ...open('board', 'Name or id of a board; several with commas', 'market-overview', readBoardNames),
        isPositional: true,
      },
      open('every', 'How long each board of a wall stays', '30s', text =>
        match(text.toLowerCase(), /^[1-9]\d{0,3}[sm]$/),
      ),
      open('set', 'Values of variables', 'niche=gaming;limit=5', text =>
        match(text, /^[a-z][\w-]*=[^;]*(;[a-z][\w-]*=[^;]*)*$/),
      ),
    ],
    examples: ['BOARD', 'BOARD market-overview 7D', 'BOARD WALL EVERY=1m', 'BOARD brain-rot YT'],
  },
  {
    name: 'ALRT',
    aliases: ['ALERT', 'ALERTS'],
    title: 'Alerts: rules over numbers, what fired, tries on the past',
    help: 'An alert reads a clip, creator or topic, a ranked list, or a saved query, and fires when its condition becomes true: above or below a value, a change, an outlier multiple, a new entrant among the first. It is armed again at a second level, and rests for a while after it fired. n makes one, b tries it on the past before it is switched on, Enter shows what it told with the rows that caused it, u switches it on or off, m mutes it. Type a subject with it, or press ! on a selected row.',
    subject: 'optional',
    args: [
      closed('view', 'What is shown', [
        value('new', 'The form for a new alert', 'add'),
        value('firings', 'What fired, newest first', 'fired'),
      ]),
      closed('metric', 'What is read', [...metrics, 'outlier'].map(measure)),
      period,
      open('above', 'Fires above this value', '10k', readNumber),
      open('below', 'Fires below this value', '500', readNumber),
      open('list', 'About a ranked list, as TOP takes it', '"CLIPS 24H YT"', text =>
        text.trim() === '' ? null : text,
      ),
      open('query', 'About a saved query, by its id', '018f3b52-0000-7000-8000-00000000000a', text =>
        match(text.toLowerCase(), /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/),
      ),
      open('column', 'The column of the query that is read', 'views', text => match(text, /^.{1,200}$/)),
    ],
    examples: ['ALRT', '@mrbeast ALRT VELOCITY ABOVE=10k', 'ALRT NEW LIST="CLIPS 24H YT"', 'ALRT FIRINGS'],
  },
  {
    name: 'WL',
    aliases: ['WATCH', 'WATCHLIST'],
    title: 'Watchlists: creators, clips and topics with live columns',
    help: 'What you keep an eye on, in an order of your own, with live numbers. * puts the selected row of any list on one; WL ADD does the same by name. { and } move a row, x takes it off, i writes a note, m moves it to the next list, o chooses columns, t goes to the next list, n begins one.',
    subject: 'optional',
    args: [
      closed('view', 'What is done', [
        value('add', 'Put the subject on the list'),
        value('new', 'Begin a list of this name', 'create'),
      ]),
      {
        ...open('name', 'Name of the list; names of several words go in quotes', '"my desk"', text =>
          text.trim() === '' || text.length > 80 ? null : text.trim(),
        ),
        isPositional: true,
      },
    ],
    examples: ['WL', 'WL ADD @mrbeast', '#minecraft WL ADD games', 'WL NEW "clip desk"'],
  },
  {
    name: 'LOGIN',
    aliases: ['SIGNIN'],
    title: 'Sign in to a remote server',
    help: 'By e-mail address and password, or through Google where the server offers it. The session is kept in the keychain of the system, else in a file that only you can read.',
    subject: 'none',
    args: [],
    examples: ['LOGIN'],
  },
  {
    name: 'REGISTER',
    aliases: ['SIGNUP'],
    title: 'Create an account on a remote server',
    help: 'Takes an e-mail address and a password of at least 10 characters.',
    subject: 'none',
    args: [],
    examples: ['REGISTER'],
  },
  {
    name: 'LOGOUT',
    aliases: ['SIGNOUT'],
    title: 'Sign out of a remote server',
    help: 'Ends the session on the server and forgets it here.',
    subject: 'none',
    args: [],
    examples: ['LOGOUT'],
  },
  {
    name: 'HELP',
    aliases: ['H', 'FUNCTIONS'],
    title: 'Functions and keys',
    help: 'Lists every function; HELP and a name tells about that one.',
    subject: 'none',
    args: [
      closed(
        'function',
        'Function to tell about',
        functionNames.map(name => value(name, `About ${name}`)),
      ),
    ],
    examples: ['HELP', 'HELP TOP'],
  },
  {
    name: 'THEME',
    aliases: ['SKIN'],
    title: 'Colours of the terminal',
    help: 'Switches the theme and remembers it.',
    subject: 'none',
    args: [
      closed(
        'theme',
        'Theme',
        themeNames.map(name => value(name, themeTitles[name])),
      ),
    ],
    examples: ['THEME LIGHT'],
  },
  {
    name: 'COLOR',
    aliases: ['COLOUR'],
    title: 'How many colours the terminal is sent',
    help: 'Corrects a wrong guess of what your terminal can show.',
    subject: 'none',
    args: [
      closed('depth', 'Bits of colour', [
        value('24', 'True colour'),
        value('8', '256 colours'),
        value('4', '16 colours'),
        value('0', 'No colours'),
      ]),
    ],
    examples: ['COLOR 8'],
  },
  {
    name: 'PICTURES',
    aliases: ['PICS'],
    title: 'How pictures are shown',
    help: 'Kitty (from 0.28) and ghostty show frames as they are; every other terminal gets blocks of two pixels a cell. AUTO asks the terminal, and never over tmux or SSH.',
    subject: 'none',
    args: [
      closed('mode', 'How', [
        value('auto', 'As the terminal can'),
        value('blocks', 'Blocks of two pixels'),
        value('kitty', "Images (kitty's protocol)"),
      ]),
    ],
    examples: ['PICTURES BLOCKS'],
  },
  {
    name: 'MOUSE',
    aliases: [],
    title: 'Mouse on or off',
    help: 'On, the mouse selects rows and moves the crosshair; selecting text then needs Shift.',
    subject: 'none',
    args: [
      closed('state', 'On or off', [
        value('on', 'Rows and charts follow the mouse'),
        value('off', 'The mouse selects text'),
      ]),
    ],
    examples: ['MOUSE ON'],
  },
  {
    name: 'BELL',
    aliases: [],
    title: 'Whether alerts ring, and notify through the terminal',
    help: 'On, an alert flashes and rings the bell of the terminal. Notify sends a notification of the desktop as well, where the terminal knows how (OSC 9). Off, it only says so in the status line.',
    subject: 'none',
    args: [
      closed('bell', 'On, off, or with notifications', [
        value('on', 'Flash and ring'),
        value('off', 'Neither'),
        value('notify', 'Flash, ring, and notify'),
      ]),
    ],
    examples: ['BELL OFF', 'BELL NOTIFY'],
  },
  {
    name: 'QUIT',
    aliases: ['EXIT', 'Q'],
    title: 'Leave the terminal',
    help: 'Ends the terminal. Ctrl-C twice does the same.',
    subject: 'none',
    args: [],
    examples: ['QUIT'],
  },
]

const byName = new Map<string, FunctionSpec>(
  functionSpecs.flatMap(spec => [spec.name, ...spec.aliases].map((name): [string, FunctionSpec] => [name, spec])),
)

/** The function with this name or alias, in any case; null when there is none. */
export function findFunction(name: string): FunctionSpec | null {
  return byName.get(name.toUpperCase()) ?? null
}

/** Whether the name or an alias of a function begins with these capitals. */
export function beginsFunction(capitals: string): boolean {
  return [...byName.keys()].some(name => name.startsWith(capitals))
}

/** The spec of a function that is known to exist. */
export function functionSpec(name: FunctionName): FunctionSpec {
  const spec = byName.get(name)
  if (spec === undefined) throw new Error(`The function table has no ${name}.`)
  return spec
}

/** What an argument makes of a typed value: the canonical value, or null when it does not take it. */
export function readArg(spec: ArgSpec, text: string): string | null {
  if (spec.read !== undefined) return spec.read(text)
  const typed = text.toLowerCase()
  const found = spec.values.find(each => each.value.toLowerCase() === typed || each.aliases.includes(typed))
  return found?.value ?? null
}

function match(text: string, pattern: RegExp): string | null {
  return pattern.test(text) ? text : null
}

/** Names or ids with commas between them. */
function readBoardNames(text: string): string | null {
  return match(text.toLowerCase(), /^[\p{L}\p{N}][\p{L}\p{N}-]{0,79}(,[\p{L}\p{N}][\p{L}\p{N}-]{0,79})*$/u)
}

/** A number as people write it: `10000`, `10k`, `1.5M`, `-3`; null when it is none. */
export function readNumber(text: string): string | null {
  const [, digits, sign] = /^(-?\d{1,15}(?:\.\d{1,6})?)\s*([kmb]?)$/i.exec(text.trim()) ?? []
  if (digits === undefined) return null
  const unit = { '': 1, k: 1e3, m: 1e6, b: 1e9 }[(sign ?? '').toLowerCase()] ?? 1
  return String(Number(digits) * unit)
}

function readLimit(text: string): string | null {
  const count = /^\d{1,3}$/.test(text) ? Number(text) : 0
  return count >= 1 && count <= 500 ? String(count) : null
}

/** A day (its first instant, UTC) or an ISO 8601 instant. */
function readInstant(text: string): string | null {
  const typed = text.toUpperCase()
  if (!/^\d{4}-\d{2}-\d{2}(T\d{2}:\d{2}(:\d{2}(\.\d{1,3})?)?(Z|[+-]\d{2}:\d{2})?)?$/.test(typed)) return null
  const hasZone = typed.length === 10 || /(Z|[+-]\d{2}:\d{2})$/.test(typed.slice(10))
  const atMs = Date.parse(hasZone ? typed : `${typed}Z`)
  return Number.isNaN(atMs) ? null : new Date(atMs).toISOString()
}
