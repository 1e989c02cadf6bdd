-- Rollups of the samples, filled by materialized views and read by the ranked lists.
--
-- A reading is one number that orders a video's samples by what counts for "the value at an instant", so that a plain
-- max() finds it: bit 106 says that views are given, bits 64 to 105 are the instant (epoch milliseconds), bits 0 to 63
-- are the views (the likes where a source gives no views: they order such lists). Of equal instants the one with the
-- most views wins, whatever came first: the order of imports does not matter, and writing a row twice changes nothing. Everything beside the views is read from the samples themselves.
-- video_key and creator_key are 64 bit hashes: grouping and joining by them costs a third of grouping by the texts.
--
-- A window [S, E] reads latest_v1 (or the boundary before E when E lies in the past), the boundary before S, and the
-- readings between that boundary and S: the same rows whether the window is a day or a month long.

-- Every reading, ordered by time (samples_v1 is ordered by video).
CREATE TABLE IF NOT EXISTS {database}.readings_v1
(
    hour_at DateTime('UTC') CODEC(Delta, ZSTD(1)),
    platform LowCardinality(String),
    video_key UInt64 CODEC(ZSTD(1)),
    observed_at DateTime64(3, 'UTC') CODEC(Delta, ZSTD(1)),
    reading UInt128 CODEC(ZSTD(1)),
    expires_at DateTime('UTC') CODEC(Delta, ZSTD(1))
)
ENGINE = ReplacingMergeTree(reading)
PARTITION BY toYYYYMM(observed_at)
ORDER BY (hour_at, platform, video_key, observed_at)
TTL expires_at DELETE WHERE expires_at < '2106-01-01'
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1, min_rows_to_fsync_after_merge = 1, min_compressed_bytes_to_fsync_after_merge = 1;

CREATE MATERIALIZED VIEW IF NOT EXISTS {database}.readings_mv_v1 TO {database}.readings_v1 AS
SELECT
    toStartOfHour(toDateTime(observed_at, 'UTC')) AS hour_at,
    platform,
    cityHash64(platform, video_id) AS video_key,
    observed_at,
    bitOr(bitOr(bitShiftLeft(toUInt128(isNotNull(views)), 106), bitShiftLeft(toUInt128(toUnixTimestamp64Milli(observed_at)), 64)), toUInt128(ifNull(views, ifNull(likes, 0)))) AS reading,
    expires_at
FROM {database}.samples_v1;

-- The last reading of each video: what live windows end with. Also the way from video_key back to the ids.
CREATE TABLE IF NOT EXISTS {database}.latest_v1
(
    platform LowCardinality(String),
    video_key UInt64 CODEC(ZSTD(1)),
    video_id String CODEC(ZSTD(1)),
    creator_id String CODEC(ZSTD(1)),
    creator_key UInt64 CODEC(ZSTD(1)),
    reading UInt128 CODEC(ZSTD(1)),
    expires_at DateTime('UTC') CODEC(Delta, ZSTD(1))
)
ENGINE = ReplacingMergeTree(reading)
ORDER BY (platform, video_key)
TTL expires_at DELETE WHERE expires_at < '2106-01-01'
SETTINGS index_granularity = 2048, fsync_after_insert = 1, fsync_part_directory = 1, min_rows_to_fsync_after_merge = 1, min_compressed_bytes_to_fsync_after_merge = 1;

CREATE MATERIALIZED VIEW IF NOT EXISTS {database}.latest_mv_v1 TO {database}.latest_v1 AS
SELECT
    platform,
    cityHash64(platform, video_id) AS video_key,
    video_id,
    creator_id,
    cityHash64(platform, creator_id) AS creator_key,
    bitOr(bitOr(bitShiftLeft(toUInt128(isNotNull(views)), 106), bitShiftLeft(toUInt128(toUnixTimestamp64Milli(observed_at)), 64)), toUInt128(ifNull(views, ifNull(likes, 0)))) AS reading,
    expires_at
FROM {database}.samples_v1;

-- The first reading of each video that gives views (else the first at all), with its instant's bits turned over: the
-- greatest is the earliest, and of equal instants the one with the most views.
CREATE TABLE IF NOT EXISTS {database}.firsts_v1
(
    platform LowCardinality(String),
    video_key UInt64 CODEC(ZSTD(1)),
    turned UInt128 CODEC(ZSTD(1)),
    expires_at DateTime('UTC') CODEC(Delta, ZSTD(1))
)
ENGINE = ReplacingMergeTree(turned)
ORDER BY (platform, video_key)
TTL expires_at DELETE WHERE expires_at < '2106-01-01'
SETTINGS index_granularity = 2048, fsync_after_insert = 1, fsync_part_directory = 1, min_rows_to_fsync_after_merge = 1, min_compressed_bytes_to_fsync_after_merge = 1;

CREATE MATERIALIZED VIEW IF NOT EXISTS {database}.firsts_mv_v1 TO {database}.firsts_v1 AS
SELECT
    platform,
    cityHash64(platform, video_id) AS video_key,
    bitOr(bitOr(bitShiftLeft(toUInt128(isNotNull(views)), 106), bitShiftLeft(toUInt128(4398046511103 - toUnixTimestamp64Milli(observed_at)), 64)), toUInt128(ifNull(views, ifNull(likes, 0)))) AS turned,
    expires_at
FROM {database}.samples_v1;

-- Boundary snapshots: for each boundary instant, the last reading at or before it of each video. Two kinds of rows:
-- is_old = 0, every six hours, readings at most 36 h old (the shortest look-back there is); is_old = 1, every midnight,
-- readings more than 12 h and at most 31 days old, for the look-back of long windows. So a video that is no longer read
-- costs 6 + 31 small rows and then nothing.
-- Rows are only ever added by analytics/settle.ts; the greatest reading of a key wins.
CREATE TABLE IF NOT EXISTS {database}.boundaries_v1
(
    at DateTime('UTC') CODEC(Delta, ZSTD(1)),
    is_old UInt8,
    platform LowCardinality(String),
    video_key UInt64 CODEC(ZSTD(1)),
    reading UInt128 CODEC(ZSTD(1)),
    expires_at DateTime('UTC') CODEC(Delta, ZSTD(1))
)
ENGINE = ReplacingMergeTree(reading)
PARTITION BY toYYYYMM(at)
ORDER BY (at, is_old, platform, video_key)
TTL expires_at DELETE WHERE expires_at < '2106-01-01'
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1, min_rows_to_fsync_after_merge = 1, min_compressed_bytes_to_fsync_after_merge = 1;

-- What is settled. A cell is the six hours up to and including the boundary cell_at: when samples of it were last
-- written, and up to which writing they stand in the boundaries. The row of 1970-01-01 holds the watermark: its
-- settled_at is the last boundary that exists. A query reads no boundary that an unsettled cell could change.
CREATE TABLE IF NOT EXISTS {database}.rollup_cells_v1
(
    cell_at DateTime('UTC'),
    written_at SimpleAggregateFunction(max, DateTime64(6, 'UTC')),
    settled_at SimpleAggregateFunction(max, DateTime64(6, 'UTC'))
)
ENGINE = AggregatingMergeTree
ORDER BY cell_at
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1, min_rows_to_fsync_after_merge = 1, min_compressed_bytes_to_fsync_after_merge = 1;

CREATE MATERIALIZED VIEW IF NOT EXISTS {database}.rollup_cells_mv_v1 TO {database}.rollup_cells_v1 AS
SELECT
    toDateTime(intDiv(toUnixTimestamp64Milli(observed_at) + 21599999, 21600000) * 21600, 'UTC') AS cell_at,
    now64(6, 'UTC') AS written_at,
    toDateTime64(0, 6, 'UTC') AS settled_at
FROM {database}.samples_v1
GROUP BY cell_at;
