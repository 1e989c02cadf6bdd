-- crm_posts: one user's own posts.
-- params: owner UUID; postPlatforms, postIds Array(String), one entry a post; endMs Int64 (readings after it are not looked at)

-- part: posts
-- row:    platform, id, views, likes, comments, shares, saves Nullable(UInt64), views_ms Int64 (of the reading that gives the views; 0
--         without one), at_ms Int64, source
-- reads:  all samples of the posts; each counter is that of the last reading that gives it
SELECT
    toString(platform) AS platform,
    video_id AS id,
    argMax(own.views, (observed_at, ifNull(own.views, 0))) AS views,
    argMax(own.likes, (observed_at, ifNull(own.likes, 0))) AS likes,
    argMax(own.comments, (observed_at, ifNull(own.comments, 0))) AS comments,
    argMax(own.shares, (observed_at, ifNull(own.shares, 0))) AS shares,
    argMax(own.saves, (observed_at, ifNull(own.saves, 0))) AS saves,
    maxIf(toUnixTimestamp64Milli(observed_at), isNotNull(own.views)) AS views_ms,
    toUnixTimestamp64Milli(max(observed_at)) AS at_ms,
    argMax(toString(own.source), (observed_at, own.source)) AS source
FROM {database:Identifier}.own_samples_v1 AS own
WHERE owner_id = {owner:UUID} AND expires_at > now()
    AND (platform, video_id) IN (SELECT arrayJoin(arrayZip({postPlatforms:Array(String)}, {postIds:Array(String)})))
    AND observed_at <= fromUnixTimestamp64Milli({endMs:Int64}, 'UTC')
GROUP BY platform, video_id

-- part: ages
-- params: postPublished Array(Int64), one entry a post; ages Array(UInt16) (hours)
-- row:    platform, id, age_hours, views: the last reading of the 36 hours up to each age
SELECT platform, id, age AS age_hours, argMax(counted, (at_ms, counted)) AS views
FROM
(
    SELECT given.platform AS platform, given.id AS id, given.at_ms AS at_ms, given.counted AS counted, posts.published_ms AS published_ms
    FROM ({{counted}}) AS given
    INNER JOIN
    (
        SELECT post.1 AS platform, post.2 AS id, post.3 AS published_ms
        FROM (SELECT arrayJoin(arrayZip({postPlatforms:Array(String)}, {postIds:Array(String)}, {postPublished:Array(Int64)})) AS post)
    ) AS posts ON posts.platform = given.platform AND posts.id = given.id
)
ARRAY JOIN arrayFilter(age -> at_ms <= published_ms + age * 3600000 AND at_ms >= published_ms + age * 3600000 - 129600000, {ages:Array(UInt16)}) AS age
GROUP BY platform, id, age

-- part: peers
-- params: subjects Array(UInt32), untils Array(Int64), one entry a post: the same post may be held against several subjects
-- row:    subject UInt32, peers Array(UInt64): what each post of the subject had at its instant, at most 36 h old
SELECT subject, groupArray(peer_views) AS peers
FROM
(
    SELECT pairs.subject AS subject, pairs.id AS peer_id, argMax(given.counted, (given.at_ms, given.counted)) AS peer_views
    FROM
    (
        SELECT pair.1 AS platform, pair.2 AS id, pair.3 AS subject, pair.4 AS until_ms
        FROM (SELECT arrayJoin(arrayZip({postPlatforms:Array(String)}, {postIds:Array(String)}, {subjects:Array(UInt32)}, {untils:Array(Int64)})) AS pair)
    ) AS pairs
    INNER JOIN ({{counted}}) AS given ON given.platform = pairs.platform AND given.id = pairs.id
    WHERE given.at_ms <= pairs.until_ms AND given.at_ms >= pairs.until_ms - 129600000
    GROUP BY subject, peer_id
)
GROUP BY subject

-- part: counted
SELECT toString(platform) AS platform, video_id AS id, toUnixTimestamp64Milli(observed_at) AS at_ms, assumeNotNull(views) AS counted
FROM {database:Identifier}.own_samples_v1
WHERE owner_id = {owner:UUID} AND expires_at > now() AND isNotNull(views)
    AND (platform, video_id) IN (SELECT arrayJoin(arrayZip({postPlatforms:Array(String)}, {postIds:Array(String)})))
    AND observed_at <= fromUnixTimestamp64Milli({endMs:Int64}, 'UTC')
