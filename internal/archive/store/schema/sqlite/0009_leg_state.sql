-- What participants of running legs do now; see internal/archive/store/legstate.go.
CREATE TABLE leg_state (
  id                 TEXT NOT NULL PRIMARY KEY,
  at                 TEXT NOT NULL,
  state              TEXT,
  audio_muted        INTEGER,
  video_muted        INTEGER,
  presenting         INTEGER,
  active_speaker     INTEGER,
  endpoint_recording INTEGER,
  layout             TEXT,
  versions           TEXT
);

-- The running legs of a participant.
CREATE INDEX call_legs_running_participant ON call_legs (participant_id) WHERE state = 'running' AND participant_id IS NOT NULL;
