-- keys_of_page: from the hashes of a page back to the ids.
-- params: keys Array(String)
-- row:    key String, platform String, id String

-- part: clips
SELECT toString(known.video_key) AS key, any(known.platform) AS platform, any(known.video_id) AS id
FROM {database:Identifier}.latest_v1 AS known
WHERE known.platform IN {platforms:Array(String)} AND known.video_key IN (SELECT toUInt64(arrayJoin({keys:Array(String)})))
GROUP BY known.video_key

-- part: creators
SELECT toString(known.creator_key) AS key, any(known.platform) AS platform, any(known.creator_id) AS id
FROM
(
    SELECT creator_key, platform, creator_id
    FROM {database:Identifier}.creator_videos_v1
    WHERE platform IN {platforms:Array(String)} AND creator_key IN (SELECT toUInt64(arrayJoin({keys:Array(String)})))
    UNION ALL
    SELECT cityHash64(platform, creator_id) AS creator_key, platform, creator_id
    FROM {database:Identifier}.creator_samples_v1
    WHERE platform IN {platforms:Array(String)} AND cityHash64(platform, creator_id) IN (SELECT toUInt64(arrayJoin({keys:Array(String)})))
) AS known
GROUP BY known.creator_key
