-- What participants of running legs do now; see internal/archive/store/legstate.go.
CREATE TABLE leg_state (
  id                 TEXT COLLATE "C" NOT NULL PRIMARY KEY,
  at                 TIMESTAMPTZ NOT NULL,
  state              TEXT COLLATE "C",
  audio_muted        BOOLEAN,
  video_muted        BOOLEAN,
  presenting         BOOLEAN,
  active_speaker     BOOLEAN,
  endpoint_recording BOOLEAN,
  layout             TEXT COLLATE "C",
  versions           TEXT
);

-- The running legs of a participant.
CREATE INDEX call_legs_running_participant ON call_legs (participant_id) WHERE state = 'running' AND participant_id IS NOT NULL;
