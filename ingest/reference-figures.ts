/**
 * What a correct import of the reference data gives: the figures of its `SOURCES.md`, by set. `verify.ts` says how each
 * measure is computed. Instants are UTC to the minute or second, as stated there.
 */
export interface ReferenceSet {
  readonly name: string
  /** Paths relative to the reference folder; one that ends in `*` stands for every file that begins so. */
  readonly files: readonly string[]
  /** Small enough for the default test run. */
  readonly isSmall: boolean
  readonly figures: Readonly<Record<string, number | string>>
}

type Trending = readonly [
  file: string,
  rows: number,
  badRows: number,
  rejectedIds: number,
  duplicates: number,
  observations: number,
  videos: number,
  channels: number,
  times: number,
  firstAt: string,
  lastAt: string,
  lastViews: number,
]

/** The trending table of `SOURCES.md`, row by row. */
const trending: readonly Trending[] = [
  ['2017-2018/INvideos.csv.gz', 37352, 0, 518, 4569, 32265, 16305, 1422, 205, '2017-11-14', '2018-06-14', 11141683702],
  [
    '2017-2018/USvideos_75days_joined.csv.gz',
    14999,
    0,
    143,
    0,
    14856,
    3250,
    1536,
    75,
    '2017-11-14',
    '2018-01-29',
    3911237027,
  ],
  [
    '2017-2018/USvideos_205days_union.csv.gz',
    38178,
    0,
    0,
    0,
    38178,
    6299,
    2192,
    205,
    '2017-11-14',
    '2018-06-14',
    12316546892,
  ],
  [
    '2017-2018/USvideos_first15days_allcolumns.csv.gz',
    3000,
    0,
    0,
    0,
    3000,
    791,
    551,
    15,
    '2017-11-14',
    '2017-11-28',
    936944735,
  ],
  [
    '2017-2018/FRvideos_first17days_allcolumns.csv.gz',
    3398,
    0,
    0,
    0,
    3398,
    2602,
    1359,
    17,
    '2017-11-14',
    '2017-11-30',
    699557695,
  ],
  ['2017-09/USvideos_oldformat.csv.gz', 8000, 0, 0, 7, 7993, 2364, 1227, 40, '2017-09-13', '2017-10-22', 2201860443],
  ['2020-08/BR_youtube_trending_data.csv.gz', 944, 0, 0, 0, 944, 330, 262, 5, '2020-08-12', '2020-08-16', 385695271],
  ['2020-08/CA_youtube_trending_data.csv.gz', 832, 0, 0, 0, 832, 318, 269, 5, '2020-08-12', '2020-08-16', 740985205],
  ['2020-08/FR_youtube_trending_data.csv.gz', 957, 1, 0, 0, 956, 390, 304, 5, '2020-08-12', '2020-08-16', 476973429],
  ['2020-08/GB_youtube_trending_data.csv.gz', 853, 0, 0, 0, 853, 346, 283, 5, '2020-08-12', '2020-08-16', 695327058],
  ['2020-08/IN_youtube_trending_data.csv.gz', 741, 0, 0, 5, 736, 347, 271, 5, '2020-08-12', '2020-08-16', 921639032],
  ['2020-08/JP_youtube_trending_data.csv.gz', 659, 0, 0, 0, 659, 292, 225, 4, '2020-08-12', '2020-08-15', 358086348],
  ['2020-08/MX_youtube_trending_data.csv.gz', 967, 0, 0, 0, 967, 318, 244, 5, '2020-08-12', '2020-08-16', 608707196],
  ['2020-08/RU_youtube_trending_data.csv.gz', 602, 0, 0, 0, 602, 459, 371, 4, '2020-08-12', '2020-08-15', 221747939],
  ['2020-08/US_youtube_trending_data.csv.gz', 873, 0, 0, 0, 873, 329, 274, 5, '2020-08-12', '2020-08-16', 762158347],
  [
    '2024-04/US_youtube_trending_data_noheader.csv.gz',
    1139,
    0,
    9,
    0,
    1130,
    346,
    295,
    6,
    '2024-04-10',
    '2024-04-15',
    1257071894,
  ],
  ['2025-11/US-*', 28901, 0, 0, 4398, 24503, 7645, 4799, 13, '2025-11-04T00:56', '2025-11-15T15:16', 23567874693],
  ['2025-11/KR-*', 25083, 0, 0, 4052, 21031, 5840, 3098, 13, '2025-11-04T00:55', '2025-11-15T15:15', 10534039528],
]

type Further = readonly [
  lastLikes: number,
  lastComments: number,
  observedViews: number,
  stepsDown: number,
  seenOnce: number,
]

/** The further sums of `SOURCES.md`, by the file of the table above. */
const further: Readonly<Record<string, Further>> = {
  '2017-2018/INvideos.csv.gz': [235372506, 24150695, 30827205597, 32, 7824],
  '2017-2018/USvideos_75days_joined.csv.gz': [130270847, 16603558, 18179302181, 5, 469],
  '2017-2018/USvideos_205days_union.csv.gz': [350145585, 40734792, 90509329477, 30, 915],
  '2017-09/USvideos_oldformat.csv.gz': [75096866, 9292994, 7504616016, 1, 356],
  '2025-11/US-*': [840863501, 12760868, 95205788188, 37, 2446],
  '2025-11/KR-*': [228094316, 3590698, 46676864357, 10, 1511],
}

/** Tables of at most this many rows are small. */
const smallRowsMax = 10_000

function trendingSet(row: Trending): ReferenceSet {
  const [
    file,
    rows,
    badRows,
    rejectedIds,
    duplicates,
    observations,
    videos,
    channels,
    times,
    firstAt,
    lastAt,
    lastViews,
  ] = row
  const sums = further[file]
  const more = sums && {
    lastLikes: sums[0],
    lastComments: sums[1],
    observedViews: sums[2],
    stepsDown: sums[3],
    seenOnce: sums[4],
  }
  return {
    name: `youtube-trending/${file}`,
    files: [`youtube-trending/${file}`],
    isSmall: rows <= smallRowsMax,
    figures: {
      rows,
      badRows,
      rejectedIds,
      duplicates,
      observations,
      videos,
      channels,
      times,
      firstAt,
      lastAt,
      lastViews,
      ...more,
    },
  }
}

const set = (
  name: string,
  figures: Readonly<Record<string, number | string>>,
  options: { isSmall: boolean } = { isSmall: true },
): ReferenceSet => ({ name, files: [name], figures, ...options })

/** Every set with figures, in the order of `SOURCES.md`. */
export const referenceSets: readonly ReferenceSet[] = [
  ...trending.map(trendingSet),
  ...(['US', 'RU', 'JP'] as const).map(country =>
    set(`youtube-trending/2018-11-01/18.01.11_${country}_videos.csv.gz`, {
      rows: 200,
      videos: 200,
      firstAt: '2018-11-01',
      lastAt: '2018-11-01',
      lastViews: { US: 1285154051, RU: 62360810, JP: 80746836 }[country],
    }),
  ),
  set('youtube-channels/youtube_daily_snapshots.csv.gz', {
    rows: 4628,
    creators: 227,
    creatorTimes: 30,
    creatorsFirstDay: 25,
    creatorFirstAt: '2026-01-17',
    creatorLastAt: '2026-02-15',
    creatorLastViews: 7624450090,
    creatorLastFollowers: 35538027,
  }),
  set('youtube-channels/videos_2026-01.csv.gz', {
    videos: 4401,
    channels: 131,
    observedViews: 223226158,
    missingLikes: 111,
  }),
  set('youtube-channels/videos_2026-02.csv.gz', { videos: 6616, channels: 200, observedViews: 518191497 }),
  set('youtube-channels/all_videos.jsonl.gz', { rows: 4786, videos: 4786, channels: 28, observedViews: 197178383 }),
  set('tiktok/trending_2020-12.json.gz', {
    rows: 1000,
    videos: 1000,
    channels: 802,
    observedViews: 1029212935,
    observedLikes: 96797880,
    observedShares: 1905361,
    observedComments: 1271535,
  }),
  set(
    'tiktok/top_users_vids.csv.gz',
    {
      rows: 12559,
      videos: 12559,
      channels: 254,
      observedViews: 69718744120,
      publishedFirstAt: '2016-05-24',
      publishedLastAt: '2020-11-07',
    },
    { isSmall: false },
  ),
  set(
    'tiktok/sug_users_vids1.csv.gz',
    {
      rows: 11921,
      videos: 11921,
      channels: 488,
      observedViews: 35735383585,
      publishedFirstAt: '2015-12-01',
      publishedLastAt: '2020-11-08',
    },
    { isSmall: false },
  ),
  set(
    'tiktok/sug_users_vids2.csv.gz',
    {
      rows: 11903,
      videos: 11903,
      channels: 492,
      observedViews: 18771621814,
      publishedFirstAt: '2016-01-05',
      publishedLastAt: '2020-11-08',
    },
    { isSmall: false },
  ),
  set(
    'tiktok/discover_hourly_www_2022.csv.gz',
    {
      rows: 191427,
      discoverTimes: 4014,
      creatorFirstAt: '2022-03-24T20:40:04',
      creatorLastAt: '2022-11-15T00:22:53',
      creatorSamples: 112425,
      hashtagSamples: 40140,
      soundSamples: 38862,
      creators: 52,
      hashtags: 115,
      sounds: 37,
    },
    { isSmall: false },
  ),
  set(
    'instagram/posts_br_state_governments.csv.gz',
    {
      rows: 18927,
      videos: 18927,
      publishedFirstAt: '2021-01-01T03:06:04',
      publishedLastAt: '2024-12-31T23:11:47',
      observedLikes: 26874545,
      observedComments: 1210808,
      emptyTitles: 6,
      profiles: [
        'Educação SP 11',
        'Governo SP 5076',
        'Governo de Minas Gerais 3255',
        'Governo de Santa Catarina 2559',
        'Governo do Rio Grande do Sul 4508',
        'Governo do Rio de Janeiro 3513',
        'Perfil oficial do Detran.RJ 3',
        'Secom SP 1',
        'Segurança Pública SP 1',
      ].join(', '),
    },
    { isSmall: false },
  ),
  set('instagram/instagram_data_reach.csv.gz', { rows: 176, videos: 176 }),
  // The tables repeat some accounts, so there are fewer creators than rows.
  ...(['instagram', 'tiktok', 'youtube'] as const).map(platform =>
    set(`influencers/${platform}.csv.gz`, { rows: 1000 }),
  ),
]
