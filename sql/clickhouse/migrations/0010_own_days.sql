-- What own accounts gained by day, as platforms count it themselves: YouTube's days are California's and two to three days
-- late. A day is read again until it has settled: the last reading holds.
CREATE TABLE IF NOT EXISTS {database}.own_days_v1
(
    owner_id UUID,
    platform LowCardinality(String),
    creator_id String CODEC(ZSTD(1)),
    day Date CODEC(Delta, ZSTD(1)),
    views Nullable(UInt64) CODEC(T64, ZSTD(1)),
    likes Nullable(UInt64) CODEC(T64, ZSTD(1)),
    comments Nullable(UInt64) CODEC(T64, ZSTD(1)),
    shares Nullable(UInt64) CODEC(T64, ZSTD(1)),
    saves Nullable(UInt64) CODEC(T64, ZSTD(1)),
    watch_minutes Nullable(UInt64) CODEC(T64, ZSTD(1)),
    followers_gained Nullable(UInt64) CODEC(T64, ZSTD(1)),
    followers_lost Nullable(UInt64) CODEC(T64, ZSTD(1)),
    observed_at DateTime64(3, 'UTC') CODEC(Delta, ZSTD(1)),
    source LowCardinality(String),
    endpoint LowCardinality(String),
    expires_at DateTime('UTC') DEFAULT '2106-02-07 00:00:00' CODEC(Delta, ZSTD(1))
)
ENGINE = ReplacingMergeTree(observed_at)
PARTITION BY toYYYYMM(day)
ORDER BY (owner_id, platform, creator_id, day, source)
TTL expires_at DELETE WHERE expires_at < '2106-01-01'
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1, min_rows_to_fsync_after_merge = 1, min_compressed_bytes_to_fsync_after_merge = 1;
