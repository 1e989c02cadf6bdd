-- The collapsed views once more: what must be gone by now is not shown, whether the engine has removed it or not; and gains of
-- videos of which no measure may be made are NULL.

CREATE OR REPLACE VIEW v.videos AS
SELECT
    platform,
    video_id,
    argMaxIf(creator_id, (observed_at, source), creator_id != '') AS creator_id,
    argMax(toString(kind), (observed_at, source)) AS kind,
    argMaxIf(title, (observed_at, source), title != '') AS title,
    argMaxIf(url, (observed_at, source), url != '') AS url,
    argMaxIf(thumbnail_url, (observed_at, source), thumbnail_url != '') AS thumbnail_url,
    argMax(published_at, (observed_at, source)) AS published_at,
    argMax(ended_at, (observed_at, source)) AS ended_at,
    argMax(duration_seconds, (observed_at, source)) AS duration_seconds,
    argMaxIf(toString(category), (observed_at, source), category != '') AS category,
    argMaxIf(tags, (observed_at, source), notEmpty(tags)) AS tags,
    arraySort(groupUniqArrayArray(CAST(regions, 'Array(String)'))) AS regions
FROM {database}.videos_v1
WHERE expires_at > now()
GROUP BY platform, video_id;

CREATE OR REPLACE VIEW v.creators AS
SELECT
    platform,
    creator_id,
    argMaxIf(name, (observed_at, source), name != '') AS name,
    argMaxIf(handle, (observed_at, source), handle != '') AS handle
FROM {database}.creators_v1
WHERE expires_at > now()
GROUP BY platform, creator_id;

CREATE OR REPLACE VIEW v.topics AS
SELECT topic, platform, any(video_id) AS video_id
FROM {database}.video_topics_v1
WHERE expires_at > now()
GROUP BY topic, platform, video_key;

CREATE OR REPLACE VIEW v.trends AS
SELECT
    platform,
    video_id,
    creator_id,
    day,
    views,
    if(cityHash64(platform, video_id) IN (SELECT video_key FROM {database}.video_terms_v1 FINAL WHERE may_derive = 0 AND expires_at > now()), NULL, toInt64(views) - toInt64(previous)) AS gain,
    readings
FROM
(
    SELECT
        platform,
        video_id,
        creator_id,
        day,
        views,
        readings,
        lagInFrame(toNullable(views)) OVER (PARTITION BY platform, video_id ORDER BY day ASC ROWS BETWEEN 1 PRECEDING AND CURRENT ROW) AS previous
    FROM
    (
        SELECT
            platform,
            video_id,
            toDate(observed_at, 'UTC') AS day,
            argMax(s.creator_id, (s.observed_at, s.views, ifNull(toInt64(s.likes), -1), ifNull(toInt64(s.comments), -1), s.source, s.quality)) AS creator_id,
            argMax(assumeNotNull(s.views), (s.observed_at, s.views)) AS views,
            uniqExact(s.observed_at) AS readings
        FROM {database}.samples_v1 AS s
        WHERE s.views IS NOT NULL
        GROUP BY platform, video_id, day
    )
);

CREATE OR REPLACE VIEW mine.videos AS
SELECT
    platform,
    video_id,
    argMaxIf(creator_id, (observed_at, source), creator_id != '') AS creator_id,
    argMax(toString(kind), (observed_at, source)) AS kind,
    argMaxIf(title, (observed_at, source), title != '') AS title,
    argMaxIf(url, (observed_at, source), url != '') AS url,
    argMaxIf(thumbnail_url, (observed_at, source), thumbnail_url != '') AS thumbnail_url,
    argMax(published_at, (observed_at, source)) AS published_at,
    argMax(ended_at, (observed_at, source)) AS ended_at,
    argMax(duration_seconds, (observed_at, source)) AS duration_seconds,
    argMaxIf(toString(category), (observed_at, source), category != '') AS category,
    argMaxIf(tags, (observed_at, source), notEmpty(tags)) AS tags,
    arraySort(groupUniqArrayArray(CAST(regions, 'Array(String)'))) AS regions
FROM {database}.videos_v1
WHERE expires_at > now()
    AND (platform, video_id) IN (SELECT platform, video_id FROM {database}.own_samples_v1 WHERE owner_id = {owner:UUID})
GROUP BY platform, video_id;

CREATE OR REPLACE VIEW mine.creators AS
SELECT
    platform,
    creator_id,
    argMaxIf(name, (observed_at, source), name != '') AS name,
    argMaxIf(handle, (observed_at, source), handle != '') AS handle
FROM {database}.creators_v1
WHERE expires_at > now()
    AND (
        (platform, creator_id) IN (SELECT platform, creator_id FROM {database}.own_creator_samples_v1 WHERE owner_id = {owner:UUID})
        OR (platform, creator_id) IN (SELECT platform, creator_id FROM {database}.own_samples_v1 WHERE owner_id = {owner:UUID})
    )
GROUP BY platform, creator_id;

CREATE OR REPLACE VIEW mine.topics AS
SELECT topic, platform, any(tagged.video_id) AS video_id
FROM {database}.video_topics_v1 AS tagged
WHERE tagged.expires_at > now()
    AND (tagged.platform, tagged.video_id) IN (SELECT platform, video_id FROM {database}.own_samples_v1 WHERE owner_id = {owner:UUID})
GROUP BY topic, platform, video_key;

CREATE OR REPLACE VIEW mine.trends AS
SELECT
    platform,
    video_id,
    creator_id,
    day,
    views,
    if(startsWith(source, 'own:youtube-api') AND NOT startsWith(source, 'own:youtube-api:amendment'), NULL, toInt64(views) - toInt64(previous)) AS gain,
    readings
FROM
(
    SELECT
        platform,
        video_id,
        creator_id,
        day,
        views,
        source,
        readings,
        lagInFrame(toNullable(views)) OVER (PARTITION BY platform, video_id ORDER BY day ASC ROWS BETWEEN 1 PRECEDING AND CURRENT ROW) AS previous
    FROM
    (
        SELECT
            platform,
            video_id,
            toDate(observed_at, 'UTC') AS day,
            argMax(s.creator_id, (s.observed_at, s.views, ifNull(toInt64(s.likes), -1), ifNull(toInt64(s.comments), -1), s.source, s.quality)) AS creator_id,
            argMax(assumeNotNull(s.views), (s.observed_at, s.views)) AS views,
            argMax(s.source, (s.observed_at, s.views)) AS source,
            uniqExact(s.observed_at) AS readings
        FROM {database}.own_samples_v1 AS s
        WHERE s.views IS NOT NULL AND s.owner_id = {owner:UUID}
        GROUP BY platform, video_id, day
    )
);
