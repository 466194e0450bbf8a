-- Records of Call Bridges that were lost: what was open then may have ended.
CREATE TABLE gaps (
  id      TEXT NOT NULL PRIMARY KEY,
  at      TEXT NOT NULL,
  bridge  TEXT,
  system  TEXT,
  missing INTEGER
);

CREATE INDEX gaps_by_bridge ON gaps (bridge, at);
CREATE INDEX gaps_by_time ON gaps (at);

-- An id of a span is found by its index.
CREATE INDEX calls_by_span ON calls (span_id);
CREATE INDEX call_legs_by_span ON call_legs (span_id);
CREATE INDEX recordings_by_span ON recordings (span_id);
CREATE INDEX sessions_by_span ON sessions (span_id);
CREATE INDEX tracks_by_span ON tracks (span_id);
CREATE INDEX dialogs_by_span ON dialogs (span_id);
