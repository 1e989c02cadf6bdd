import {
  liveSqlRowsMax,
  type QueryStreamMessage,
  queryFormats,
  queryVersionsMax,
  savedQueriesMax,
  sqlCharsMax,
} from '../../contracts/queries.ts'
import { corpusSections } from '../../core/sql-gate/corpus.ts'
import { refusedFunctionsByReason } from '../../core/sql-gate/function-lists.ts'
import { allowedTableFunctions } from '../../core/sql-gate/functions.ts'
import { parameterTypes } from '../../core/sql-gate/placeholders.ts'
import { everybodysTurns } from '../../core/sql-gate/turns.ts'
import { schemaDescriptions, viewDescriptions } from '../../core/sql-gate/view-descriptions.ts'
import { plans } from '../../server/features/billing/plans.ts'
import { sqlClockMs, sqlEveryMs } from '../../server/live/sql-questions.ts'

/** Of the list of what people write: chapters that show something, with so many of their statements. */
const exampleChapters = [
  'Rank and change',
  'Cohorts and ages',
  'Funnels and sequences',
  'Arrays of readings',
  'The value at an instant',
  'Spread and shape',
  'Public and own numbers side by side',
  'Summed in several ways at once',
  'Text and time',
]
const examplesEach = 3
/** Of a list of names, so many are shown. */
const namesShown = 6

const formatTexts: Readonly<Record<(typeof queryFormats)[number], string>> = {
  json: '`{columns, rows, statistics}`: rows are arrays, one a line; `statistics` comes last.',
  jsonl: 'An object a line.',
  csv: 'RFC 4180: a head line and rows; NULL is empty and without quotes, an empty text has them.',
  parquet: 'A file of the engine’s making. It is held in memory and sent when it is complete.',
  markdown: 'A table.',
  stream: 'A message a line, while the query runs: see below.',
}

const streamExamples: readonly QueryStreamMessage[] = [
  { type: 'progress', statistics: { elapsedSec: 0.5, rowsRead: 1_200_000, bytesRead: 31_000_000 } },
  { type: 'columns', columns: [{ name: 'video_id', type: 'String' }] },
  { type: 'rows', rows: [['dQw4w9WgXcQ'], ['9bZkp7q19f0']] },
  { type: 'done', rowCount: 2, statistics: { elapsedSec: 0.8, rowsRead: 2_000_000, bytesRead: 52_000_000 } },
]

/** `docs/sql.md`: what SQL may say, and what it is answered. */
export function sqlPage(): string {
  return `# SQL

Made from \`core/sql-gate\`, \`contracts/queries.ts\` and the plans (\`npm run docs\`).

One SELECT in ClickHouse's SQL, over two schemas: \`v\` has the public numbers, \`mine\` your own. Nothing can be changed by it.
Ask with \`POST /api/query\`, \`cliptape query\`, the screen SQL, by key with \`POST /ext-api/v1/query\`, or live on \`/ws\`.
\`GET /api/query/catalog\` has everything on this page that a program needs.

## What can be read

${Object.entries(schemaDescriptions)
  .map(([name, comment]) => `- \`${name}\`: ${comment}`)
  .join('\n')}

A view is named with its schema: \`v.samples\`. Columns may be added, and are never renamed. Counters are those of the platform: not given is
NULL, never zero. Numbers whose source allows no derived measures stay without a \`gain\`.

${Object.entries(viewDescriptions).map(viewText).join('\n')}
Row sources without a table: ${allowedTableFunctions.map(name => `\`${name}\``).join(', ')}.

## Parameters

\`{name:Type}\` stands for a value, which is sent beside the SQL, checked against its type and written into the text as a literal
before anything looks at it: a value is never read as SQL. Types: ${parameterTypes.map(type => `\`${type}\``).join(', ')}; \`Array(T)\` and \`Nullable(T)\` of them.
Instants are ISO 8601 (UTC without a zone) or epoch milliseconds; whole numbers beyond 2^53 are sent as text.

\`\`\`json
{"sql": "select video_id, max(views) as views from v.samples where platform = {platform:String} group by 1 order by 2 desc limit {rows:UInt16}", "params": {"platform": "youtube", "rows": 20}}
\`\`\`

## Answers

They are sent while the query runs, and whoever goes away ends it: a closed connection, Esc, Ctrl-C, \`unsubscribe\`. What fails
before the first byte has the ordinary form of errors; what fails later cuts the connection, so that nobody takes half an answer for whole.

| format | |
| --- | --- |
${queryFormats.map(name => `| \`${name}\` | ${formatTexts[name]} |`).join('\n')}

64-bit integers are numbers where a number holds them exactly, else text. \`stream\` has one of these a line; \`progress\` may come
before the columns are known, and the last line is \`done\`, or \`error\` with \`code\`, \`message\` and \`details\`:

\`\`\`json
${streamExamples.map(message => JSON.stringify(message)).join('\n')}
\`\`\`

## Limits

| | ${plans.map(({ title }) => title).join(' | ')} |
| --- | ${plans.map(() => '---').join(' | ')} |
${limitLines().join('\n')}

A text has at most ${count(sqlCharsMax)} characters. The seconds count to the last row: who reads slowly runs out of them. Over a limit a query ends with \`QUERY_LIMIT\` and a sentence that names it; queries beyond those at a
time are refused with \`RATE_LIMITED\`. Of all users together ${everybodysTurns.concurrentMax} run at once on one server, and ${everybodysTurns.queuedMax} more wait for their turn. The owner of a home has the limits that \`GET /api/subscription\` says.

## What is refused, and why

The gate lets through what it knows to be harmless, and says what it does not let through with line and column (\`QUERY_REFUSED\`):

- Anything but one SELECT: other statements, several in one text, \`EXPLAIN\` (ask \`POST /api/query/explain\`), \`DESCRIBE\`, \`SHOW\`.
- \`SETTINGS\`, \`FORMAT\`, \`INTO OUTFILE\`: limits, format and place of the answer are the server's.
- Every table, database and table function but those above, \`system\` and \`information_schema\` without exception: they tell of the machine and of others.
- Functions. Those that may be called are in the catalogue; a new one of the engine's waits until somebody has looked at it. Never:
${Object.entries(refusedFunctionsByReason).map(reasonLine).join('\n')}

Behind the gate the engine refuses as well: its session only reads, its user has no right to anything else, its process has an empty
environment, is ended when a query does not keep to its limit, and is shut in by \`bwrap\` where that works (\`cliptape doctor\` says so;
\`ENGINE_SANDBOX\` forces or forbids it). The lists of ${count(statementsOf('attacks'))} attacks and ${count(statementsOf('legitimate'))} ordinary statements beside the gate are tests.

## What is wrong with a query

\`QUERY_FAILED\` is the engine's: a syntax error, an unknown column, types that do not fit. \`details\` has \`line\` and \`column\` of the text as
you sent it, wherever the place is known; the sentence says them too. \`BAD_REQUEST\` is about a parameter, whose name is \`details.field\`.

## Saved queries

\`/api/queries\` keeps a name, the SQL, descriptions and defaults of its parameters, and who may see it: \`private\` is for you, \`shared\` for everybody who is
signed in on this server and has its id, \`public\` is listed to all of them besides. Nobody else can change it. Whoever runs it, \`mine\` shows
the rows of the one who runs it, within that person's limits. Each change makes a version (the last ${queryVersionsMax} are kept), which can be compared and
taken up again; \`If-Match\` with the entity tag keeps a change from undoing one that its author has not seen. One user has at most ${savedQueriesMax}.

## Live

\`subscribe\` with \`{"sql": …, "params": …}\` or \`{"savedQueryId": …, "params": …}\` (docs/protocol.md). The text runs again when rows of its views were written, at most every
${sqlEveryMs / 1000} s, and every ${sqlClockMs / 1000} s when it names the present instant (\`now()\`). Equal texts with equal parameters and limits run once, whoever watches; one that reads \`mine\` is its
user's alone. Rows are \`{key, cells}\`: \`key\` is the column of that name, where there is one, else the place. At most ${count(liveSqlRowsMax)} rows. A saved query
is watched as it was when the subscription began.

## Examples

Each of these is among the tests.

${examples()}`
}

function viewText([name, { comment, columns }]: [string, (typeof viewDescriptions)[string]]): string {
  const rows = Object.entries(columns).map(
    ([column, about]) => `| \`${column}\` | \`${about.type}\` | ${about.comment} |`,
  )
  return `### ${name}

${comment}

| column | type | |
| --- | --- | --- |
${rows.join('\n')}
`
}

function limitLines(): string[] {
  const rows = [
    ['seconds', 'querySeconds'],
    ['bytes of memory', 'queryMemoryBytes'],
    ['rows that are read', 'queryRowsRead'],
    ['rows of the answer', 'queryRows'],
    ['queries at a time', 'queriesAtOnce'],
  ] as const
  return rows.map(([title, name]) => `| ${title} | ${plans.map(({ limits }) => count(limits[name])).join(' | ')} |`)
}

function reasonLine([reason, names]: [string, string]): string {
  const all = names.split(/\s+/).filter(name => name !== '')
  const more = all.length > namesShown ? `, and ${all.length - namesShown} more` : ''
  const shown = all.slice(0, namesShown).map(name => `\`${name}\``)
  return `  - ${reason.replace(/\.$/, '')}: ${shown.join(', ')}${more}.`
}

function examples(): string {
  return corpusSections('legitimate')
    .filter(({ title }) => exampleChapters.includes(title))
    .map(({ title, statements }) => `### ${title}\n\n${statements.slice(0, examplesEach).map(sqlBlock).join('\n\n')}\n`)
    .join('\n')
}

/** One statement as it stands in the list. */
function sqlBlock(statement: string): string {
  return `\`\`\`sql\n${statement}\n\`\`\``
}

function statementsOf(name: 'attacks' | 'legitimate'): number {
  return corpusSections(name).reduce((sum, { statements }) => sum + statements.length, 0)
}

function count(value: number): string {
  return value.toLocaleString('en-US')
}
