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
WITH RECURSIVE pieces (leg_id, trace_id, role, state, day, next_day, from_at, until_at) AS (
  SELECT leg_id, trace_id, role, state, date(since), date(since, '+1 day'), since, until FROM (
    SELECT id AS leg_id, trace_id, role, state, COALESCE(ended_at, strftime('%Y-%m-%d %H:%M:%f', 'now')) AS until,
      COALESCE(strftime('%Y-%m-%d %H:%M:%f', ended_at, '-' || connected_seconds || ' seconds'), started_at) AS since
    FROM call_legs WHERE connected_seconds > 0 OR state = 'running')
  UNION ALL
  SELECT leg_id, trace_id, role, state, next_day, date(next_day, '+1 day'), next_day || ' 00:00:00.000', until_at
  FROM pieces WHERE until_at > next_day || ' 00:00:00.000')
SELECT leg_id, trace_id, role, state, day, from_at, MIN(until_at, next_day || ' 00:00:00.000') AS until_at,
  ROUND((julianday(MIN(until_at, next_day || ' 00:00:00.000')) - julianday(from_at)) * 86400, 3) AS seconds
FROM pieces;
