-- Values at instants of one hour, kept for the windows that are asked for again and again: of each video the last reading up
-- to the hour's beginning (at most 36 h before its boundary) and those within the hour. One narrow table
-- then says what the boundary and the readings after it say together. analytics/queries/start-cache.ts makes it and knows which
-- builds are still true; losing rows costs time and makes nothing wrong. A build is a partition: it is dropped whole, and one that
-- nobody dropped expires.
CREATE TABLE IF NOT EXISTS {database}.starts_v1
(
    build Int64,
    platform LowCardinality(String),
    video_key UInt64 CODEC(ZSTD(1)),
    -- The last reading that gives views up to the hour's beginning, as in readings_v1; 0 where there is none.
    before UInt128 CODEC(ZSTD(1)),
    -- The first one within the hour that gives views, bit 107 where there is none; and those after it.
    first UInt128 CODEC(ZSTD(1)),
    more Array(UInt128) CODEC(ZSTD(1)),
    -- Readings without views, before the hour and within it.
    viewless Array(UInt128) CODEC(ZSTD(1)),
    expires_at DateTime('UTC') CODEC(Delta, ZSTD(1))
)
ENGINE = MergeTree
PARTITION BY build
ORDER BY (platform, video_key)
TTL expires_at DELETE
SETTINGS ttl_only_drop_parts = 1, fsync_after_insert = 1, fsync_part_directory = 1, min_rows_to_fsync_after_merge = 1, min_compressed_bytes_to_fsync_after_merge = 1;
