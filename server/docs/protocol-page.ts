import { type ClientMessage, liveQueries, protocolVersion, type ServerMessage, wsLimits } from '../../contracts/ws.ts'
import { sessionLimits } from '../ws/sessions.ts'
import { schemaTable } from './schema-table.ts'

/** One of every message that a client sends; a test parses them with the schema and looks for types that are missing. */
export const clientExamples: readonly { says: string; message: ClientMessage }[] = [
  {
    says: 'First, and within ten seconds, with an access token (`POST /api/auth/login`; `cliptape token` prints one of the local owner). A token that runs out later closes nothing (but one of Supabase, whose sessions are kept there); when its session ends, the connection is closed with `AUTH_REQUIRED`. API keys are not taken: machines ask `/ext-api/v1`, or are told by webhooks.',
    message: { type: 'hello', protocol: protocolVersion, token: 'b3duZXI…' },
  },
  {
    says: 'Coming back: the session of the last `welcome`, and the last `seq` seen of each subscription.',
    message: {
      type: 'hello',
      protocol: protocolVersion,
      token: 'b3duZXI…',
      resume: { sessionId: '0b51…', seqs: { top: 17 } },
    },
  },
  {
    says: 'Watches a query under an id of your choice.',
    message: {
      type: 'subscribe',
      id: 'top',
      query: { name: 'trends', params: { type: 'clips', platform: 'youtube', period: '24h', limit: 2 } },
    },
  },
  {
    says: 'The same for SQL of your own, or with `savedQueryId` in the place of `sql` for a saved query: [sql.md](sql.md).',
    message: {
      type: 'subscribe',
      id: 'own',
      query: {
        sql: 'SELECT platform AS key, count() AS readings FROM v.samples WHERE views >= {views:UInt64} GROUP BY platform',
        params: { views: 1000 },
      },
    },
  },
  { says: 'Ends it.', message: { type: 'unsubscribe', id: 'top' } },
  { says: 'Asks for a sign of life.', message: { type: 'ping' } },
]

/** One of every message that the server sends. */
export const serverExamples: readonly { says: string; message: ServerMessage }[] = [
  {
    says: 'The answer to a good hello. `resumed` names the subscriptions that go on; subscribe the others again.',
    message: { type: 'welcome', sessionId: '7c2e…', serverTime: '2026-01-31T12:00:00.000Z', resumed: ['top'] },
  },
  {
    says: 'The whole answer: replace what you have. Rows are cut short here.',
    message: {
      type: 'snapshot',
      id: 'top',
      seq: 17,
      asOf: '2026-01-31T12:00:00.000Z',
      columns: ['key', 'rank', 'title', 'gain'],
      rows: [
        { key: 'youtube:dQw4w9WgXcQ', rank: 1, title: 'First', gain: 4100 },
        { key: 'youtube:9bZkp7q19f0', rank: 2, title: 'Second', gain: 3900 },
      ],
    },
  },
  {
    says: 'Of SQL the engine’s types stand beside the names, and rows have their cells in the order of the columns, in patches as well. `key` is the column of that name, where there is one, else the place from 1.',
    message: {
      type: 'snapshot',
      id: 'own',
      seq: 3,
      asOf: '2026-01-31T12:00:00.000Z',
      columns: ['key', 'readings'],
      columnTypes: ['String', 'UInt64'],
      rows: [{ key: 'youtube', cells: ['youtube', 5100] }],
    },
  },
  {
    says: 'What changed since `seq` − 1: take `remove` out, put `upsert` in by `key`, then sort by `order` unless it is null.',
    message: {
      type: 'patch',
      id: 'top',
      seq: 18,
      asOf: '2026-01-31T12:00:01.000Z',
      upsert: [
        { key: 'youtube:9bZkp7q19f0', rank: 1, title: 'Second', gain: 4300 },
        { key: 'youtube:dQw4w9WgXcQ', rank: 2, title: 'First', gain: 4200 },
      ],
      remove: [],
      order: ['youtube:9bZkp7q19f0', 'youtube:dQw4w9WgXcQ'],
    },
  },
  {
    says: 'Something that concerns the one who is signed in: `alert.fired` when an alert of theirs fires and is told in the terminal. What was missed stays in `GET /api/alerts/firings?unseen=true`.',
    message: {
      type: 'event',
      topic: 'alert.fired',
      payload: {
        id: '5c2f1f0e-54d1-4f0b-9a51-6f7f7a3c2b10',
        alertId: '0b6b4c1e-7d0d-4f6a-8f0e-2a6f6f1c9a57',
        name: 'Runaway clip',
        version: 1,
        at: '2026-01-31T12:00:00.000Z',
        firedAt: '2026-01-31T12:00:00.412Z',
        isReplay: false,
        sentence: 'First: velocity 12,300, above 10,000.',
        value: 12300,
        rows: [{ key: 'youtube:dQw4w9WgXcQ', label: 'First', value: 12300, before: null, rank: null, type: 'clips' }],
        rowCount: 1,
      },
    },
  },
  {
    says: 'Something that concerns everybody: `world.changed` with the status of the world.',
    message: {
      type: 'event',
      topic: 'world.changed',
      payload: {
        mode: 'live',
        notice: 'Live data.',
        now: '2026-01-31T12:00:00.000Z',
        speed: 1,
        sources: ['import:youtube-trending'],
      },
    },
  },
  {
    says: 'Something that concerns the one who is signed in: `media.changed` when work on media of theirs begins, goes on or ends. Of a clip request `jobId` is the `requestId`, and its `type` is `clip`. An event that was missed is not sent again: ask for the status after a reconnect.',
    message: {
      type: 'event',
      topic: 'media.changed',
      payload: {
        jobId: '0b6b4c1e-7d0d-4f6a-8f0e-2a6f6f1c9a57',
        type: 'clip',
        vodId: 'own:5f0c8a52-6b1f-4a53-9a37-2f1d0a9b7c11',
        status: 'running',
        progress: 0.4,
      },
    },
  },
  {
    says: 'With an id: the subscription could not be started, or cannot be computed now; it goes on when it can, with a patch or snapshot. Without: about the connection.',
    message: { type: 'error', id: 'top', code: 'UNAVAILABLE', message: 'The engine is restarting.' },
  },
  { says: 'The answer to `ping`.', message: { type: 'pong' } },
]

/** `docs/protocol.md`: every message with an example, every query with its parameters and row. */
export function protocolPage(): string {
  const queries = Object.entries(liveQueries).map(
    ([name, { title, params, row }]) => `### ${name}

${title}.

Parameters:

${schemaTable(params, 'input')}

Row:

${schemaTable(row, 'output')}
`,
  )
  return `# The WebSocket protocol

Made from \`contracts/ws.ts\`. Version ${protocolVersion}: JSON in text frames at \`/ws\`. Fields and messages may be added; ignore those
that you do not know.

A client says \`hello\`, waits for \`welcome\`, and subscribes to queries. Each subscription gets one \`snapshot\`, then
\`patch\`es. Every row has a \`key\`. Applying the patches always gives exactly the snapshot that a fresh subscriber would get. \`seq\`
goes up by one with each patch; a \`snapshot\` may come at any time and carries any higher \`seq\`.

Equal queries share one computation, whoever asks. They are computed when rows that they read were written, and every few seconds as
their windows move, at most ten times a second. A failed computation is an \`error\` with the id; the last rows stay good until then.

A client that reads too slowly skips patches and gets a fresh snapshot when it has caught up. A client whose connection was cut says
\`hello\` with \`resume\` within ${sessionLimits.keptMs / 60_000} minutes and gets the patches that it missed, or a snapshot.

## Limits

| what | limit |
| --- | --- |
| size of a frame | ${wsLimits.frameBytesMax} bytes, else close 1009 |
| subscriptions of a connection | ${wsLimits.subscriptionsMax} |
| messages (and pings) a second | ${wsLimits.messagesPerSecondMax} |
| broken rules and frames that are not understood | each gets an \`error\`, the ${wsLimits.malformedMax}th within a minute of the one before closes with 1008 |
| bytes waiting for a client before it skips patches | ${wsLimits.bufferedBytesMax} |
| silence | a client that answers no WebSocket ping for 150 s is cut |

## What a client sends

${clientExamples.map(example).join('\n\n')}

## What the server sends

${serverExamples.map(example).join('\n\n')}

## Queries

${queries.join('\n')}`
}

function example({ says, message }: { says: string; message: ClientMessage | ServerMessage }): string {
  return `**${message.type}**: ${says}

\`\`\`json
${JSON.stringify(message)}
\`\`\``
}
