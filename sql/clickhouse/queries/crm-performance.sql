-- crm_performance: readings of one user's own accounts and posts, thinned to what a period needs. All its instants are ends
-- of buckets, so of each bucket the first and the last reading are enough: 0 is what lies before the period before, 1 that
-- period, and then one a step.
-- params: owner UUID; accountPlatforms, accountIds Array(String), one entry an account; postPlatforms, postIds Array(String), one entry a
--         post; reachMs Int64 (the oldest reading that is looked at), beforeMs (start of the period before), fromMs, toMs,
--         stepMs Int64

-- part: posts
-- row:    platform, id, counter String, instants, amounts Array(Float64): one row a post and counter, one entry a reading, in no
--         order; of one instant the greatest. As floats, which are read ten times as fast as texts of 64 bits
-- reads:  the owner's samples of these posts in that time
SELECT toString(platform) AS platform, id, counter, instants, amounts
FROM
(
SELECT platform, id, counter, {{readings}}
FROM
(
    SELECT platform, id, pair.1 AS counter, {{bucket}}
    FROM
    (
        SELECT platform, id, at_ms, pair, toInt64(assumeNotNull(pair.2)) AS counted
        FROM
        (
            SELECT platform, video_id AS id, toUnixTimestamp64Milli(observed_at) AS at_ms, [('views', views), ('likes', likes), ('comments', comments), ('shares', shares), ('saves', saves)] AS pairs
            FROM {database:Identifier}.own_samples_v1
            WHERE owner_id = {owner:UUID}
                AND (platform, video_id) IN (SELECT arrayJoin(arrayZip({postPlatforms:Array(String)}, {postIds:Array(String)})))
                AND {{in_time}}
        )
        ARRAY JOIN pairs AS pair
        WHERE isNotNull(pair.2)
    )
    GROUP BY platform, id, counter, bucket
)
GROUP BY platform, id, counter
)

-- part: accounts
-- row:    platform, id, counter String (followers, views or likes), readings as above
SELECT toString(platform) AS platform, id, counter, instants, amounts
FROM
(
SELECT platform, id, counter, {{readings}}
FROM
(
    SELECT platform, id, pair.1 AS counter, {{bucket}}
    FROM
    (
        SELECT platform, id, at_ms, pair, toInt64(assumeNotNull(pair.2)) AS counted
        FROM
        (
            SELECT platform, creator_id AS id, toUnixTimestamp64Milli(observed_at) AS at_ms, [('followers', followers), ('views', views), ('likes', likes)] AS pairs
            FROM {database:Identifier}.own_creator_samples_v1
            WHERE owner_id = {owner:UUID}
                AND (platform, creator_id) IN (SELECT arrayJoin(arrayZip({accountPlatforms:Array(String)}, {accountIds:Array(String)})))
                AND {{in_time}}
        )
        ARRAY JOIN pairs AS pair
        WHERE isNotNull(pair.2)
    )
    GROUP BY platform, id, counter, bucket
)
GROUP BY platform, id, counter
)

-- part: in_time
observed_at >= fromUnixTimestamp64Milli({reachMs:Int64}, 'UTC')
AND observed_at <= fromUnixTimestamp64Milli({toMs:Int64}, 'UTC')

-- part: bucket
multiIf(at_ms <= {beforeMs:Int64}, 0, at_ms <= {fromMs:Int64}, 1, 2 + intDiv(at_ms - {fromMs:Int64} - 1, {stepMs:Int64})) AS bucket,
min(at_ms) AS first_ms,
argMin(counted, (at_ms, -counted)) AS first_value,
max(at_ms) AS last_ms,
argMax(counted, (at_ms, counted)) AS last_value

-- part: readings
arrayDistinct(arrayConcat(groupArray((first_ms, first_value)), groupArray((last_ms, last_value)))) AS pairs,
arrayMap(pair -> toFloat64(pair.1), pairs) AS instants,
arrayMap(pair -> toFloat64(pair.2), pairs) AS amounts

-- part: ever
-- row:    platform, id, counters Array(String): what was ever read of each account itself and of each post
SELECT toString(platform) AS platform, video_id AS id, arrayFilter(name -> name != '', [if(max(isNotNull(views)), 'views', ''), if(max(isNotNull(likes)), 'likes', ''), if(max(isNotNull(comments)), 'comments', ''), if(max(isNotNull(shares)), 'shares', ''), if(max(isNotNull(saves)), 'saves', '')]) AS counters
FROM {database:Identifier}.own_samples_v1
WHERE owner_id = {owner:UUID}
    AND (platform, video_id) IN (SELECT arrayJoin(arrayZip({postPlatforms:Array(String)}, {postIds:Array(String)})))
GROUP BY platform, video_id
UNION ALL
SELECT toString(platform) AS platform, creator_id AS id, arrayFilter(name -> name != '', [if(max(isNotNull(followers)), 'followers', ''), if(max(isNotNull(views)), 'views', ''), if(max(isNotNull(likes)), 'likes', '')]) AS counters
FROM {database:Identifier}.own_creator_samples_v1
WHERE owner_id = {owner:UUID}
    AND (platform, creator_id) IN (SELECT arrayJoin(arrayZip({accountPlatforms:Array(String)}, {accountIds:Array(String)})))
GROUP BY platform, creator_id
