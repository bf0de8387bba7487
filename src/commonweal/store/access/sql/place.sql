-- Where places lie, and all that lies within them; which of them lie within themselves. A place is part of one at
-- most: from each a single way leads up, through those that move, and on through one that stays.
with recursive changed as materialized (
    select * from unnest(:area::int8[], :parent::int8[]) as c(area, parent)
),
moved as materialized (
    select area from changed
    union
    select area from access.place where within = any(:area || :gone::int8[]) and area <> all(:gone)
),
part as materialized (
    select area, parent from changed where parent is not null
    union all
    select p.area, p.within from access.place p join moved using (area)
    where p.steps = 1 and p.area <> all(:area)
),
up (area, at, steps) as (
    select area, area, 0 from moved
    union all
    select u.area, p.parent, u.steps + 1 from up u join part p on p.area = u.at where u.steps < 64
),
lies as materialized (
    select area, within, min(steps) as steps from (
        select area, at as within, steps from up
        union all
        select u.area, o.within, u.steps + o.steps from up u join access.place o on o.area = u.at
        where o.steps > 0 and not exists (select from moved m where m.area = u.at) and u.at <> all(:gone)
    ) as ways group by area, within
),
forgotten as (
    delete from access.place o
    where (o.area = any(:gone) or exists (select from moved m where m.area = o.area))
        and not exists (select from lies l where l.area = o.area and l.within = o.within)
),
kept as (
    insert into access.place select * from lies
    on conflict (area, within) do update set steps = excluded.steps where place.steps <> excluded.steps
)
select distinct area from up where at = area and steps > 0
