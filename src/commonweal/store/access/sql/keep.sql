-- Ties and rules of resources (`sources`) as they are now, instead of what was kept of them; what is the same stays.
with tie as materialized (
    select * from unnest(
        :tie_source::int8[], :tie_kind::text[], :tie_party::int8[], :tie_patient::int8[], :tie_since::int8[],
        :tie_until::int8[]
    ) as t(source, kind, party, patient, since, until)
),
untied as (
    delete from access.tie o where source = any(:sources::int8[])
        and not exists (select from tie t where t.source = o.source and t is not distinct from o)
),
tied as (
    insert into access.tie select * from tie t
    where not exists (select from access.tie o where o.source = t.source and o is not distinct from t)
),
unruled as (
    delete from access.rule where source = any(:sources)
)
insert into access.rule
select source, patient, deny, parties::int8[], but::int8[], purposes::text[], types::text[], labels::int8[],
    since, until
from unnest(
    :rule_source::int8[], :rule_patient::int8[], :rule_deny::bool[], :rule_parties::text[], :rule_but::text[],
    :rule_purposes::text[], :rule_types::text[], :rule_labels::text[], :rule_since::int8[], :rule_until::int8[]
) as r(source, patient, deny, parties, but, purposes, types, labels, since, until)
