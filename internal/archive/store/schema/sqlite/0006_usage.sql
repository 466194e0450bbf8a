-- What was used: peaks of each hour, of everything and by bridge and tenant;
-- participant time of each day by tenant and tag. usage_due has the days that are
-- to be added up from their legs.
CREATE TABLE usage_hours (
  scope               TEXT NOT NULL,
  value               TEXT NOT NULL,
  at                  TEXT NOT NULL,
  peak_legs           INTEGER NOT NULL,
  peak_meetings       INTEGER NOT NULL,
  participant_seconds REAL NOT NULL,
  PRIMARY KEY (scope, value, at)
);

CREATE INDEX usage_hours_by_time ON usage_hours (at);

CREATE TABLE usage_tags (
  day                 TEXT NOT NULL,
  tenant_id           TEXT NOT NULL,
  tag                 TEXT NOT NULL,
  legs                INTEGER NOT NULL,
  meetings            INTEGER NOT NULL,
  participant_seconds REAL NOT NULL,
  PRIMARY KEY (day, tenant_id, tag)
);

CREATE TABLE usage_due (
  day TEXT NOT NULL PRIMARY KEY
);

CREATE INDEX call_legs_long ON call_legs (ended_at) WHERE duration_seconds > 86400;

-- Conferences, and whatever else has a trace, that retention keeps.
CREATE TABLE holds (
  trace_id TEXT NOT NULL PRIMARY KEY,
  reason   TEXT NOT NULL,
  held_at  TEXT NOT NULL
);
