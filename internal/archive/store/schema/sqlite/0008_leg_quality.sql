-- How the media of legs are that run; see internal/archive/store/quality.go.
CREATE TABLE leg_quality (
  id                TEXT NOT NULL PRIMARY KEY,
  at                TEXT NOT NULL,
  state             TEXT,
  loss_percent      REAL,
  jitter_ms         REAL,
  round_trip_ms     REAL,
  sent_loss_percent REAL,
  video_bit_rate    INTEGER
);
