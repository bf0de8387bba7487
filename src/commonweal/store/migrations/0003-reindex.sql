-- What each parameter's entries were made by, so that a change is noticed; and the types indexed anew meanwhile.

-- 0: nothing is indexed by it yet. Null: from before marks were kept, when nothing could have changed.
alter table record.parameter add column mark int8;
alter table record.parameter alter column mark set default 0;

create table record.reindex (
    type        text   primary key,
    fingerprint int8   not null, -- of all marks of the type: only who has the same may do it
    names       text[] not null, -- parameters by which older rows may not be found until it is done
    at          int8   not null default 0, -- the key that was reached
    seen        int8   not null default 0,
    changed     int8   not null default 0,
    since       int8   not null default (extract(epoch from clock_timestamp()) * 1000000)::int8
);

do $$
begin
    grant select, insert, update, delete on record.reindex to commonweal;
exception when undefined_object then
    null; -- the runner has warned
end
$$;
