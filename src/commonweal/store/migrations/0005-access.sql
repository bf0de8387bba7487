-- Who has to do with whom, what people have consented to, and which place lies in which: read off the resources
-- that say so, in the transaction that writes them (store/access/). Hashes as in the records; times int8
-- microseconds, UTC: from `since` until before `until`.

create schema access;

-- From a party to a patient; `source` is the `self` of the resource that ties them.
create table access.tie (
    source  int8 not null,
    kind    text not null,
    party   int8 not null,
    patient int8 not null,
    since   int8 not null,
    until   int8 not null
);
create index on access.tie (patient, party);
create index on access.tie (source);
create index on access.tie (party);

-- What a consent denies, or which labels it opens. Null: any; `but`: parties for whom it does not hold.
create table access.rule (
    source   int8   not null,
    patient  int8   not null,
    deny     bool   not null,
    parties  int8[],
    but      int8[] not null default '{}',
    purposes text[],
    types    text[],
    labels   int8[],
    since    int8   not null,
    until    int8   not null
);
create index on access.rule (patient);
create index on access.rule (source);

-- Every place with itself (0 steps), what it is part of (1), what that is part of, and so on.
create table access.place (
    area   int8 not null,
    within int8 not null,
    steps  int4 not null,
    primary key (area, within)
);
create index on access.place (within);

do $$
begin
    grant usage on schema access to commonweal;
    grant select, insert, update, delete on all tables in schema access to commonweal;
exception when undefined_object then
    null; -- the runner has warned
end
$$;
