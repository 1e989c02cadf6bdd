/** What a view holds, and each of its columns, in words: the engine knows only their types. */
export interface ViewDescription {
  readonly comment: string
  readonly columns: Readonly<Record<string, string>>
}

const platform = '`youtube`, `tiktok` or `instagram`.'
const videoId = "The platform's id of the video, without its name: on the wire `platform:video_id`."
const creatorId = "The platform's id of the creator."
const observedAt = 'When the counters were read (UTC).'
const source = 'Where the reading came from, e.g. `import:…` or `youtube-api`.'

/** The schemas that users' SQL may read. */
export const schemaDescriptions = {
  v: 'Public numbers, the same for everybody.',
  mine: 'Your own numbers: those of accounts that you have linked, which nobody else sees. The same views as `v`.',
} as const

/** By the name of the view, which both schemas have. A test holds this complete. */
export const viewDescriptions: Readonly<Record<string, ViewDescription>> = {
  samples: {
    comment: 'One reading of the counters of one video: a row for each video and instant.',
    columns: {
      platform,
      video_id: videoId,
      creator_id: creatorId,
      observed_at: observedAt,
      views: 'All views so far; NULL where the platform does not say.',
      likes: 'All likes so far; NULL where the platform does not say.',
      comments: 'All comments so far; NULL where the platform does not say.',
      shares: 'All shares so far; NULL where the platform does not say.',
      saves: 'How often it was saved; NULL where the platform does not say.',
      source,
    },
  },
  videos: {
    comment: 'What is known of each video besides its counters, from the newest description.',
    columns: {
      platform,
      video_id: videoId,
      creator_id: creatorId,
      kind: '`clip`, `video`, `vod` or `live`, as its source names it.',
      title: 'Its title.',
      url: 'Its page.',
      thumbnail_url: 'Its picture.',
      published_at: 'When it was published (UTC); NULL where unknown.',
      ended_at: 'Of a broadcast: when it ended (UTC).',
      duration_seconds: 'Its length in seconds; NULL where unknown.',
      category: 'The category that the platform puts it in.',
      tags: 'Its tags, in lower case as they came.',
      regions: 'Countries in whose lists it was seen, as two letters.',
    },
  },
  creators: {
    comment: 'What is known of each creator.',
    columns: {
      platform,
      creator_id: creatorId,
      name: 'The name that is shown.',
      handle: 'The handle, where there is one.',
    },
  },
  topics: {
    comment: 'Which videos belong to which topic: a row for each pair.',
    columns: { topic: 'A hashtag or phrase, in lower case.', platform, video_id: videoId },
  },
  creator_samples: {
    comment: 'One reading of the counters of one creator.',
    columns: {
      platform,
      creator_id: creatorId,
      observed_at: observedAt,
      followers: 'Followers then; NULL where the platform does not say.',
      views: 'Views of all their videos so far; NULL where the platform does not say.',
      videos: 'Videos that they have published; NULL where the platform does not say.',
      source,
    },
  },
  topic_samples: {
    comment: 'One reading of the counters of a whole topic, from sources that count topics.',
    columns: {
      platform,
      topic: 'A hashtag or phrase, in lower case.',
      observed_at: observedAt,
      views: 'Views of all its videos so far.',
      videos: 'Videos that it has.',
      source,
    },
  },
  trends: {
    comment: 'A row for each video and day (UTC) on which it was read.',
    columns: {
      platform,
      video_id: videoId,
      creator_id: creatorId,
      day: 'The day.',
      views: 'The last views of the day.',
      gain: 'What they are above the last views of the day before that has any; NULL on the first such day.',
      readings: 'How many readings stand behind it.',
    },
  },
}
