/** A column of a view, in the engine's type and in words. */
export interface ColumnDescription {
  readonly type: string
  readonly comment: string
}

/** What a view holds, and each of its columns, in their order. */
export interface ViewDescription {
  readonly comment: string
  readonly columns: Readonly<Record<string, ColumnDescription>>
}

const column = (type: string, comment: string): ColumnDescription => ({ type, comment })
const text = (comment: string) => column('String', comment)
const counter = (comment: string) => column('Nullable(UInt64)', comment)
const instant = "DateTime64(3, 'UTC')"

const platform = column('LowCardinality(String)', '`youtube`, `tiktok` or `instagram`.')
const video_id = text("The platform's id of the video, without its name: on the wire `platform:video_id`.")
const creator_id = text("The platform's id of the creator.")
const observed_at = column(instant, 'When the counters were read (UTC).')
const source = text('Where the reading came from, e.g. `import:…` or `youtube-api`.')
const topic = text('A hashtag or phrase, in lower case.')

/** The schemas that users' SQL may read. */
export const schemaDescriptions = {
  v: 'Public numbers, the same for everybody.',
  mine: 'Your own numbers: those of accounts that you have linked, which nobody else sees. It has the same views as `v`.',
} as const

/** By the name of the view, which both schemas have. The engine knows the types alone; a test compares both. */
export const viewDescriptions: Readonly<Record<string, ViewDescription>> = {
  samples: {
    comment: 'One reading of the counters of one video: a row for each video and instant.',
    columns: {
      platform,
      video_id,
      creator_id,
      observed_at,
      views: counter('All views so far; NULL where the platform does not say.'),
      likes: counter('All likes so far; NULL where the platform does not say.'),
      comments: counter('All comments so far; NULL where the platform does not say.'),
      shares: counter('All shares so far; NULL where the platform does not say.'),
      saves: counter('How often it was saved; NULL where the platform does not say.'),
      source,
    },
  },
  videos: {
    comment: 'What is known of each video besides its counters, from the newest description.',
    columns: {
      platform,
      video_id,
      creator_id,
      kind: text('`clip`, `vod` (a recording of a broadcast) or `stream`.'),
      title: text('Its title.'),
      url: text('Its page.'),
      thumbnail_url: text('Its picture.'),
      published_at: column(`Nullable(${instant})`, 'When it was published (UTC); NULL where unknown.'),
      ended_at: column(`Nullable(${instant})`, 'Of a broadcast: when it ended (UTC).'),
      duration_seconds: column('Nullable(Float64)', 'Its length in seconds; NULL where unknown.'),
      category: text('The category that the platform puts it in.'),
      tags: column('Array(String)', 'Its tags.'),
      regions: column('Array(String)', 'Countries in whose lists it was seen, as two letters.'),
    },
  },
  creators: {
    comment: 'What is known of each creator.',
    columns: {
      platform,
      creator_id,
      name: text('The name that is shown.'),
      handle: text('The handle, where there is one.'),
    },
  },
  topics: {
    comment: 'Which videos belong to which topic: a row for each pair.',
    columns: { topic, platform, video_id },
  },
  creator_samples: {
    comment: 'One reading of the counters of one creator.',
    columns: {
      platform,
      creator_id,
      observed_at,
      followers: counter('Followers then; NULL where the platform does not say.'),
      views: counter('Views of all their videos so far; NULL where the platform does not say.'),
      videos: counter('Videos that they have published; NULL where the platform does not say.'),
      source,
    },
  },
  topic_samples: {
    comment: 'One reading of the counters of a whole topic, from sources that count topics.',
    columns: {
      platform,
      topic,
      observed_at,
      views: counter('Views of all its videos so far.'),
      videos: counter('Videos that it has.'),
      source,
    },
  },
  trends: {
    comment: 'A row for each video and day (UTC) on which it was read.',
    columns: {
      platform,
      video_id,
      creator_id,
      day: column('Date', 'The day.'),
      views: column('UInt64', 'The last views of the day.'),
      gain: column(
        'Nullable(Int64)',
        'What they are above the last views of the day before that has any; NULL on the first such day.',
      ),
      readings: column('UInt64', 'How many readings stand behind it.'),
    },
  },
}
