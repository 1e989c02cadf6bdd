-- How long descriptions may be kept, and of which videos measures may be made. contracts/samples.ts has the terms of each class
-- of sources; the writer sets expires_at by them. What was written before came with the terms of 30 days, or with none.

ALTER TABLE {database}.videos_v1 ADD COLUMN IF NOT EXISTS expires_at DateTime('UTC') DEFAULT '2106-02-07 00:00:00' CODEC(Delta, ZSTD(1));

ALTER TABLE {database}.videos_v1 UPDATE expires_at = toDateTime(observed_at, 'UTC') + toIntervalDay(30) WHERE startsWith(source, 'youtube-api') SETTINGS mutations_sync = 2;

ALTER TABLE {database}.videos_v1 MODIFY TTL expires_at DELETE WHERE expires_at < '2106-01-01';

ALTER TABLE {database}.creators_v1 ADD COLUMN IF NOT EXISTS expires_at DateTime('UTC') DEFAULT '2106-02-07 00:00:00' CODEC(Delta, ZSTD(1));

ALTER TABLE {database}.creators_v1 UPDATE expires_at = toDateTime(observed_at, 'UTC') + toIntervalDay(30) WHERE startsWith(source, 'youtube-api') SETTINGS mutations_sync = 2;

ALTER TABLE {database}.creators_v1 MODIFY TTL expires_at DELETE WHERE expires_at < '2106-01-01';

-- Topics are words of titles and go with them: of several descriptions of a video, with the one that may stay the longest.
DROP VIEW IF EXISTS {database}.video_topics_mv_v1;

DROP TABLE IF EXISTS {database}.video_topics_v1;

CREATE TABLE {database}.video_topics_v1
(
    topic String CODEC(ZSTD(1)),
    platform LowCardinality(String),
    video_key UInt64 CODEC(ZSTD(1)),
    video_id String CODEC(ZSTD(1)),
    expires_at DateTime('UTC') CODEC(Delta, ZSTD(1))
)
ENGINE = ReplacingMergeTree(expires_at)
ORDER BY (topic, platform, video_key)
TTL expires_at DELETE WHERE expires_at < '2106-01-01'
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1, min_rows_to_fsync_after_merge = 1, min_compressed_bytes_to_fsync_after_merge = 1;

CREATE MATERIALIZED VIEW {database}.video_topics_mv_v1 TO {database}.video_topics_v1 AS
SELECT arrayJoin(topics) AS topic, platform, cityHash64(platform, video_id) AS video_key, video_id, expires_at
FROM {database}.videos_v1;

INSERT INTO {database}.video_topics_v1 (topic, platform, video_key, video_id, expires_at)
SELECT arrayJoin(topics) AS topic, platform, cityHash64(platform, video_id) AS video_key, video_id, expires_at
FROM {database}.videos_v1;

-- Videos and creators that a source with terms for measures has read (the class of YouTube's interface), each with what the last
-- such reading says: whether the terms were accepted by whoever read it. A test holds the conditions equal to the classes.
CREATE TABLE IF NOT EXISTS {database}.video_terms_v1
(
    platform LowCardinality(String),
    video_key UInt64 CODEC(ZSTD(1)),
    observed_at DateTime64(3, 'UTC') CODEC(Delta, ZSTD(1)),
    may_derive UInt8,
    expires_at DateTime('UTC') CODEC(Delta, ZSTD(1))
)
ENGINE = ReplacingMergeTree(observed_at)
ORDER BY (platform, video_key)
TTL expires_at DELETE WHERE expires_at < '2106-01-01'
SETTINGS index_granularity = 2048, fsync_after_insert = 1, fsync_part_directory = 1, min_rows_to_fsync_after_merge = 1, min_compressed_bytes_to_fsync_after_merge = 1;

CREATE MATERIALIZED VIEW IF NOT EXISTS {database}.video_terms_mv_v1 TO {database}.video_terms_v1 AS
SELECT
    platform,
    cityHash64(platform, video_id) AS video_key,
    max(samples_v1.observed_at) AS observed_at,
    argMax(startsWith(source, 'youtube-api:amendment'), samples_v1.observed_at) AS may_derive,
    argMax(samples_v1.expires_at, samples_v1.observed_at) AS expires_at
FROM {database}.samples_v1
WHERE startsWith(source, 'youtube-api')
GROUP BY platform, video_key;

INSERT INTO {database}.video_terms_v1 (platform, video_key, observed_at, may_derive, expires_at)
SELECT
    platform,
    cityHash64(platform, video_id) AS video_key,
    max(samples_v1.observed_at),
    argMax(startsWith(source, 'youtube-api:amendment'), samples_v1.observed_at),
    argMax(samples_v1.expires_at, samples_v1.observed_at)
FROM {database}.samples_v1
WHERE startsWith(source, 'youtube-api')
GROUP BY platform, video_key;

CREATE TABLE IF NOT EXISTS {database}.creator_terms_v1
(
    platform LowCardinality(String),
    creator_key UInt64 CODEC(ZSTD(1)),
    observed_at DateTime64(3, 'UTC') CODEC(Delta, ZSTD(1)),
    may_derive UInt8,
    expires_at DateTime('UTC') CODEC(Delta, ZSTD(1))
)
ENGINE = ReplacingMergeTree(observed_at)
ORDER BY (platform, creator_key)
TTL expires_at DELETE WHERE expires_at < '2106-01-01'
SETTINGS index_granularity = 2048, fsync_after_insert = 1, fsync_part_directory = 1, min_rows_to_fsync_after_merge = 1, min_compressed_bytes_to_fsync_after_merge = 1;

CREATE MATERIALIZED VIEW IF NOT EXISTS {database}.creator_terms_mv_v1 TO {database}.creator_terms_v1 AS
SELECT
    platform,
    cityHash64(platform, creator_id) AS creator_key,
    max(terms.observed_at) AS observed_at,
    argMax(startsWith(source, 'youtube-api:amendment'), terms.observed_at) AS may_derive,
    argMax(terms.expires_at, terms.observed_at) AS expires_at
FROM {database}.creator_samples_v1 AS terms
WHERE startsWith(source, 'youtube-api')
GROUP BY platform, creator_key;

INSERT INTO {database}.creator_terms_v1 (platform, creator_key, observed_at, may_derive, expires_at)
SELECT
    platform,
    cityHash64(platform, creator_id) AS creator_key,
    max(terms.observed_at),
    argMax(startsWith(source, 'youtube-api:amendment'), terms.observed_at),
    argMax(terms.expires_at, terms.observed_at)
FROM {database}.creator_samples_v1 AS terms
WHERE startsWith(source, 'youtube-api')
GROUP BY platform, creator_key;
