-- What was used: peaks of each hour, of everything and by bridge and tenant;
-- participant time of each day by tenant and tag. usage_due has the days that are
-- to be added up from their legs.
CREATE TABLE usage_hours (
  scope               TEXT COLLATE "C" NOT NULL,
  value               TEXT COLLATE "C" NOT NULL,
  at                  TIMESTAMPTZ NOT NULL,
  peak_legs           BIGINT NOT NULL,
  peak_meetings       BIGINT NOT NULL,
  participant_seconds DOUBLE PRECISION NOT NULL,
  PRIMARY KEY (scope, value, at)
);

CREATE INDEX usage_hours_by_time ON usage_hours (at);

CREATE TABLE usage_tags (
  day                 TIMESTAMPTZ NOT NULL,
  tenant_id           TEXT COLLATE "C" NOT NULL,
  tag                 TEXT COLLATE "C" NOT NULL,
  legs                BIGINT NOT NULL,
  meetings            BIGINT NOT NULL,
  participant_seconds DOUBLE PRECISION NOT NULL,
  PRIMARY KEY (day, tenant_id, tag)
);

CREATE TABLE usage_due (
  day TIMESTAMPTZ NOT NULL PRIMARY KEY
);

CREATE INDEX call_legs_long ON call_legs (ended_at) WHERE duration_seconds > 86400;

-- Conferences, and whatever else has a trace, that retention keeps.
CREATE TABLE holds (
  trace_id TEXT COLLATE "C" NOT NULL PRIMARY KEY,
  reason   TEXT COLLATE "C" NOT NULL,
  held_at  TIMESTAMPTZ NOT NULL
);
