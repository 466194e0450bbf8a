-- The call archive, version 1, SQLite. docs/call-archive.md says what the columns
-- hold. Times are UTC as '2026-03-05 10:20:33.000': they sort, they compare with
-- datetime('now', '-1 day'), and SQLite's date functions read them.

CREATE TABLE conferences (
  trace_id                     TEXT NOT NULL PRIMARY KEY,
  call_id                      TEXT,
  bridge                       TEXT,
  room_id                      TEXT,
  room_name                    TEXT,
  tenant_id                    TEXT,
  call_type                    TEXT,
  correlator                   TEXT,
  owner_name                   TEXT,
  cdr_tag                      TEXT,
  state                        TEXT NOT NULL,
  outcome                      TEXT,
  started_at                   TEXT NOT NULL,
  ended_at                     TEXT,
  duration_seconds             REAL,
  last_heard_at                TEXT NOT NULL,
  calls                        INTEGER NOT NULL,
  bridges                      INTEGER NOT NULL,
  legs                         INTEGER NOT NULL,
  participants                 INTEGER NOT NULL,
  failed_legs                  INTEGER NOT NULL,
  recordings                   INTEGER NOT NULL,
  streamings                   INTEGER NOT NULL,
  participant_seconds          REAL NOT NULL,
  packet_loss_percent          REAL,
  excessive_jitter_percent     REAL,
  high_round_trip_time_percent REAL
);

CREATE INDEX conferences_by_start ON conferences (started_at, trace_id);
CREATE INDEX conferences_by_room ON conferences (room_id, started_at);
CREATE INDEX conferences_by_room_name ON conferences (lower(room_name), started_at) WHERE room_name IS NOT NULL;
CREATE INDEX conferences_by_tenant ON conferences (tenant_id, started_at);
CREATE INDEX conferences_with_loss ON conferences (started_at) WHERE packet_loss_percent IS NOT NULL;
CREATE INDEX conferences_running ON conferences (started_at) WHERE state = 'running';

CREATE TABLE calls (
  id                   TEXT NOT NULL PRIMARY KEY,
  trace_id             TEXT NOT NULL,
  span_id              TEXT NOT NULL,
  parent_span_id       TEXT,
  state                TEXT NOT NULL,
  outcome              TEXT,
  started_at           TEXT NOT NULL,
  ended_at             TEXT,
  duration_seconds     REAL,
  last_heard_at        TEXT NOT NULL,
  bridge               TEXT,
  system               TEXT,
  room_id              TEXT,
  room_name            TEXT,
  tenant_id            TEXT,
  call_type            TEXT,
  correlator           TEXT,
  owner_name           TEXT,
  cdr_tag              TEXT,
  call_legs_completed  INTEGER,
  call_legs_max_active INTEGER,
  endpoint_recorded    INTEGER,
  details              TEXT,
  phase                INTEGER NOT NULL,
  revised_at           TEXT,
  digest               INTEGER NOT NULL,
  draft                TEXT
);

CREATE INDEX calls_by_trace ON calls (trace_id);
CREATE INDEX calls_by_start ON calls (started_at);

CREATE TABLE call_legs (
  id                           TEXT NOT NULL PRIMARY KEY,
  trace_id                     TEXT NOT NULL,
  span_id                      TEXT NOT NULL,
  parent_span_id               TEXT,
  state                        TEXT NOT NULL,
  outcome                      TEXT,
  started_at                   TEXT NOT NULL,
  ended_at                     TEXT,
  duration_seconds             REAL,
  last_heard_at                TEXT NOT NULL,
  bridge                       TEXT,
  system                       TEXT,
  room_id                      TEXT,
  room_name                    TEXT,
  tenant_id                    TEXT,
  call_id                      TEXT,
  calls                        TEXT,
  participant_id               TEXT,
  role                         TEXT,
  activity                     TEXT,
  direction                    TEXT,
  type                         TEXT,
  sub_type                     TEXT,
  lync_sub_type                TEXT,
  display_name                 TEXT,
  remote_party                 TEXT,
  remote_address               TEXT,
  local_address                TEXT,
  sip_call_id                  TEXT,
  owner_id                     TEXT,
  cdr_tag                      TEXT,
  call_cdr_tag                 TEXT,
  confirmation_status          TEXT,
  guest_connection             INTEGER,
  reason                       TEXT,
  reason_details               TEXT,
  error_type                   TEXT,
  remote_teardown              INTEGER,
  setup_seconds                REAL,
  ivr_seconds                  REAL,
  lobby_seconds                REAL,
  activated_seconds            REAL,
  packet_loss_percent          REAL,
  excessive_jitter_percent     REAL,
  high_round_trip_time_percent REAL,
  rx_audio_codec               TEXT,
  tx_audio_codec               TEXT,
  rx_video_codec               TEXT,
  tx_video_codec               TEXT,
  encrypted_media              INTEGER,
  unencrypted_media            INTEGER,
  moved_call_leg               TEXT,
  replaces_sip_call_id         TEXT,
  links                        TEXT,
  details                      TEXT,
  phase                        INTEGER NOT NULL,
  revised_at                   TEXT,
  digest                       INTEGER NOT NULL,
  draft                        TEXT
);

CREATE INDEX call_legs_by_trace ON call_legs (trace_id);
-- With what the page counts, so that it need not read the rows.
CREATE INDEX call_legs_by_start ON call_legs (started_at, reason, error_type, packet_loss_percent);
CREATE INDEX call_legs_by_remote_party ON call_legs (lower(remote_party), started_at);
CREATE INDEX call_legs_by_display_name ON call_legs (lower(display_name), started_at) WHERE display_name IS NOT NULL;
CREATE INDEX call_legs_by_reason ON call_legs (reason, started_at) WHERE reason IS NOT NULL;
CREATE INDEX call_legs_by_packet_loss ON call_legs (packet_loss_percent) WHERE packet_loss_percent > 0;
CREATE INDEX call_legs_with_loss ON call_legs (started_at) WHERE packet_loss_percent > 0;
CREATE INDEX call_legs_failed ON call_legs (started_at) WHERE error_type IS NOT NULL;
CREATE INDEX call_legs_by_moved ON call_legs (moved_call_leg) WHERE moved_call_leg IS NOT NULL;
CREATE INDEX call_legs_by_sip_call_id ON call_legs (sip_call_id) WHERE sip_call_id IS NOT NULL;
CREATE INDEX call_legs_running ON call_legs (started_at) WHERE state = 'running';

CREATE TABLE recordings (
  id               TEXT NOT NULL PRIMARY KEY,
  trace_id         TEXT NOT NULL,
  span_id          TEXT NOT NULL,
  parent_span_id   TEXT,
  state            TEXT NOT NULL,
  outcome          TEXT,
  started_at       TEXT NOT NULL,
  ended_at         TEXT,
  duration_seconds REAL,
  last_heard_at    TEXT NOT NULL,
  bridge           TEXT,
  system           TEXT,
  kind             TEXT NOT NULL,
  room_id          TEXT,
  room_name        TEXT,
  tenant_id        TEXT,
  call_id          TEXT,
  call_leg_id      TEXT,
  path             TEXT,
  device           TEXT,
  url              TEXT,
  details          TEXT,
  phase            INTEGER NOT NULL,
  revised_at       TEXT,
  digest           INTEGER NOT NULL,
  draft            TEXT
);

CREATE INDEX recordings_by_trace ON recordings (trace_id);
CREATE INDEX recordings_by_start ON recordings (started_at);
CREATE INDEX recordings_running ON recordings (started_at) WHERE state = 'running';

CREATE TABLE sessions (
  id                 TEXT NOT NULL PRIMARY KEY,
  trace_id           TEXT NOT NULL,
  span_id            TEXT NOT NULL,
  parent_span_id     TEXT,
  state              TEXT NOT NULL,
  outcome            TEXT,
  started_at         TEXT NOT NULL,
  ended_at           TEXT,
  duration_seconds   REAL,
  last_heard_at      TEXT NOT NULL,
  bridge             TEXT,
  system             TEXT,
  ccid               TEXT,
  controller_address TEXT,
  controller_type    TEXT,
  media_state        TEXT,
  error_type         TEXT,
  parties            TEXT,
  tags               TEXT,
  urls               TEXT,
  links              TEXT,
  details            TEXT,
  phase              INTEGER NOT NULL,
  revised_at         TEXT,
  digest             INTEGER NOT NULL,
  draft              TEXT
);

CREATE INDEX sessions_by_trace ON sessions (trace_id);
CREATE INDEX sessions_by_start ON sessions (started_at);
CREATE INDEX sessions_running ON sessions (started_at) WHERE state = 'running';
CREATE INDEX sessions_by_ccid ON sessions (ccid) WHERE ccid IS NOT NULL;

CREATE TABLE tracks (
  id               TEXT NOT NULL PRIMARY KEY,
  trace_id         TEXT NOT NULL,
  span_id          TEXT NOT NULL,
  parent_span_id   TEXT,
  state            TEXT NOT NULL,
  outcome          TEXT,
  started_at       TEXT NOT NULL,
  ended_at         TEXT,
  duration_seconds REAL,
  last_heard_at    TEXT NOT NULL,
  bridge           TEXT,
  system           TEXT,
  session_id       TEXT,
  track_number     INTEGER,
  media_type       TEXT,
  codec            TEXT,
  download_url     TEXT,
  parties          TEXT,
  participants     TEXT,
  tags             TEXT,
  details          TEXT,
  phase            INTEGER NOT NULL,
  revised_at       TEXT,
  digest           INTEGER NOT NULL,
  draft            TEXT
);

CREATE INDEX tracks_by_trace ON tracks (trace_id);
CREATE INDEX tracks_by_session ON tracks (session_id);
CREATE INDEX tracks_by_start ON tracks (started_at);

CREATE TABLE dialogs (
  id               TEXT NOT NULL PRIMARY KEY,
  trace_id         TEXT NOT NULL,
  span_id          TEXT NOT NULL,
  parent_span_id   TEXT,
  state            TEXT NOT NULL,
  outcome          TEXT,
  started_at       TEXT NOT NULL,
  ended_at         TEXT,
  duration_seconds REAL,
  last_heard_at    TEXT NOT NULL,
  bridge           TEXT,
  system           TEXT,
  sip_call_id      TEXT,
  method           TEXT,
  code             INTEGER,
  from_party       TEXT,
  to_party         TEXT,
  error_type       TEXT,
  links            TEXT,
  details          TEXT,
  phase            INTEGER NOT NULL,
  revised_at       TEXT,
  digest           INTEGER NOT NULL,
  draft            TEXT
);

CREATE INDEX dialogs_by_trace ON dialogs (trace_id);
CREATE INDEX dialogs_by_start ON dialogs (started_at);
CREATE INDEX dialogs_by_sip_call_id ON dialogs (sip_call_id) WHERE sip_call_id IS NOT NULL;

CREATE TABLE storage_events (
  id                  TEXT NOT NULL PRIMARY KEY,
  at                  TEXT NOT NULL,
  server              TEXT,
  node_id             TEXT,
  node_address        TEXT,
  partition           TEXT,
  action              TEXT NOT NULL,
  level               TEXT NOT NULL,
  utilization_percent REAL
);

CREATE INDEX storage_events_by_time ON storage_events (at);
