-- How many legs started in each hour, by reason, for the overview. usage_counted has the
-- days of which that is right: no leg has changed since.
CREATE TABLE usage_starts (
  day         TEXT NOT NULL,
  at          TEXT NOT NULL,
  reason      TEXT NOT NULL,
  legs        INTEGER NOT NULL,
  failed      INTEGER NOT NULL,
  slight_loss INTEGER NOT NULL,
  bad_loss    INTEGER NOT NULL,
  PRIMARY KEY (day, at, reason)
);

CREATE TABLE usage_counted (
  day TEXT NOT NULL PRIMARY KEY
);
