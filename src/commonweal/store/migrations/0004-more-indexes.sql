-- What `_has` needs to come from references to what they refer to, and searches by a date's end to find the few
-- ranges that began long before; nearly all last a day at most (store/searches/conditions.py).

--- each type
create index "{type}_self" on record."{type}" (self);
create index "{type}_long" on record."{type}" (date_hi) where date_hi > date_lo + 86400000000;
--- end
