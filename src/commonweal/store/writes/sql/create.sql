-- Versions 1 of resources whose ids are free, with ranges, notices and audit rows, in one statement.
with input as materialized (
    select i.*, nextval('record.key') as key
    from unnest(
        :id::text[], :self::int8[], :present::int8[], :patient::int8[], :area::int8[], :holder::int8[],
        :date_lo::int8[], :date_hi::int8[], :code::int8[], :words::text[], :tail::text[], :subject::text[],
        :tok_at::int4[], :gram_at::int4[], :label_at::int4[], :end_at::int4[], :causes::text[]
    ) with ordinality as i(
        id, self, present, patient, area, holder, date_lo, date_hi, code, words, tail, subject,
        tok_at, gram_at, label_at, end_at, cause, n)
),
made as (
    insert into record."{type}" (
        key, self, updated, present, patient, area, holder, date_lo, date_hi, code, version, method, id,
        tok, gram, labels, words, body)
    select
        key, self, (select record.now()), present, patient, area, holder, date_lo, date_hi, code, 1, 'c', id,
        (:bag::int8[])[tok_at + 1 : gram_at],
        nullif((:bag)[gram_at + 1 : label_at], '{}'),
        nullif((:bag)[label_at + 1 : end_at], '{}'),
        words,
        record.body('{type}', id, 1, (select record.stamp(record.now())), tail)
    from input
),
coded as (
    insert into record.coding (set, type, tok)
    select set, '{type}', tok::int8[] from unnest(:set::int8[], :set_tok::text[]) as s(set, tok) order by set
    on conflict do nothing
),
measured as (
    insert into record.ranged (parameter, row, lo, hi, unit, code, entry, tok)
    select r.parameter, i.key, r.lo, r.hi, r.unit, r.code, r.entry, r.tok::int8[]
    from unnest(
        :range_n::int8[], :range_parameter::int4[], :range_lo::float8[], :range_hi::float8[],
        :range_unit::int8[], :range_code::int8[],
        :range_entry::int2[], :range_tok::text[]
    ) as r(n, parameter, lo, hi, unit, code, entry, tok)
    join input i using (n)
),
--- where the type grants
tied as (
    insert into access.tie
    select * from unnest(
        :tie_source::int8[], :tie_kind::text[], :tie_party::int8[], :tie_patient::int8[], :tie_since::int8[],
        :tie_until::int8[])
),
ruled as (
    insert into access.rule
    select source, patient, deny, parties::int8[], but::int8[], purposes::text[], types::text[], labels::int8[],
        since, until
    from unnest(
        :rule_source::int8[], :rule_patient::int8[], :rule_deny::bool[], :rule_parties::text[], :rule_but::text[],
        :rule_purposes::text[], :rule_types::text[], :rule_labels::text[], :rule_since::int8[], :rule_until::int8[]
    ) as r(source, patient, deny, parties, but, purposes, types, labels, since, until)
),
--- end
told as (
    insert into beside.outbox (version, topic, type, id, subject, cause)
    select 1, '{type}.created', '{type}', id, subject, cause from input
    union all
    select 1, t.topic, '{type}', i.id, i.subject, i.cause
    from unnest(:topic_n::int8[], :topic::text[]) as t(n, topic) join input i using (n)
),
audited as (
    insert into beside.audit (
        work, agent, purpose, interaction, type, query, because, outcome, entities, patients,
        role, organization, client, session, address)
    select work, agent, purpose, interaction, about, query, because, outcome,
        string_to_array(entities, ' '), patients::int8[], role, organization, client, session, address
    from unnest(
        :works::text[], :agents::text[], :purposes::text[], :interactions::text[], :abouts::text[],
        :queries::text[], :becauses::text[], :outcomes::int2[], :entities::text[], :patients::text[],
        :roles::text[], :organizations::text[], :clients::text[], :sessions::text[], :addresses::text[]
    ) as a(work, agent, purpose, interaction, about, query, because, outcome, entities, patients,
        role, organization, client, session, address)
)
select record.now() as updated
