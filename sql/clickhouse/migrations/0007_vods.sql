-- When each video of a creator was indexed: when a source first described it together with its creator. The instant never
-- moves, whatever is said of the video later, so that who asks for what came since an instant gets every video once.
CREATE TABLE IF NOT EXISTS {database}.vods_v1
(
    platform LowCardinality(String),
    creator_id String CODEC(ZSTD(1)),
    video_id String CODEC(ZSTD(1)),
    indexed_at SimpleAggregateFunction(min, DateTime64(3, 'UTC')) CODEC(ZSTD(1))
)
ENGINE = AggregatingMergeTree
ORDER BY (platform, creator_id, video_id)
SETTINGS index_granularity = 2048, fsync_after_insert = 1, fsync_part_directory = 1, min_rows_to_fsync_after_merge = 1, min_compressed_bytes_to_fsync_after_merge = 1;

CREATE MATERIALIZED VIEW IF NOT EXISTS {database}.vods_mv_v1 TO {database}.vods_v1 AS
SELECT platform, creator_id, video_id, min(written_at) AS indexed_at
FROM {database}.videos_v1
WHERE creator_id != ''
GROUP BY platform, creator_id, video_id;

-- Of what was described before this table was there, the oldest description that is still kept.
INSERT INTO {database}.vods_v1 (platform, creator_id, video_id, indexed_at)
SELECT platform, creator_id, video_id, min(written_at)
FROM {database}.videos_v1
WHERE creator_id != ''
GROUP BY platform, creator_id, video_id;
