-- The index of rows anew, of those that are still at the version it was made of: no version, time or notice is new.
with old as materialized (
    select key, version from record."{type}" where key = any(:key::int8[]) and not deleted order by id for update
),
input as materialized (
    select i.* from unnest(
        :key, :version::int4[], :present::int8[], :patient::int8[], :area::int8[], :holder::int8[],
        :date_lo::int8[], :date_hi::int8[], :code::int8[], :words::text[],
        :tok_at::int4[], :gram_at::int4[], :label_at::int4[], :end_at::int4[]
    ) with ordinality as i(
        key, version, present, patient, area, holder, date_lo, date_hi, code, words,
        tok_at, gram_at, label_at, end_at, n)
    join old using (key, version)
),
changed as (
    update record."{type}" as t set
        present = i.present, patient = i.patient, area = i.area, holder = i.holder,
        date_lo = i.date_lo, date_hi = i.date_hi, code = i.code, words = i.words,
        tok = (:bag::int8[])[tok_at + 1 : gram_at],
        gram = nullif((:bag)[gram_at + 1 : label_at], '{}'),
        labels = nullif((:bag)[label_at + 1 : end_at], '{}')
    from input i where t.key = i.key
),
forgotten as (
    delete from record.ranged r using input i where r.row = i.key
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
)
select count(*) as count from input
