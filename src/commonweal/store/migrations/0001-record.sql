-- The records: one table a resource type with what is current, its twin in `history` with what was superseded.
-- Times are int8 microseconds, UTC. Hashes are keyed (store/tokens.py). The part "each type" is repeated.

create schema record;
create schema history;

create sequence record.key cache 32;
create sequence record.position cache 32;

create function record.now() returns int8 stable parallel safe language sql
    return (extract(epoch from transaction_timestamp()) * 1000000)::int8;

create function record.stamp(updated int8) returns text stable parallel safe language sql
    return to_char(timestamp 'epoch' + updated * interval '1 microsecond', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"');

-- The text of one version: `tail` is what follows lastUpdated, from the comma or brace on.
create function record.body(type text, id text, version int4, stamp text, tail text)
    returns text stable parallel safe language sql
    return '{"resourceType":"' || type || '","id":"' || id || '","meta":{"versionId":"' || version::text
        || '","lastUpdated":"' || stamp || '"' || tail;

-- The numbers of search parameters: `bit` in a row's `present`, `number` in `ranged`. Never given twice.
create table record.parameter (
    number int4 primary key generated always as identity,
    type   text not null,
    name   text not null,
    bit    int2 not null check (bit between 0 and 62),
    unique (type, name),
    unique (type, bit)
);

-- Ranges that a row cannot hold: numbers, quantities, further dates; `row` is the key of a record. Those of a
-- composite carry which occurrence they belong to and the hashes of all its parts.
create table record.ranged (
    parameter int4   not null,
    row       int8   not null,
    lo        float8 not null,
    hi        float8 not null,
    unit      int8,
    code      int8,
    entry     int2,
    tok       int8[]
);
create index on record.ranged (row);
create index on record.ranged (parameter, unit, lo);

-- The distinct sets of codings seen as a type's primary code; a row names its set in `code`.
create table record.coding (
    set  int8   not null,
    type text   not null,
    tok  int8[] not null,
    xid  xid8   not null default pg_current_xact_id(),
    primary key (set)
);
create index on record.coding (xid);

-- People found to be one: records about any patient of a cluster are found by each of them.
create table record.person_link (
    patient   int8 primary key,
    cluster   int8 not null,
    reference text not null,
    xid       xid8 not null default pg_current_xact_id()
);
create index on record.person_link (xid);

--- each type
create table record."{type}" (
    key     int8 not null default nextval('record.key'),
    self    int8 not null,
    updated int8 not null,
    xid     xid8 not null default pg_current_xact_id(),
    seq     int8 not null default nextval('record.position'),
    present int8 not null default 0,
    patient int8,
    area    int8,
    holder  int8,
    date_lo int8,
    date_hi int8,
    code    int8,
    version int4 not null,
    deleted bool not null default false,
    method  "char" not null,
    id      text collate "C" not null primary key,
    labels  int8[],
    tok     int8[] not null,
    gram    int8[],
    words   text collate "C",
    body    text collate "C" not null
);
alter table record."{type}" alter column tok set statistics 1000, alter column code set statistics 1000;
create unique index "{type}_key" on record."{type}" (key);
create index "{type}_patient" on record."{type}" (patient, date_lo desc nulls last);
create index "{type}_code" on record."{type}" (code, date_lo desc nulls last) where code is not null;
create index "{type}_date" on record."{type}" (date_lo desc nulls last);
create index "{type}_updated" on record."{type}" (updated);
create index "{type}_tok" on record."{type}" using gin (tok);
create index "{type}_gram" on record."{type}" using gin (gram) where gram is not null;

create table history."{type}" (
    key     int8 not null,
    self    int8 not null,
    updated int8 not null,
    xid     xid8 not null,
    seq     int8 not null,
    patient int8,
    area    int8,
    holder  int8,
    version int4 not null,
    deleted bool not null,
    method  "char" not null,
    id      text collate "C" not null,
    labels  int8[],
    body    text collate "C" not null,
    primary key (id, version)
);
create index "{type}_updated" on history."{type}" (updated);
--- end

do $$
begin
    grant usage on schema record, history to commonweal;
    grant select, insert, update, delete on all tables in schema record to commonweal;
    grant select, insert on all tables in schema history to commonweal;
    grant usage on all sequences in schema record to commonweal;
exception when undefined_object then
    null; -- the runner has warned
end
$$;
