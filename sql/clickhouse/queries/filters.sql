-- filters: which videos a list is narrowed to. Each is put where {{keys}} stands in the other queries, beside the table that
-- is read: said once, outermost, it comes behind the rows of whole blocks, and a niche costs more than no filter. What keeps
-- videos out of a list of clips leaves nearly all of them in, and is said outermost. {{key}}: the column.
-- reads:  one key range of a mapping table
-- settings: the small side of every join is the right one already, and swapping them costs a fifth. The keys of a niche
-- or a country are spread over the whole of every table, so looking them up in the index, once per table, costs more
-- than it leaves out; those of a creator or topic are few. Few small parts lie beside the large one of a table, and dividing
-- that between threads to merge them costs more than it gains.

-- part: niche
AND {{key}} IN (SELECT video_key FROM {database:Identifier}.video_niches_v1 FINAL WHERE rules_hash = {rulesHash:String} AND niche = {niche:String} AND is_match = 1 {{on_platforms}})

-- part: country
AND {{key}} IN (SELECT video_key FROM {database:Identifier}.video_regions_v1 WHERE region = {country:String} {{on_platforms}})

-- part: creator
AND {{key}} IN (SELECT video_key FROM {database:Identifier}.creator_videos_v1 WHERE creator_id = {creatorId:String} {{on_platforms}})

-- part: topic
AND {{key}} IN (SELECT video_key FROM {database:Identifier}.video_topics_v1 WHERE topic = {topic:String} AND expires_at > now() {{on_platforms}})

-- part: mixable
AND {{key}} NOT IN (SELECT video_key FROM {database:Identifier}.unmixable_videos_v1 WHERE 1 {{on_platforms}})

-- part: derivable
AND {{key}} NOT IN ({{withheld}})

-- part: withheld
-- videos of which no measure may be made: a source with terms has read them last for somebody who did not accept those
SELECT video_key FROM {database:Identifier}.video_terms_v1 FINAL WHERE may_derive = 0 AND expires_at > now()

-- part: may_derive
-- of the videos `page` (platform and id of each), where some are withheld
cityHash64(platform, video_id) NOT IN ({{withheld}} AND (platform, video_key) IN (SELECT clip.1, cityHash64(clip.1, clip.2) FROM (SELECT arrayJoin({page:Array(Tuple(String, String))}) AS clip)))

-- part: withheld_creators
-- creators whose own counter was read so, or a video of theirs
SELECT creator_key FROM {database:Identifier}.creator_terms_v1 FINAL WHERE may_derive = 0 AND expires_at > now()
UNION DISTINCT
SELECT creator_key FROM {database:Identifier}.creator_videos_v1 WHERE video_key IN ({{withheld}})

-- part: settings
SETTINGS query_plan_join_swap_table = 'false', max_final_threads = 1

-- part: settings_broad
SETTINGS query_plan_join_swap_table = 'false', max_final_threads = 1, use_index_for_in_with_subqueries = 0
