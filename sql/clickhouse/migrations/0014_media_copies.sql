-- Which of a user's media are copies of (a part of) which, as their fingerprints say. Derived, and gone with either.
CREATE TABLE IF NOT EXISTS {database}.media_copies_v1
(
    owner_id UUID,
    original_vod_id String CODEC(ZSTD(1)),
    copy_vod_id String CODEC(ZSTD(1)),
    -- picture, sound or both
    kind LowCardinality(String),
    is_mirrored Bool,
    -- Seconds of the original for one of the copy, and the second of the original at which the copy begins.
    speed Float64,
    start_seconds Float64,
    -- Share of the copy's pictures that are the original's; share of the sound's bits that differ.
    picture_share Nullable(Float64),
    sound_difference Nullable(Float64),
    found_at DateTime64(3, 'UTC') CODEC(Delta, ZSTD(1))
)
ENGINE = ReplacingMergeTree(found_at)
ORDER BY (owner_id, original_vod_id, copy_vod_id)
SETTINGS index_granularity = 1024, fsync_after_insert = 1, fsync_part_directory = 1, min_rows_to_fsync_after_merge = 1, min_compressed_bytes_to_fsync_after_merge = 1;
