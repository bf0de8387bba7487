-- What identity keeps and is no resource: accounts, sessions, codes, clients, counters (identity/drawers.py).
-- `data` is encrypted as a whole with the key named by `key`; ids of secrets are keyed hashes. A counter has neither
-- key nor data: its version counts. Times are int8 microseconds, UTC.

create schema identity;

create table identity.drawer (
    kind    text collate "C" not null,
    id      text collate "C" not null,
    owner   text collate "C" not null default '',
    until   int8  not null default 9223372036854775807,
    version int8  not null,
    key     text  not null default '',
    data    bytea not null default '',
    primary key (kind, id)
) with (fillfactor = 70); -- sessions and counters change in place
create index on identity.drawer (kind, owner) where owner <> '';
create index on identity.drawer (until) where until < 9223372036854775807;

-- Unlike the audit, all of this may be changed and thrown away.
do $$
begin
    grant usage on schema identity to commonweal;
    grant select, insert, update, delete on identity.drawer to commonweal;
exception when undefined_object then
    null; -- the runner has warned
end
$$;
