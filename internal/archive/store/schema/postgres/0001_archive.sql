-- The call archive, version 1, PostgreSQL. docs/call-archive.md says what the
-- columns hold. Texts have the collation "C": they sort and compare as in SQLite,
-- byte by byte, and a range finds a prefix by its index.

CREATE TABLE conferences (
  trace_id                     TEXT COLLATE "C" NOT NULL PRIMARY KEY,
  call_id                      TEXT COLLATE "C",
  bridge                       TEXT COLLATE "C",
  room_id                      TEXT COLLATE "C",
  room_name                    TEXT COLLATE "C",
  tenant_id                    TEXT COLLATE "C",
  call_type                    TEXT COLLATE "C",
  correlator                   TEXT COLLATE "C",
  owner_name                   TEXT COLLATE "C",
  cdr_tag                      TEXT COLLATE "C",
  state                        TEXT COLLATE "C" NOT NULL,
  outcome                      TEXT COLLATE "C",
  started_at                   TIMESTAMPTZ NOT NULL,
  ended_at                     TIMESTAMPTZ,
  duration_seconds             DOUBLE PRECISION,
  last_heard_at                TIMESTAMPTZ NOT NULL,
  calls                        BIGINT NOT NULL,
  bridges                      BIGINT NOT NULL,
  legs                         BIGINT NOT NULL,
  participants                 BIGINT NOT NULL,
  failed_legs                  BIGINT NOT NULL,
  recordings                   BIGINT NOT NULL,
  streamings                   BIGINT NOT NULL,
  participant_seconds          DOUBLE PRECISION NOT NULL,
  packet_loss_percent          DOUBLE PRECISION,
  excessive_jitter_percent     DOUBLE PRECISION,
  high_round_trip_time_percent DOUBLE PRECISION
);

CREATE INDEX conferences_by_start ON conferences (started_at, trace_id);
CREATE INDEX conferences_by_room ON conferences (room_id, started_at);
CREATE INDEX conferences_by_room_name ON conferences (lower(room_name), started_at) WHERE room_name IS NOT NULL;
CREATE INDEX conferences_by_tenant ON conferences (tenant_id, started_at);
CREATE INDEX conferences_with_loss ON conferences (started_at) WHERE packet_loss_percent IS NOT NULL;
CREATE INDEX conferences_running ON conferences (started_at) WHERE state = 'running';

CREATE TABLE calls (
  id                   TEXT COLLATE "C" NOT NULL PRIMARY KEY,
  trace_id             TEXT COLLATE "C" NOT NULL,
  span_id              TEXT COLLATE "C" NOT NULL,
  parent_span_id       TEXT COLLATE "C",
  state                TEXT COLLATE "C" NOT NULL,
  outcome              TEXT COLLATE "C",
  started_at           TIMESTAMPTZ NOT NULL,
  ended_at             TIMESTAMPTZ,
  duration_seconds     DOUBLE PRECISION,
  last_heard_at        TIMESTAMPTZ NOT NULL,
  bridge               TEXT COLLATE "C",
  system               TEXT COLLATE "C",
  room_id              TEXT COLLATE "C",
  room_name            TEXT COLLATE "C",
  tenant_id            TEXT COLLATE "C",
  call_type            TEXT COLLATE "C",
  correlator           TEXT COLLATE "C",
  owner_name           TEXT COLLATE "C",
  cdr_tag              TEXT COLLATE "C",
  call_legs_completed  BIGINT,
  call_legs_max_active BIGINT,
  endpoint_recorded    BOOLEAN,
  details              JSONB,
  phase                SMALLINT NOT NULL,
  revised_at           TIMESTAMPTZ,
  digest               BIGINT NOT NULL,
  draft                JSONB
);

CREATE INDEX calls_by_trace ON calls (trace_id);
CREATE INDEX calls_by_start ON calls (started_at);

CREATE TABLE call_legs (
  id                           TEXT COLLATE "C" NOT NULL PRIMARY KEY,
  trace_id                     TEXT COLLATE "C" NOT NULL,
  span_id                      TEXT COLLATE "C" NOT NULL,
  parent_span_id               TEXT COLLATE "C",
  state                        TEXT COLLATE "C" NOT NULL,
  outcome                      TEXT COLLATE "C",
  started_at                   TIMESTAMPTZ NOT NULL,
  ended_at                     TIMESTAMPTZ,
  duration_seconds             DOUBLE PRECISION,
  last_heard_at                TIMESTAMPTZ NOT NULL,
  bridge                       TEXT COLLATE "C",
  system                       TEXT COLLATE "C",
  room_id                      TEXT COLLATE "C",
  room_name                    TEXT COLLATE "C",
  tenant_id                    TEXT COLLATE "C",
  call_id                      TEXT COLLATE "C",
  calls                        JSONB,
  participant_id               TEXT COLLATE "C",
  role                         TEXT COLLATE "C",
  activity                     TEXT COLLATE "C",
  direction                    TEXT COLLATE "C",
  type                         TEXT COLLATE "C",
  sub_type                     TEXT COLLATE "C",
  lync_sub_type                TEXT COLLATE "C",
  display_name                 TEXT COLLATE "C",
  remote_party                 TEXT COLLATE "C",
  remote_address               TEXT COLLATE "C",
  local_address                TEXT COLLATE "C",
  sip_call_id                  TEXT COLLATE "C",
  owner_id                     TEXT COLLATE "C",
  cdr_tag                      TEXT COLLATE "C",
  call_cdr_tag                 TEXT COLLATE "C",
  confirmation_status          TEXT COLLATE "C",
  guest_connection             BOOLEAN,
  reason                       TEXT COLLATE "C",
  reason_details               TEXT COLLATE "C",
  error_type                   TEXT COLLATE "C",
  remote_teardown              BOOLEAN,
  setup_seconds                DOUBLE PRECISION,
  ivr_seconds                  DOUBLE PRECISION,
  lobby_seconds                DOUBLE PRECISION,
  activated_seconds            DOUBLE PRECISION,
  packet_loss_percent          DOUBLE PRECISION,
  excessive_jitter_percent     DOUBLE PRECISION,
  high_round_trip_time_percent DOUBLE PRECISION,
  rx_audio_codec               TEXT COLLATE "C",
  tx_audio_codec               TEXT COLLATE "C",
  rx_video_codec               TEXT COLLATE "C",
  tx_video_codec               TEXT COLLATE "C",
  encrypted_media              BOOLEAN,
  unencrypted_media            BOOLEAN,
  moved_call_leg               TEXT COLLATE "C",
  replaces_sip_call_id         TEXT COLLATE "C",
  links                        JSONB,
  details                      JSONB,
  phase                        SMALLINT NOT NULL,
  revised_at                   TIMESTAMPTZ,
  digest                       BIGINT NOT NULL,
  draft                        JSONB
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
  id               TEXT COLLATE "C" NOT NULL PRIMARY KEY,
  trace_id         TEXT COLLATE "C" NOT NULL,
  span_id          TEXT COLLATE "C" NOT NULL,
  parent_span_id   TEXT COLLATE "C",
  state            TEXT COLLATE "C" NOT NULL,
  outcome          TEXT COLLATE "C",
  started_at       TIMESTAMPTZ NOT NULL,
  ended_at         TIMESTAMPTZ,
  duration_seconds DOUBLE PRECISION,
  last_heard_at    TIMESTAMPTZ NOT NULL,
  bridge           TEXT COLLATE "C",
  system           TEXT COLLATE "C",
  kind             TEXT COLLATE "C" NOT NULL,
  room_id          TEXT COLLATE "C",
  room_name        TEXT COLLATE "C",
  tenant_id        TEXT COLLATE "C",
  call_id          TEXT COLLATE "C",
  call_leg_id      TEXT COLLATE "C",
  path             TEXT COLLATE "C",
  device           TEXT COLLATE "C",
  url              TEXT COLLATE "C",
  details          JSONB,
  phase            SMALLINT NOT NULL,
  revised_at       TIMESTAMPTZ,
  digest           BIGINT NOT NULL,
  draft            JSONB
);

CREATE INDEX recordings_by_trace ON recordings (trace_id);
CREATE INDEX recordings_by_start ON recordings (started_at);
CREATE INDEX recordings_running ON recordings (started_at) WHERE state = 'running';

CREATE TABLE sessions (
  id                 TEXT COLLATE "C" NOT NULL PRIMARY KEY,
  trace_id           TEXT COLLATE "C" NOT NULL,
  span_id            TEXT COLLATE "C" NOT NULL,
  parent_span_id     TEXT COLLATE "C",
  state              TEXT COLLATE "C" NOT NULL,
  outcome            TEXT COLLATE "C",
  started_at         TIMESTAMPTZ NOT NULL,
  ended_at           TIMESTAMPTZ,
  duration_seconds   DOUBLE PRECISION,
  last_heard_at      TIMESTAMPTZ NOT NULL,
  bridge             TEXT COLLATE "C",
  system             TEXT COLLATE "C",
  ccid               TEXT COLLATE "C",
  controller_address TEXT COLLATE "C",
  controller_type    TEXT COLLATE "C",
  media_state        TEXT COLLATE "C",
  error_type         TEXT COLLATE "C",
  parties            TEXT COLLATE "C",
  tags               JSONB,
  urls               JSONB,
  links              JSONB,
  details            JSONB,
  phase              SMALLINT NOT NULL,
  revised_at         TIMESTAMPTZ,
  digest             BIGINT NOT NULL,
  draft              JSONB
);

CREATE INDEX sessions_by_trace ON sessions (trace_id);
CREATE INDEX sessions_by_start ON sessions (started_at);
CREATE INDEX sessions_running ON sessions (started_at) WHERE state = 'running';
CREATE INDEX sessions_by_ccid ON sessions (ccid) WHERE ccid IS NOT NULL;

CREATE TABLE tracks (
  id               TEXT COLLATE "C" NOT NULL PRIMARY KEY,
  trace_id         TEXT COLLATE "C" NOT NULL,
  span_id          TEXT COLLATE "C" NOT NULL,
  parent_span_id   TEXT COLLATE "C",
  state            TEXT COLLATE "C" NOT NULL,
  outcome          TEXT COLLATE "C",
  started_at       TIMESTAMPTZ NOT NULL,
  ended_at         TIMESTAMPTZ,
  duration_seconds DOUBLE PRECISION,
  last_heard_at    TIMESTAMPTZ NOT NULL,
  bridge           TEXT COLLATE "C",
  system           TEXT COLLATE "C",
  session_id       TEXT COLLATE "C",
  track_number     BIGINT,
  media_type       TEXT COLLATE "C",
  codec            TEXT COLLATE "C",
  download_url     TEXT COLLATE "C",
  parties          TEXT COLLATE "C",
  participants     JSONB,
  tags             JSONB,
  details          JSONB,
  phase            SMALLINT NOT NULL,
  revised_at       TIMESTAMPTZ,
  digest           BIGINT NOT NULL,
  draft            JSONB
);

CREATE INDEX tracks_by_trace ON tracks (trace_id);
CREATE INDEX tracks_by_session ON tracks (session_id);
CREATE INDEX tracks_by_start ON tracks (started_at);

CREATE TABLE dialogs (
  id               TEXT COLLATE "C" NOT NULL PRIMARY KEY,
  trace_id         TEXT COLLATE "C" NOT NULL,
  span_id          TEXT COLLATE "C" NOT NULL,
  parent_span_id   TEXT COLLATE "C",
  state            TEXT COLLATE "C" NOT NULL,
  outcome          TEXT COLLATE "C",
  started_at       TIMESTAMPTZ NOT NULL,
  ended_at         TIMESTAMPTZ,
  duration_seconds DOUBLE PRECISION,
  last_heard_at    TIMESTAMPTZ NOT NULL,
  bridge           TEXT COLLATE "C",
  system           TEXT COLLATE "C",
  sip_call_id      TEXT COLLATE "C",
  method           TEXT COLLATE "C",
  code             BIGINT,
  from_party       TEXT COLLATE "C",
  to_party         TEXT COLLATE "C",
  error_type       TEXT COLLATE "C",
  links            JSONB,
  details          JSONB,
  phase            SMALLINT NOT NULL,
  revised_at       TIMESTAMPTZ,
  digest           BIGINT NOT NULL,
  draft            JSONB
);

CREATE INDEX dialogs_by_trace ON dialogs (trace_id);
CREATE INDEX dialogs_by_start ON dialogs (started_at);
CREATE INDEX dialogs_by_sip_call_id ON dialogs (sip_call_id) WHERE sip_call_id IS NOT NULL;

CREATE TABLE storage_events (
  id                  TEXT COLLATE "C" NOT NULL PRIMARY KEY,
  at                  TIMESTAMPTZ NOT NULL,
  server              TEXT COLLATE "C",
  node_id             TEXT COLLATE "C",
  node_address        TEXT COLLATE "C",
  partition           TEXT COLLATE "C",
  action              TEXT COLLATE "C" NOT NULL,
  level               TEXT COLLATE "C" NOT NULL,
  utilization_percent DOUBLE PRECISION
);

CREATE INDEX storage_events_by_time ON storage_events (at);
