-- crm_performance: readings of one user's own accounts and posts, thinned to what a period needs. All its instants are ends
-- of buckets, so of each bucket the first and the last reading are enough: 0 is what lies before the period before, 1 that
-- period, and then one a step.
-- params: owner UUID; platforms, creators Array(String), one entry an account; reachMs Int64 (the oldest reading that is looked
--         at), beforeMs (start of the period before), fromMs, toMs Int64; stepMs Int64; postsMax UInt32

-- part: posts
-- row:    platform, creator_id, video_id, counter String, published_ms Nullable(Int64), readings Array((at_ms, value Int64)): one row a post
--         and counter, readings in no order. Of one instant the greatest.
-- reads:  the owner's samples of that time, of the posts that were read last
SELECT toString(given.platform) AS platform, given.creator_id AS creator_id, given.video_id AS video_id, given.counter AS counter, said.published_ms AS published_ms, given.readings AS readings
FROM
(
    SELECT platform, video_id, any(creator_id) AS creator_id, counter, arrayDistinct(arrayConcat(groupArray((first_ms, first_value)), groupArray((last_ms, last_value)))) AS readings
    FROM
    (
        SELECT
            platform,
            video_id,
            any(creator_id) AS creator_id,
            pair.1 AS counter,
            {{bucket}} AS bucket,
            min(at_ms) AS first_ms,
            argMin(counted, (at_ms, -counted)) AS first_value,
            max(at_ms) AS last_ms,
            argMax(counted, (at_ms, counted)) AS last_value
        FROM
        (
            SELECT platform, video_id, creator_id, at_ms, pair, toInt64(assumeNotNull(pair.2)) AS counted
            FROM
            (
                SELECT platform, video_id, creator_id, toUnixTimestamp64Milli(observed_at) AS at_ms, [('views', views), ('likes', likes), ('comments', comments), ('shares', shares), ('saves', saves)] AS pairs
                FROM {database:Identifier}.own_samples_v1
                WHERE {{mine}}
                    AND (platform, video_id) IN
                    (
                        SELECT platform, video_id
                        FROM {database:Identifier}.own_samples_v1
                        WHERE {{mine}}
                        GROUP BY platform, video_id
                        ORDER BY max(observed_at) DESC, platform, video_id
                        LIMIT {postsMax:UInt32}
                    )
            )
            ARRAY JOIN pairs AS pair
            WHERE isNotNull(pair.2)
        )
        GROUP BY platform, video_id, counter, bucket
    )
    GROUP BY platform, video_id, counter
) AS given
LEFT JOIN
(
    SELECT platform, video_id, toUnixTimestamp64Milli(argMax(published_at, (observed_at, source))) AS published_ms
    FROM {database:Identifier}.videos_v1
    WHERE (platform, video_id) IN (SELECT platform, video_id FROM {database:Identifier}.own_samples_v1 WHERE {{mine}})
    GROUP BY platform, video_id
) AS said ON said.platform = given.platform AND said.video_id = given.video_id

-- part: accounts
-- row:    platform, creator_id, counter String (followers, views or likes), readings as above
SELECT toString(platform) AS platform, creator_id, counter, arrayDistinct(arrayConcat(groupArray((first_ms, first_value)), groupArray((last_ms, last_value)))) AS readings
FROM
(
    SELECT
        platform,
        creator_id,
        pair.1 AS counter,
        {{bucket}} AS bucket,
        min(at_ms) AS first_ms,
        argMin(counted, (at_ms, -counted)) AS first_value,
        max(at_ms) AS last_ms,
        argMax(counted, (at_ms, counted)) AS last_value
    FROM
    (
        SELECT platform, creator_id, at_ms, pair, toInt64(assumeNotNull(pair.2)) AS counted
        FROM
        (
            SELECT platform, creator_id, toUnixTimestamp64Milli(observed_at) AS at_ms, [('followers', followers), ('views', views), ('likes', likes)] AS pairs
            FROM {database:Identifier}.own_creator_samples_v1
            WHERE {{mine}}
        )
        ARRAY JOIN pairs AS pair
        WHERE isNotNull(pair.2)
    )
    GROUP BY platform, creator_id, counter, bucket
)
GROUP BY platform, creator_id, counter

-- part: mine
owner_id = {owner:UUID}
AND (platform, creator_id) IN (SELECT arrayJoin(arrayZip({platforms:Array(String)}, {creators:Array(String)})))
AND observed_at >= fromUnixTimestamp64Milli({reachMs:Int64}, 'UTC')
AND observed_at <= fromUnixTimestamp64Milli({toMs:Int64}, 'UTC')

-- part: bucket
multiIf(at_ms <= {beforeMs:Int64}, 0, at_ms <= {fromMs:Int64}, 1, 2 + intDiv(at_ms - {fromMs:Int64} - 1, {stepMs:Int64}))

-- part: ever
-- row:    platform, creator_id, counters Array(String): what was ever read of an account or its posts
SELECT toString(platform) AS platform, creator_id, groupUniqArrayArray(given) AS counters
FROM
(
    SELECT platform, creator_id, arrayFilter(name -> name != '', [if(max(isNotNull(views)), 'views', ''), if(max(isNotNull(likes)), 'likes', ''), if(max(isNotNull(comments)), 'comments', ''), if(max(isNotNull(shares)), 'shares', ''), if(max(isNotNull(saves)), 'saves', '')]) AS given
    FROM {database:Identifier}.own_samples_v1
    WHERE owner_id = {owner:UUID}
        AND (platform, creator_id) IN (SELECT arrayJoin(arrayZip({platforms:Array(String)}, {creators:Array(String)})))
    GROUP BY platform, creator_id
    UNION ALL
    SELECT platform, creator_id, arrayFilter(name -> name != '', [if(max(isNotNull(followers)), 'followers', ''), if(max(isNotNull(views)), 'views', ''), if(max(isNotNull(likes)), 'likes', '')])
    FROM {database:Identifier}.own_creator_samples_v1
    WHERE owner_id = {owner:UUID}
        AND (platform, creator_id) IN (SELECT arrayJoin(arrayZip({platforms:Array(String)}, {creators:Array(String)})))
    GROUP BY platform, creator_id
)
GROUP BY platform, creator_id
