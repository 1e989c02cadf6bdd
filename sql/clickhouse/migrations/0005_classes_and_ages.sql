-- What stands beside the rollups: which videos may not be ranked across platforms, whom a video belongs to, views at
-- fixed ages, and marks of written cells that are counts and not instants. Everything here is made again from the samples, so a migration that
-- was cut off starts anew.

-- Of readings of one (subject, instant, source) the one that stays must not depend on which came first: a missing counter
-- is less than a zero, and what is left of the row, or its hash, closes ties. Who reads rows that are not merged yet orders
-- them by the same column.
ALTER TABLE {database}.samples_v1 MODIFY COLUMN quality UInt256 MATERIALIZED bitShiftLeft(toUInt256(ifNull(views + 1, 0)), 192) + bitShiftLeft(toUInt256(ifNull(likes + 1, 0)), 128) + bitShiftLeft(toUInt256(ifNull(comments + 1, 0)), 64) + toUInt256(cityHash64(creator_id, endpoint, definition_version, ifNull(toString(shares), ''), ifNull(toString(saves), ''))) CODEC(ZSTD(1));

ALTER TABLE {database}.samples_v1 MATERIALIZE COLUMN quality SETTINGS mutations_sync = 2;

ALTER TABLE {database}.own_samples_v1 MODIFY COLUMN quality UInt256 MATERIALIZED bitShiftLeft(toUInt256(ifNull(views + 1, 0)), 192) + bitShiftLeft(toUInt256(ifNull(likes + 1, 0)), 128) + bitShiftLeft(toUInt256(ifNull(comments + 1, 0)), 64) + toUInt256(cityHash64(creator_id, endpoint, definition_version, ifNull(toString(shares), ''), ifNull(toString(saves), ''))) CODEC(ZSTD(1));

ALTER TABLE {database}.own_samples_v1 MATERIALIZE COLUMN quality SETTINGS mutations_sync = 2;

ALTER TABLE {database}.creator_samples_v1 MODIFY COLUMN quality UInt256 MATERIALIZED bitShiftLeft(toUInt256(ifNull(followers + 1, 0)), 192) + bitShiftLeft(toUInt256(ifNull(views + 1, 0)), 128) + bitShiftLeft(toUInt256(ifNull(videos + 1, 0)), 64) + toUInt256(ifNull(likes + 1, 0)) CODEC(ZSTD(1));

ALTER TABLE {database}.creator_samples_v1 MATERIALIZE COLUMN quality SETTINGS mutations_sync = 2;

ALTER TABLE {database}.own_creator_samples_v1 MODIFY COLUMN quality UInt256 MATERIALIZED bitShiftLeft(toUInt256(ifNull(followers + 1, 0)), 192) + bitShiftLeft(toUInt256(ifNull(views + 1, 0)), 128) + bitShiftLeft(toUInt256(ifNull(videos + 1, 0)), 64) + toUInt256(ifNull(likes + 1, 0)) CODEC(ZSTD(1));

ALTER TABLE {database}.own_creator_samples_v1 MATERIALIZE COLUMN quality SETTINGS mutations_sync = 2;

ALTER TABLE {database}.topic_samples_v1 MODIFY COLUMN quality UInt128 MATERIALIZED bitShiftLeft(toUInt128(ifNull(views + 1, 0)), 64) + toUInt128(ifNull(videos + 1, 0)) CODEC(ZSTD(1));

ALTER TABLE {database}.topic_samples_v1 MATERIALIZE COLUMN quality SETTINGS mutations_sync = 2;

-- Videos that a source has read whose terms do not let its numbers stand beside those of others (contracts/samples.ts has
-- the classes, and a test holds this condition equal to them). Lists across platforms and the clip index leave them out
-- whole. They stay in here for a while after the last such sample has expired, until no rollup can hold it any more.
CREATE TABLE IF NOT EXISTS {database}.unmixable_videos_v1
(
    platform LowCardinality(String),
    video_key UInt64 CODEC(ZSTD(1)),
    expires_at DateTime('UTC') CODEC(Delta, ZSTD(1))
)
ENGINE = ReplacingMergeTree(expires_at)
ORDER BY (platform, video_key)
TTL expires_at DELETE WHERE expires_at < '2106-01-01'
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1, min_rows_to_fsync_after_merge = 1, min_compressed_bytes_to_fsync_after_merge = 1;

CREATE MATERIALIZED VIEW IF NOT EXISTS {database}.unmixable_videos_mv_v1 TO {database}.unmixable_videos_v1 AS
SELECT
    platform,
    cityHash64(platform, video_id) AS video_key,
    max(if(samples_v1.expires_at < '2105-01-01', samples_v1.expires_at + toIntervalDay(60), samples_v1.expires_at)) AS expires_at
FROM {database}.samples_v1
WHERE NOT (startsWith(source, 'import:') OR startsWith(source, 'own:'))
GROUP BY platform, video_key;

INSERT INTO {database}.unmixable_videos_v1 (platform, video_key, expires_at)
SELECT
    platform,
    cityHash64(platform, video_id) AS video_key,
    max(if(samples_v1.expires_at < '2105-01-01', samples_v1.expires_at + toIntervalDay(60), samples_v1.expires_at))
FROM {database}.samples_v1
WHERE NOT (startsWith(source, 'import:') OR startsWith(source, 'own:'))
GROUP BY platform, video_key;

-- Every creator that any source has named for a video, and when last: the reading (as in readings_v1) that named it, 0
-- for descriptions. A video belongs to the creator of its last reading (rank-groups.sql says what counts among equal ones).
-- The row of latest_v1 cannot say that: of equal readings it keeps the one that came last.
DROP VIEW IF EXISTS {database}.creator_videos_mv_v1;

DROP VIEW IF EXISTS {database}.creator_videos_described_mv_v1;

DROP TABLE IF EXISTS {database}.creator_videos_v1;

CREATE TABLE {database}.creator_videos_v1
(
    platform LowCardinality(String),
    creator_id String CODEC(ZSTD(1)),
    video_key UInt64 CODEC(ZSTD(1)),
    video_id String CODEC(ZSTD(1)),
    creator_key UInt64 CODEC(ZSTD(1)),
    named_by UInt128 CODEC(ZSTD(1))
)
ENGINE = ReplacingMergeTree(named_by)
ORDER BY (platform, creator_id, video_key)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1, min_rows_to_fsync_after_merge = 1, min_compressed_bytes_to_fsync_after_merge = 1;

CREATE MATERIALIZED VIEW {database}.creator_videos_mv_v1 TO {database}.creator_videos_v1 AS
SELECT
    platform,
    creator_id,
    cityHash64(platform, video_id) AS video_key,
    video_id,
    cityHash64(platform, creator_id) AS creator_key,
    max(bitOr(bitOr(bitShiftLeft(toUInt128(isNotNull(views)), 106), bitShiftLeft(toUInt128(toUnixTimestamp64Milli(observed_at)), 64)), toUInt128(ifNull(views, ifNull(likes, 0))))) AS named_by
FROM {database}.samples_v1
WHERE creator_id != ''
GROUP BY platform, creator_id, video_id;

CREATE MATERIALIZED VIEW {database}.creator_videos_described_mv_v1 TO {database}.creator_videos_v1 AS
SELECT DISTINCT
    platform,
    creator_id,
    cityHash64(platform, video_id) AS video_key,
    video_id,
    cityHash64(platform, creator_id) AS creator_key,
    toUInt128(0) AS named_by
FROM {database}.videos_v1
WHERE creator_id != '';

INSERT INTO {database}.creator_videos_v1 (platform, creator_id, video_key, video_id, creator_key, named_by)
SELECT
    platform,
    creator_id,
    cityHash64(platform, video_id) AS video_key,
    video_id,
    cityHash64(platform, creator_id) AS creator_key,
    max(bitOr(bitOr(bitShiftLeft(toUInt128(isNotNull(views)), 106), bitShiftLeft(toUInt128(toUnixTimestamp64Milli(observed_at)), 64)), toUInt128(ifNull(views, ifNull(likes, 0)))))
FROM {database}.samples_v1
WHERE creator_id != ''
GROUP BY platform, creator_id, video_id;

INSERT INTO {database}.creator_videos_v1 (platform, creator_id, video_key, video_id, creator_key, named_by)
SELECT DISTINCT platform, creator_id, cityHash64(platform, video_id) AS video_key, video_id, cityHash64(platform, creator_id) AS creator_key, toUInt128(0)
FROM {database}.videos_v1
WHERE creator_id != '';

-- Views at fixed ages, by the instant of publication they are counted from: the greatest reading (as in readings_v1) of
-- the 36 hours up to the age. Readings only ever come, so the greatest wins, whenever it came, and a row is final once the age has
-- passed and its samples are settled. It stays when the samples expire, unless the video is one of unmixable_videos_v1: those are forgotten with
-- their samples. age_hours = 0 says that all samples there were have been looked at for this publication.
-- Rows are added by analytics/settle.ts only.
CREATE TABLE IF NOT EXISTS {database}.frozen_ages_v1
(
    age_hours UInt16,
    platform LowCardinality(String),
    video_key UInt64 CODEC(ZSTD(1)),
    published_ms Int64 CODEC(ZSTD(1)),
    reading UInt128 CODEC(ZSTD(1)),
    expires_at DateTime('UTC') CODEC(Delta, ZSTD(1))
)
ENGINE = ReplacingMergeTree(reading)
ORDER BY (age_hours, platform, video_key, published_ms)
TTL expires_at DELETE WHERE expires_at < '2106-01-01'
SETTINGS index_granularity = 2048, fsync_after_insert = 1, fsync_part_directory = 1, min_rows_to_fsync_after_merge = 1, min_compressed_bytes_to_fsync_after_merge = 1;

-- A cell is settled when as many inserts into it stand in the boundaries as there were. The mark is made by the readings and not by the
-- samples, and the engine makes it after they are visible: who sees the mark sees the readings, and an insert whose mark comes
-- later is one more. With instants, an insert that had begun before a settling and became visible during it
-- looked older than the settling that had missed it.
ALTER TABLE {database}.rollup_cells_v1 ADD COLUMN IF NOT EXISTS inserts SimpleAggregateFunction(sum, UInt64);

ALTER TABLE {database}.rollup_cells_v1 ADD COLUMN IF NOT EXISTS settled_inserts SimpleAggregateFunction(max, UInt64);

DROP VIEW IF EXISTS {database}.rollup_cells_mv_v1;

CREATE MATERIALIZED VIEW {database}.rollup_cells_mv_v1 TO {database}.rollup_cells_v1 AS
SELECT
    toDateTime(intDiv(toUnixTimestamp64Milli(observed_at) + 21599999, 21600000) * 21600, 'UTC') AS cell_at,
    toUInt64(1) AS inserts
FROM {database}.readings_v1
GROUP BY cell_at;

-- Nobody knows which cells were marked wrongly: all are settled once more.
INSERT INTO {database}.rollup_cells_v1 (cell_at, inserts)
SELECT DISTINCT toDateTime(intDiv(toUnixTimestamp64Milli(observed_at) + 21599999, 21600000) * 21600, 'UTC') AS cell_at, 1
FROM {database}.readings_v1;
