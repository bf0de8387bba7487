-- Whoever is one with a patient is found from either side, for each row that a reach is asked of.

create index on record.person_link (cluster);
