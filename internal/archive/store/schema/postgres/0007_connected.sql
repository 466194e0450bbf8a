-- How long somebody was connected in a leg, as connected.go has it.
UPDATE call_legs SET connected_seconds = CASE
  WHEN reason IN ('ringingTimeout', 'remoteBusy', 'remoteRejected', 'unknownDestination', 'dnsFailure') THEN 0
  WHEN ivr_seconds IS NOT NULL AND setup_seconds IS NULL AND error_type IS NOT NULL THEN 0
  WHEN activated_seconds < duration_seconds THEN activated_seconds
  WHEN activated_seconds IS NOT NULL THEN duration_seconds
  WHEN setup_seconds + COALESCE(ivr_seconds, 0) + COALESCE(lobby_seconds, 0) >= duration_seconds THEN 0
  WHEN setup_seconds IS NOT NULL THEN duration_seconds - setup_seconds - COALESCE(ivr_seconds, 0) - COALESCE(lobby_seconds, 0)
  WHEN ivr_seconds IS NOT NULL THEN 0
  ELSE duration_seconds END
WHERE state = 'ended' AND duration_seconds IS NOT NULL;

UPDATE conferences SET participant_seconds =
  COALESCE((SELECT SUM(connected_seconds) FROM call_legs WHERE call_legs.trace_id = conferences.trace_id AND role = 'participant'), 0);

-- The connected time of each leg, in pieces of a day (UTC). What runs is counted until
-- now.
CREATE VIEW call_leg_days AS
SELECT leg_id, trace_id, role, state, CAST(midnight AS DATE) AS day,
  GREATEST(since, midnight) AT TIME ZONE 'UTC' AS from_at, LEAST(until, midnight + INTERVAL '1 day') AT TIME ZONE 'UTC' AS until_at,
  ROUND(EXTRACT(EPOCH FROM LEAST(until, midnight + INTERVAL '1 day') - GREATEST(since, midnight))::NUMERIC, 3)::DOUBLE PRECISION AS seconds
FROM (
  SELECT id AS leg_id, trace_id, role, state, COALESCE(ended_at, now()) AT TIME ZONE 'UTC' AS until,
    COALESCE(ended_at - connected_seconds * INTERVAL '1 second', started_at) AT TIME ZONE 'UTC' AS since
  FROM call_legs WHERE connected_seconds > 0 OR state = 'running') AS connected
CROSS JOIN LATERAL generate_series(date_trunc('day', since), until, INTERVAL '1 day') AS midnight
WHERE midnight < until OR midnight = since;
