-- Fingerprints of users' media, by which copies of it are found: rows of one moment each. A picture has 256 bits of one
-- view of it; sound has 32 bits, in bits_0. Private: found by their owner alone. Derived from the media and gone with it.
CREATE TABLE IF NOT EXISTS {database}.media_prints_v1
(
    owner_id UUID,
    kind LowCardinality(String),
    vod_id String CODEC(ZSTD(1)),
    view LowCardinality(String),
    at_ms UInt32 CODEC(Delta, ZSTD(1)),
    bits_0 UInt64,
    bits_1 UInt64,
    bits_2 UInt64,
    bits_3 UInt64,
    written_at DateTime64(3, 'UTC') DEFAULT now64(3) CODEC(Delta, ZSTD(1))
)
ENGINE = ReplacingMergeTree(written_at)
ORDER BY (owner_id, kind, vod_id, view, at_ms)
SETTINGS index_granularity = 2048, fsync_after_insert = 1, fsync_part_directory = 1, min_rows_to_fsync_after_merge = 1, min_compressed_bytes_to_fsync_after_merge = 1;
