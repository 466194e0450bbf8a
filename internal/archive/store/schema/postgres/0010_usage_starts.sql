-- How many legs started in each hour, by reason, for the overview. usage_counted has the
-- days of which that is right: no leg has changed since.
CREATE TABLE usage_starts (
  day         TIMESTAMPTZ NOT NULL,
  at          TIMESTAMPTZ NOT NULL,
  reason      TEXT COLLATE "C" NOT NULL,
  legs        BIGINT NOT NULL,
  failed      BIGINT NOT NULL,
  slight_loss BIGINT NOT NULL,
  bad_loss    BIGINT NOT NULL,
  PRIMARY KEY (day, at, reason)
);

CREATE TABLE usage_counted (
  day TIMESTAMPTZ NOT NULL PRIMARY KEY
);
