-- retention: what stands beside videos that platforms' own interfaces have read, after everything that they said is gone.
-- Tables whose rows have a time of their own to go by need none of this.
-- params: limit UInt32; keys Array(UInt64) (video_key)

-- part: niches
-- row:    video_key String: videos with niches, which are words of a description, and without any description
SELECT DISTINCT toString(video_key) AS video_key
FROM {database:Identifier}.video_niches_v1
WHERE {{undescribed}}
LIMIT {limit:UInt32}

-- part: links
-- row:    video_key String: videos of which neither a description nor a reading is left
SELECT DISTINCT toString(video_key) AS video_key
FROM
(
    SELECT video_key FROM {database:Identifier}.creator_videos_v1 WHERE {{undescribed}}
    UNION ALL
    SELECT video_key FROM {database:Identifier}.published_v1 WHERE {{undescribed}}
    UNION ALL
    SELECT cityHash64(platform, video_id) AS video_key FROM {database:Identifier}.vods_v1 WHERE {{undescribed}}
)
WHERE video_key NOT IN
(
    SELECT video_key
    FROM {database:Identifier}.readings_v1
    WHERE expires_at > now() AND video_key IN (SELECT video_key FROM {database:Identifier}.unmixable_videos_v1)
)
LIMIT {limit:UInt32}

-- part: undescribed
video_key IN (SELECT video_key FROM {database:Identifier}.unmixable_videos_v1)
AND video_key NOT IN
(
    SELECT cityHash64(platform, video_id) AS described
    FROM {database:Identifier}.videos_v1
    WHERE expires_at > now() AND described IN (SELECT video_key FROM {database:Identifier}.unmixable_videos_v1)
)

-- part: forget_niches
ALTER TABLE {database:Identifier}.video_niches_v1 DELETE WHERE video_key IN {keys:Array(UInt64)} SETTINGS mutations_sync = 2

-- part: forget_creators
ALTER TABLE {database:Identifier}.creator_videos_v1 DELETE WHERE video_key IN {keys:Array(UInt64)} SETTINGS mutations_sync = 2

-- part: forget_publications
ALTER TABLE {database:Identifier}.published_v1 DELETE WHERE video_key IN {keys:Array(UInt64)} SETTINGS mutations_sync = 2

-- part: forget_vods
ALTER TABLE {database:Identifier}.vods_v1 DELETE WHERE cityHash64(platform, video_id) IN {keys:Array(UInt64)} SETTINGS mutations_sync = 2
