-- From what lists are filtered by (country, topic, niche) to the videos, keyed the way the filters ask; and what
-- ranked lists need of a video's description. Filled by materialized views from every description that is written.

CREATE TABLE IF NOT EXISTS {database}.video_regions_v1
(
    region LowCardinality(String),
    platform LowCardinality(String),
    video_key UInt64 CODEC(ZSTD(1))
)
ENGINE = ReplacingMergeTree
ORDER BY (region, platform, video_key)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1, min_rows_to_fsync_after_merge = 1, min_compressed_bytes_to_fsync_after_merge = 1;

CREATE MATERIALIZED VIEW IF NOT EXISTS {database}.video_regions_mv_v1 TO {database}.video_regions_v1 AS
SELECT arrayJoin(regions) AS region, platform, cityHash64(platform, video_id) AS video_key
FROM {database}.videos_v1;

CREATE TABLE IF NOT EXISTS {database}.video_topics_v1
(
    topic String CODEC(ZSTD(1)),
    platform LowCardinality(String),
    video_key UInt64 CODEC(ZSTD(1)),
    video_id String CODEC(ZSTD(1))
)
ENGINE = ReplacingMergeTree
ORDER BY (topic, platform, video_key)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1, min_rows_to_fsync_after_merge = 1, min_compressed_bytes_to_fsync_after_merge = 1;

CREATE MATERIALIZED VIEW IF NOT EXISTS {database}.video_topics_mv_v1 TO {database}.video_topics_v1 AS
SELECT arrayJoin(topics) AS topic, platform, cityHash64(platform, video_id) AS video_key, video_id
FROM {database}.videos_v1;

-- The instant of publication, newest description that gives one. announced orders by when it was said (bits 64 up),
-- then by the instant itself (epoch milliseconds), so that equal descriptions agree.
CREATE TABLE IF NOT EXISTS {database}.published_v1
(
    platform LowCardinality(String),
    video_key UInt64 CODEC(ZSTD(1)),
    announced UInt128 CODEC(ZSTD(1))
)
ENGINE = ReplacingMergeTree(announced)
ORDER BY (platform, video_key)
SETTINGS index_granularity = 2048, fsync_after_insert = 1, fsync_part_directory = 1, min_rows_to_fsync_after_merge = 1, min_compressed_bytes_to_fsync_after_merge = 1;

CREATE MATERIALIZED VIEW IF NOT EXISTS {database}.published_mv_v1 TO {database}.published_v1 AS
SELECT
    platform,
    cityHash64(platform, video_id) AS video_key,
    bitOr(bitShiftLeft(toUInt128(toUnixTimestamp64Milli(observed_at)), 64), toUInt128(toUnixTimestamp64Milli(assumeNotNull(published_at)))) AS announced
FROM {database}.videos_v1
WHERE published_at IS NOT NULL;

-- Videos of each creator, for lists of one creator and for the outlier multiple.
CREATE TABLE IF NOT EXISTS {database}.creator_videos_v1
(
    platform LowCardinality(String),
    creator_id String CODEC(ZSTD(1)),
    video_key UInt64 CODEC(ZSTD(1)),
    video_id String CODEC(ZSTD(1))
)
ENGINE = ReplacingMergeTree
ORDER BY (platform, creator_id, video_key)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1, min_rows_to_fsync_after_merge = 1, min_compressed_bytes_to_fsync_after_merge = 1;

CREATE MATERIALIZED VIEW IF NOT EXISTS {database}.creator_videos_mv_v1 TO {database}.creator_videos_v1 AS
SELECT DISTINCT platform, creator_id, cityHash64(platform, video_id) AS video_key, video_id
FROM {database}.samples_v1
WHERE creator_id != '';

CREATE MATERIALIZED VIEW IF NOT EXISTS {database}.creator_videos_described_mv_v1 TO {database}.creator_videos_v1 AS
SELECT DISTINCT platform, creator_id, cityHash64(platform, video_id) AS video_key, video_id
FROM {database}.videos_v1
WHERE creator_id != '';

-- Which niche rule matched which video, written by analytics/niches. A partition is one version of the rules: after a
-- change the old one is dropped whole.
CREATE TABLE IF NOT EXISTS {database}.video_niches_v1
(
    rules_hash LowCardinality(String),
    niche LowCardinality(String),
    platform LowCardinality(String),
    video_key UInt64 DEFAULT cityHash64(platform, video_id) CODEC(ZSTD(1)),
    video_id String CODEC(ZSTD(1)),
    -- The rule in words, e.g. `category is Music` or `tag "fortnite"`; empty: looked at, and no rule matched.
    rule String CODEC(ZSTD(1)),
    tagged_at DateTime64(3, 'UTC') CODEC(Delta, ZSTD(1)),
    -- 0 withdraws an earlier match after a description changed.
    is_match UInt8
)
ENGINE = ReplacingMergeTree(tagged_at)
PARTITION BY rules_hash
ORDER BY (niche, platform, video_key)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1, min_rows_to_fsync_after_merge = 1, min_compressed_bytes_to_fsync_after_merge = 1;

-- How far descriptions have been looked at, per version of the rules (written_at of videos_v1).
CREATE TABLE IF NOT EXISTS {database}.niche_progress_v1
(
    rules_hash String,
    tagged_through DateTime64(3, 'UTC')
)
ENGINE = ReplacingMergeTree(tagged_through)
ORDER BY rules_hash
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1, min_rows_to_fsync_after_merge = 1, min_compressed_bytes_to_fsync_after_merge = 1;
