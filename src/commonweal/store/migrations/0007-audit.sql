-- As whom an agent acted, what old rows are found by, and how far the chain was proven and shipped.

-- Rows from before hold '' here and keep their place in the chain: empty columns at a row's end are not hashed
-- (store/audit/seal.py).
alter table beside.audit
    add column role         text not null default '',
    add column organization text not null default '',
    add column client       text not null default '',
    add column session      text not null default '',
    add column address      text not null default '';

create index audit_at on beside.audit (at, xid, seq);
create index audit_agent on beside.audit (agent, at);
create index audit_work on beside.audit (work);
create index audit_refused on beside.audit (at, xid, seq) where outcome >= 400;

-- When the chain was computed again, up to where, and how many links did not hold.
create table beside.proof (
    at      int8 not null default (extract(epoch from clock_timestamp()) * 1000000)::int8 primary key,
    upto    int8 not null, -- the time of the newest row under the seals looked at
    damages int8 not null
);
create trigger only_added before update or delete or truncate on beside.proof
    for each statement execute function beside.refuse();

-- How far each collector outside has the rows: its own position, moved only once it has said so.
create table beside.shipping (
    collector text primary key,
    xid       xid8 not null default '0',
    seq       int8 not null default 0,
    at        int8 not null default (extract(epoch from clock_timestamp()) * 1000000)::int8
);

do $$
begin
    grant select, insert on beside.proof to commonweal;
    grant select, insert, update on beside.shipping to commonweal;
exception when undefined_object then
    null; -- the runner has warned
end
$$;
