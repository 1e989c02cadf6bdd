-- The schemas `v` (public data) and `mine` (the asking user's own rows): a contract with everybody who writes SQL.
-- Columns may be added, never renamed.

CREATE DATABASE IF NOT EXISTS v;
CREATE DATABASE IF NOT EXISTS mine;

-- One row per (platform, video, instant): most views, then likes, then comments, all counters from that one row. The
-- source closes ties, so that files imported in any order give the same row.
CREATE VIEW IF NOT EXISTS v.samples AS
SELECT
    platform,
    video_id,
    tupleElement(best, 1) AS creator_id,
    observed_at,
    tupleElement(best, 2) AS views,
    tupleElement(best, 3) AS likes,
    tupleElement(best, 4) AS comments,
    tupleElement(best, 5) AS shares,
    tupleElement(best, 6) AS saves,
    tupleElement(best, 7) AS source
FROM
(
    SELECT
        platform,
        video_id,
        observed_at,
        argMax((creator_id, views, likes, comments, shares, saves, toString(source)), (ifNull(toInt64(views), -1), ifNull(toInt64(likes), -1), ifNull(toInt64(comments), -1), source)) AS best
    FROM {database}.samples_v1
    GROUP BY platform, video_id, observed_at
);

CREATE VIEW IF NOT EXISTS v.videos AS
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
GROUP BY platform, video_id;

CREATE VIEW IF NOT EXISTS v.creators AS
SELECT
    platform,
    creator_id,
    argMaxIf(name, (observed_at, source), name != '') AS name,
    argMaxIf(handle, (observed_at, source), handle != '') AS handle
FROM {database}.creators_v1
GROUP BY platform, creator_id;

CREATE VIEW IF NOT EXISTS v.topics AS
SELECT topic, platform, any(video_id) AS video_id
FROM {database}.video_topics_v1
GROUP BY topic, platform, video_key;

CREATE VIEW IF NOT EXISTS v.creator_samples AS
SELECT
    platform,
    creator_id,
    observed_at,
    tupleElement(best, 1) AS followers,
    tupleElement(best, 2) AS views,
    tupleElement(best, 3) AS videos,
    tupleElement(best, 4) AS source
FROM
(
    SELECT
        platform,
        creator_id,
        observed_at,
        argMax((followers, views, videos, toString(source)), (ifNull(toInt64(followers), -1), ifNull(toInt64(views), -1), ifNull(toInt64(videos), -1), source)) AS best
    FROM {database}.creator_samples_v1
    GROUP BY platform, creator_id, observed_at
);

CREATE VIEW IF NOT EXISTS v.topic_samples AS
SELECT
    platform,
    topic,
    observed_at,
    tupleElement(best, 1) AS views,
    tupleElement(best, 2) AS videos,
    tupleElement(best, 3) AS source
FROM
(
    SELECT
        platform,
        topic,
        observed_at,
        argMax((views, videos, toString(source)), (ifNull(toInt64(views), -1), ifNull(toInt64(videos), -1), source)) AS best
    FROM {database}.topic_samples_v1
    GROUP BY platform, topic, observed_at
);

-- Per video and day (UTC): the last views of the day, what they are above the last of the day before that has any
-- (NULL on the first such day), and how many instants stand behind them.
CREATE VIEW IF NOT EXISTS v.trends AS
SELECT
    platform,
    video_id,
    creator_id,
    day,
    views,
    toNullable(toInt64(views) - toInt64(previous)) AS gain,
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
            argMax(s.creator_id, (s.observed_at, s.views)) AS creator_id,
            argMax(assumeNotNull(s.views), (s.observed_at, s.views)) AS views,
            uniqExact(s.observed_at) AS readings
        FROM {database}.samples_v1 AS s
        WHERE s.views IS NOT NULL
        GROUP BY platform, video_id, day
    )
);

CREATE VIEW IF NOT EXISTS mine.samples AS
SELECT
    platform,
    video_id,
    tupleElement(best, 1) AS creator_id,
    observed_at,
    tupleElement(best, 2) AS views,
    tupleElement(best, 3) AS likes,
    tupleElement(best, 4) AS comments,
    tupleElement(best, 5) AS shares,
    tupleElement(best, 6) AS saves,
    tupleElement(best, 7) AS source
FROM
(
    SELECT
        platform,
        video_id,
        observed_at,
        argMax((creator_id, views, likes, comments, shares, saves, toString(source)), (ifNull(toInt64(views), -1), ifNull(toInt64(likes), -1), ifNull(toInt64(comments), -1), source)) AS best
    FROM {database}.own_samples_v1
    WHERE owner_id = {owner:UUID}
    GROUP BY platform, video_id, observed_at
);

CREATE VIEW IF NOT EXISTS mine.creator_samples AS
SELECT
    platform,
    creator_id,
    observed_at,
    tupleElement(best, 1) AS followers,
    tupleElement(best, 2) AS views,
    tupleElement(best, 3) AS videos,
    tupleElement(best, 4) AS source
FROM
(
    SELECT
        platform,
        creator_id,
        observed_at,
        argMax((followers, views, videos, toString(source)), (ifNull(toInt64(followers), -1), ifNull(toInt64(views), -1), ifNull(toInt64(videos), -1), source)) AS best
    FROM {database}.own_creator_samples_v1
    WHERE owner_id = {owner:UUID}
    GROUP BY platform, creator_id, observed_at
);

-- Nobody's account gives numbers of whole topics: always empty, there so that both schemas have the same views.
CREATE VIEW IF NOT EXISTS mine.topic_samples AS
SELECT
    platform,
    topic,
    observed_at,
    views,
    videos,
    toString(source) AS source
FROM {database}.topic_samples_v1
WHERE {owner:UUID} != {owner:UUID};

CREATE VIEW IF NOT EXISTS mine.trends AS
SELECT
    platform,
    video_id,
    creator_id,
    day,
    views,
    toNullable(toInt64(views) - toInt64(previous)) AS gain,
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
            argMax(s.creator_id, (s.observed_at, s.views)) AS creator_id,
            argMax(assumeNotNull(s.views), (s.observed_at, s.views)) AS views,
            uniqExact(s.observed_at) AS readings
        FROM {database}.own_samples_v1 AS s
        WHERE s.views IS NOT NULL AND s.owner_id = {owner:UUID}
        GROUP BY platform, video_id, day
    )
);

CREATE VIEW IF NOT EXISTS mine.topics AS
SELECT topic, platform, any(tagged.video_id) AS video_id
FROM {database}.video_topics_v1 AS tagged
WHERE (tagged.platform, tagged.video_id) IN (SELECT platform, video_id FROM {database}.own_samples_v1 WHERE owner_id = {owner:UUID})
GROUP BY topic, platform, video_key;

-- Descriptions of the videos and creators that the owner has private numbers of.
CREATE VIEW IF NOT EXISTS mine.videos AS
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
WHERE (platform, video_id) IN (SELECT platform, video_id FROM {database}.own_samples_v1 WHERE owner_id = {owner:UUID})
GROUP BY platform, video_id;

CREATE VIEW IF NOT EXISTS mine.creators AS
SELECT
    platform,
    creator_id,
    argMaxIf(name, (observed_at, source), name != '') AS name,
    argMaxIf(handle, (observed_at, source), handle != '') AS handle
FROM {database}.creators_v1
WHERE (platform, creator_id) IN (SELECT platform, creator_id FROM {database}.own_creator_samples_v1 WHERE owner_id = {owner:UUID})
    OR (platform, creator_id) IN (SELECT platform, creator_id FROM {database}.own_samples_v1 WHERE owner_id = {owner:UUID})
GROUP BY platform, creator_id;
