-- Media of a VOD may be a post of the user's own linked account, whose address the platform gives anew each time.
alter table vods drop constraint if exists vods_source_kind_check;
alter table vods add constraint vods_source_kind_check check (source_kind in ('file', 'url', 's3', 'upload', 'instagram'));
