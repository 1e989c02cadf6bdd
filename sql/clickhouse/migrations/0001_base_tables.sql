-- Base tables of one world. {database} is put in by the migration runner: each world has its own database with the same
-- tables. One statement per `;` at a line's end.
--
-- fsync: without these four settings the engine did not start again after a power loss; with them nothing was lost in
-- 30 of 30 tries, for about 1 ms an insert. They stand in every table.
--
-- Partitions are months of the observation: a month is what retention and a backup move in one piece, and a 30 day
-- window reads two of them. Samples are ordered by video and then time, because series, boundaries and corrections
-- read one video; questions over all videos at one time read the rollups, which are ordered by time.
--
-- Retention: expires_at is set from the source's policy class when a row is written; 2106-02-07 stands for "keep".

CREATE TABLE IF NOT EXISTS {database}.samples_v1
(
    platform LowCardinality(String),
    video_id String CODEC(ZSTD(1)),
    creator_id String CODEC(ZSTD(1)),
    observed_at DateTime64(3, 'UTC') CODEC(Delta, ZSTD(1)),
    views Nullable(UInt64) CODEC(T64, ZSTD(1)),
    likes Nullable(UInt64) CODEC(T64, ZSTD(1)),
    comments Nullable(UInt64) CODEC(T64, ZSTD(1)),
    shares Nullable(UInt64) CODEC(T64, ZSTD(1)),
    saves Nullable(UInt64) CODEC(T64, ZSTD(1)),
    source LowCardinality(String),
    endpoint LowCardinality(String),
    definition_version UInt16,
    expires_at DateTime('UTC') DEFAULT '2106-02-07 00:00:00' CODEC(Delta, ZSTD(1)),
    -- Orders duplicates of one (platform, video, instant, source): most views, then likes, then comments win.
    quality UInt256 MATERIALIZED bitShiftLeft(toUInt256(ifNull(views, 0)), 128) + bitShiftLeft(toUInt256(ifNull(likes, 0)), 64) + ifNull(comments, 0) CODEC(ZSTD(1))
)
ENGINE = ReplacingMergeTree(quality)
PARTITION BY toYYYYMM(observed_at)
ORDER BY (platform, video_id, observed_at, source)
TTL expires_at DELETE WHERE expires_at < '2106-01-01'
SETTINGS index_granularity = 1024, fsync_after_insert = 1, fsync_part_directory = 1, min_rows_to_fsync_after_merge = 1, min_compressed_bytes_to_fsync_after_merge = 1;

-- The same shape for the private numbers of one user's own accounts: the owner is the first key column, and no rollup
-- of public numbers ever reads this table.
CREATE TABLE IF NOT EXISTS {database}.own_samples_v1
(
    owner_id UUID,
    platform LowCardinality(String),
    video_id String CODEC(ZSTD(1)),
    creator_id String CODEC(ZSTD(1)),
    observed_at DateTime64(3, 'UTC') CODEC(Delta, ZSTD(1)),
    views Nullable(UInt64) CODEC(T64, ZSTD(1)),
    likes Nullable(UInt64) CODEC(T64, ZSTD(1)),
    comments Nullable(UInt64) CODEC(T64, ZSTD(1)),
    shares Nullable(UInt64) CODEC(T64, ZSTD(1)),
    saves Nullable(UInt64) CODEC(T64, ZSTD(1)),
    source LowCardinality(String),
    endpoint LowCardinality(String),
    definition_version UInt16,
    expires_at DateTime('UTC') DEFAULT '2106-02-07 00:00:00' CODEC(Delta, ZSTD(1)),
    quality UInt256 MATERIALIZED bitShiftLeft(toUInt256(ifNull(views, 0)), 128) + bitShiftLeft(toUInt256(ifNull(likes, 0)), 64) + ifNull(comments, 0) CODEC(ZSTD(1))
)
ENGINE = ReplacingMergeTree(quality)
PARTITION BY toYYYYMM(observed_at)
ORDER BY (owner_id, platform, video_id, observed_at, source)
TTL expires_at DELETE WHERE expires_at < '2106-01-01'
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1, min_rows_to_fsync_after_merge = 1, min_compressed_bytes_to_fsync_after_merge = 1;

CREATE TABLE IF NOT EXISTS {database}.creator_samples_v1
(
    platform LowCardinality(String),
    creator_id String CODEC(ZSTD(1)),
    observed_at DateTime64(3, 'UTC') CODEC(Delta, ZSTD(1)),
    followers Nullable(UInt64) CODEC(T64, ZSTD(1)),
    views Nullable(UInt64) CODEC(T64, ZSTD(1)),
    videos Nullable(UInt64) CODEC(T64, ZSTD(1)),
    likes Nullable(UInt64) CODEC(T64, ZSTD(1)),
    source LowCardinality(String),
    endpoint LowCardinality(String),
    definition_version UInt16,
    expires_at DateTime('UTC') DEFAULT '2106-02-07 00:00:00' CODEC(Delta, ZSTD(1)),
    quality UInt256 MATERIALIZED bitShiftLeft(toUInt256(ifNull(followers, 0)), 128) + bitShiftLeft(toUInt256(ifNull(views, 0)), 64) + ifNull(videos, 0) CODEC(ZSTD(1))
)
ENGINE = ReplacingMergeTree(quality)
PARTITION BY toYYYYMM(observed_at)
ORDER BY (platform, creator_id, observed_at, source)
TTL expires_at DELETE WHERE expires_at < '2106-01-01'
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1, min_rows_to_fsync_after_merge = 1, min_compressed_bytes_to_fsync_after_merge = 1;

CREATE TABLE IF NOT EXISTS {database}.own_creator_samples_v1
(
    owner_id UUID,
    platform LowCardinality(String),
    creator_id String CODEC(ZSTD(1)),
    observed_at DateTime64(3, 'UTC') CODEC(Delta, ZSTD(1)),
    followers Nullable(UInt64) CODEC(T64, ZSTD(1)),
    views Nullable(UInt64) CODEC(T64, ZSTD(1)),
    videos Nullable(UInt64) CODEC(T64, ZSTD(1)),
    likes Nullable(UInt64) CODEC(T64, ZSTD(1)),
    source LowCardinality(String),
    endpoint LowCardinality(String),
    definition_version UInt16,
    expires_at DateTime('UTC') DEFAULT '2106-02-07 00:00:00' CODEC(Delta, ZSTD(1)),
    quality UInt256 MATERIALIZED bitShiftLeft(toUInt256(ifNull(followers, 0)), 128) + bitShiftLeft(toUInt256(ifNull(views, 0)), 64) + ifNull(videos, 0) CODEC(ZSTD(1))
)
ENGINE = ReplacingMergeTree(quality)
PARTITION BY toYYYYMM(observed_at)
ORDER BY (owner_id, platform, creator_id, observed_at, source)
TTL expires_at DELETE WHERE expires_at < '2106-01-01'
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1, min_rows_to_fsync_after_merge = 1, min_compressed_bytes_to_fsync_after_merge = 1;

CREATE TABLE IF NOT EXISTS {database}.topic_samples_v1
(
    platform LowCardinality(String),
    topic String CODEC(ZSTD(1)),
    observed_at DateTime64(3, 'UTC') CODEC(Delta, ZSTD(1)),
    views Nullable(UInt64) CODEC(T64, ZSTD(1)),
    videos Nullable(UInt64) CODEC(T64, ZSTD(1)),
    source LowCardinality(String),
    endpoint LowCardinality(String),
    definition_version UInt16,
    expires_at DateTime('UTC') DEFAULT '2106-02-07 00:00:00' CODEC(Delta, ZSTD(1)),
    quality UInt128 MATERIALIZED bitShiftLeft(toUInt128(ifNull(views, 0)), 64) + ifNull(videos, 0) CODEC(ZSTD(1))
)
ENGINE = ReplacingMergeTree(quality)
PARTITION BY toYYYYMM(observed_at)
ORDER BY (platform, topic, observed_at, source)
TTL expires_at DELETE WHERE expires_at < '2106-01-01'
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1, min_rows_to_fsync_after_merge = 1, min_compressed_bytes_to_fsync_after_merge = 1;

-- Per (video, source) the newest row of each set of known fields; readers take field by field the newest that is not
-- empty. `known` stands in the key, so that a later record which knows less never wipes out in a merge what an earlier one
-- said: answers do not depend on what the engine has merged. Small beside the samples: no partitions.
CREATE TABLE IF NOT EXISTS {database}.videos_v1
(
    platform LowCardinality(String),
    video_id String CODEC(ZSTD(1)),
    creator_id String CODEC(ZSTD(1)),
    kind LowCardinality(String),
    title String CODEC(ZSTD(3)),
    url String CODEC(ZSTD(3)),
    thumbnail_url String CODEC(ZSTD(3)),
    published_at Nullable(DateTime64(3, 'UTC')) CODEC(ZSTD(1)),
    ended_at Nullable(DateTime64(3, 'UTC')) CODEC(ZSTD(1)),
    duration_seconds Nullable(Float64) CODEC(ZSTD(1)),
    category LowCardinality(String),
    tags Array(String) CODEC(ZSTD(3)),
    regions Array(LowCardinality(String)),
    topics Array(String) CODEC(ZSTD(3)),
    source LowCardinality(String),
    -- When the source said so; the newest wins.
    observed_at DateTime64(3, 'UTC') CODEC(Delta, ZSTD(1)),
    written_at DateTime64(3, 'UTC') DEFAULT now64(3) CODEC(Delta, ZSTD(1)),
    -- Which fields are not empty, one bit each: ingest/rows.ts states the same.
    known UInt16 MATERIALIZED toUInt16((creator_id != '') + 2 * (title != '') + 4 * (url != '') + 8 * (thumbnail_url != '') + 16 * isNotNull(published_at) + 32 * isNotNull(ended_at) + 64 * isNotNull(duration_seconds) + 128 * (category != '') + 256 * notEmpty(tags))
)
ENGINE = ReplacingMergeTree(observed_at)
ORDER BY (platform, video_id, source, known)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1, min_rows_to_fsync_after_merge = 1, min_compressed_bytes_to_fsync_after_merge = 1;

CREATE TABLE IF NOT EXISTS {database}.creators_v1
(
    platform LowCardinality(String),
    creator_id String CODEC(ZSTD(1)),
    name String CODEC(ZSTD(1)),
    handle String CODEC(ZSTD(1)),
    source LowCardinality(String),
    observed_at DateTime64(3, 'UTC') CODEC(Delta, ZSTD(1)),
    written_at DateTime64(3, 'UTC') DEFAULT now64(3) CODEC(Delta, ZSTD(1)),
    known UInt8 MATERIALIZED toUInt8((name != '') + 2 * (handle != ''))
)
ENGINE = ReplacingMergeTree(observed_at)
ORDER BY (platform, creator_id, source, known)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1, min_rows_to_fsync_after_merge = 1, min_compressed_bytes_to_fsync_after_merge = 1;
