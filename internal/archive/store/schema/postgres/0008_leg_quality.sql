-- How the media of legs are that run; see internal/archive/store/quality.go.
CREATE TABLE leg_quality (
  id                TEXT COLLATE "C" NOT NULL PRIMARY KEY,
  at                TIMESTAMPTZ NOT NULL,
  state             TEXT COLLATE "C",
  loss_percent      DOUBLE PRECISION,
  jitter_ms         DOUBLE PRECISION,
  round_trip_ms     DOUBLE PRECISION,
  sent_loss_percent DOUBLE PRECISION,
  video_bit_rate    BIGINT
);
