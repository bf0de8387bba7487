-- Any mixture of creates, updates and deletes of one type: what is current is locked and judged, and then
-- either all of it is done, with history, ranges, notices and the audit row, or nothing.
-- `what`: c created (or brought back), u updated, d deleted, f found (nothing to do), x id taken, m no match.
with old as materialized (
    select * from record."{type}" where id = any(:id::text[]) order by id for update
),
judged as (
    select i.*,
        o.key as old_key,
        case
            when i.if_match is not null and (o.id is null or o.deleted or o.version <> i.if_match) then 'm'
            when i.method = 'c' and o.id is not null then 'x'
            when i.method = 'd' and (o.id is null or o.deleted) then 'f'
            when i.method = 'd' then 'd'
            when o.id is null or o.deleted then 'c'
            when i.skip and o.body = record.body('{type}', o.id, o.version, record.stamp(o.updated), i.tail)
                then 'f'
            else 'u'
        end as what,
        coalesce(o.version, 0) + 1 as version,
        greatest((select record.now()), o.updated + 1) as updated
    from unnest(
        :id, :self::int8[], :present::int8[], :patient::int8[], :area::int8[], :holder::int8[],
        :date_lo::int8[], :date_hi::int8[], :code::int8[], :words::text[], :tail::text[], :subject::text[],
        :tok_at::int4[], :gram_at::int4[], :label_at::int4[], :end_at::int4[],
        :method::text[], :if_match::int4[], :skip::bool[]
    ) with ordinality as i(
        id, self, present, patient, area, holder, date_lo, date_hi, code, words, tail, subject,
        tok_at, gram_at, label_at, end_at, method, if_match, skip, n)
    left join old o on o.id = i.id
    order by n
),
input as materialized (
    select *, coalesce(old_key, nextval('record.key')) as new_key from judged
),
todo as materialized (
    select *, what = 'd' as ends from input
    where what in ('c', 'u', 'd') and not exists (select from input where what in ('x', 'm'))
),
past as (
    insert into history."{type}" (
        key, self, updated, xid, seq, patient, area, holder, version, deleted, method, id, labels, body)
    select o.key, o.self, o.updated, o.xid, o.seq, o.patient, o.area, o.holder, o.version, o.deleted, o.method,
        o.id, o.labels, o.body
    from old o join todo using (id)
),
changed as (
    update record."{type}" as t set
        updated = d.updated, xid = default, seq = default, version = d.version, deleted = d.ends,
        method = d.what::"char", present = d.present, date_lo = d.date_lo, date_hi = d.date_hi, code = d.code,
        patient = case when d.ends then t.patient else d.patient end,
        area = case when d.ends then t.area else d.area end,
        holder = case when d.ends then t.holder else d.holder end,
        labels = case when d.ends then t.labels else nullif((:bag::int8[])[label_at + 1 : end_at], '{}') end,
        tok = (:bag)[tok_at + 1 : gram_at],
        gram = nullif((:bag)[gram_at + 1 : label_at], '{}'),
        words = d.words,
        body = case when d.ends then ''
            else record.body('{type}', d.id, d.version, record.stamp(d.updated), d.tail) end
    from todo d where d.old_key is not null and t.id = d.id
),
made as (
    insert into record."{type}" (
        key, self, updated, present, patient, area, holder, date_lo, date_hi, code, version, method, id,
        tok, gram, labels, words, body)
    select
        new_key, self, updated, present, patient, area, holder, date_lo, date_hi, code, version, 'c', id,
        (:bag)[tok_at + 1 : gram_at],
        nullif((:bag)[gram_at + 1 : label_at], '{}'),
        nullif((:bag)[label_at + 1 : end_at], '{}'),
        words,
        record.body('{type}', id, version, record.stamp(updated), tail)
    from todo where old_key is null
    order by id
),
forgotten as (
    delete from record.ranged r using todo d where r.row = d.old_key
),
coded as (
    insert into record.coding (set, type, tok)
    select set, '{type}', tok::int8[] from unnest(:set::int8[], :set_tok::text[]) as s(set, tok) order by set
    on conflict do nothing
),
measured as (
    insert into record.ranged (parameter, row, lo, hi, unit, code, entry, tok)
    select r.parameter, d.new_key, r.lo, r.hi, r.unit, r.code, r.entry, r.tok::int8[]
    from unnest(
        :range_n::int8[], :range_parameter::int4[], :range_lo::float8[], :range_hi::float8[],
        :range_unit::int8[], :range_code::int8[],
        :range_entry::int2[], :range_tok::text[]
    ) as r(n, parameter, lo, hi, unit, code, entry, tok)
    join todo d using (n)
),
told as (
    insert into beside.outbox (version, topic, type, id, subject, cause)
    select version,
        '{type}.' || case what when 'c' then 'created' when 'u' then 'updated' else 'deleted' end,
        '{type}', id, coalesce(subject, '{type}/' || id), :cause::text
    from todo
    union all
    select d.version, t.topic, '{type}', d.id, coalesce(d.subject, '{type}/' || d.id), :cause
    from unnest(:topic_n::int8[], :topic::text[]) as t(n, topic) join todo d using (n)
),
audited as (
    insert into beside.audit (
        work, agent, purpose, interaction, type, query, because, outcome, entities, patients,
        role, organization, client, session, address)
    select :work::text, :agent::text, :purpose::text, :interaction::text, :about::text, :query::text,
        :because::text, :outcome::int2, :entities::text[],
        :patients::int8[] || array(
            select distinct o.patient from old o join todo using (id)
            where o.patient is not null and o.patient <> all(:patients)),
        :role::text, :organization::text, :client::text, :session::text, :address::text
    where :work is not null and not exists (select from input where what in ('x', 'm'))
)
select i.n, i.what,
    case when i.what = 'f' then coalesce(o.version, 0) else i.version end as version,
    case when i.what = 'f' then coalesce(o.updated, i.updated) else i.updated end as updated,
    case when i.what = 'f' then o.body end as body,
    case when i.what in ('f', 'd') then o.patient else i.patient end as patient,
    coalesce(i.what = 'd' or (i.what = 'f' and (o.id is null or o.deleted)), false) as deleted
from input i left join old o on o.id = i.id
order by i.n
