// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"math/rand/v2"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/legato-otel/legato/internal/archive/store"
	"github.com/legato-otel/legato/internal/testkit/postgres"
)

// archiving is a Collector that writes an archive. Without a queue, the records of a
// post that is answered 200 are in the database.
const archiving = `
extensions:
  file_storage: { directory: %DIR%/storage, create_directory: true, fsync: true }
  health_check: { endpoint: %HEALTH% }
receivers:
  cmscdr: { endpoint: %CDR%, storage: file_storage }
processors:
  callstitch: { storage: file_storage, linger: %LINGER% }
exporters:
  callrecord: { driver: %DRIVER%, datasource: "%SOURCE%", timeout: 5s%QUEUE% }
service:
  telemetry: { metrics: { level: none } }
  extensions: [file_storage, health_check]
  pipelines:
    logs: { receivers: [cmscdr], processors: [callstitch], exporters: [callrecord] }
`

const storedQueue = ", sending_queue: { storage: file_storage }"

func newArchiver(t *testing.T, driver, source, linger, queue string) *collector {
	t.Helper()
	return newCollectorFrom(t, strings.NewReplacer("%DRIVER%", driver, "%SOURCE%", source, "%LINGER%", linger, "%QUEUE%", queue).Replace(archiving))
}

// archived is all rows by kind and id.
type archived struct {
	calls       map[string]store.Call
	legs        map[string]store.Leg
	recordings  map[string]store.Recording
	conferences []store.Conference
}

func readArchive(t *testing.T, driver, source string) (a archived) {
	t.Helper()
	s, err := store.Open(t.Context(), driver, source)
	require.NoError(t, err)
	defer s.Close()
	a = archived{map[string]store.Call{}, map[string]store.Leg{}, map[string]store.Recording{}, nil}
	calls, err := store.Select[store.Call](t.Context(), s, "")
	require.NoError(t, err)
	for _, r := range calls {
		a.calls[r.ID] = r
	}
	legs, err := store.Select[store.Leg](t.Context(), s, "")
	require.NoError(t, err)
	for _, r := range legs {
		a.legs[r.ID] = r
	}
	recordings, err := store.Select[store.Recording](t.Context(), s, "")
	require.NoError(t, err)
	for _, r := range recordings {
		a.recordings[r.ID] = r
	}
	a.conferences, err = store.Select[store.Conference](t.Context(), s, "ORDER BY trace_id")
	require.NoError(t, err)
	return a
}

func (a *archived) objects() map[string]*store.Object {
	all := map[string]*store.Object{}
	for id, r := range a.calls {
		all["call "+id] = &r.Object
	}
	for id, r := range a.legs {
		all["call_leg "+id] = &r.Object
	}
	for id, r := range a.recordings {
		all[r.Kind+" "+id] = &r.Object
	}
	return all
}

// untilArchived waits until all expected rows are final, and returns all rows.
func (is *truth) untilArchived(t *testing.T, driver, source string) archived {
	t.Helper()
	var a archived
	require.Eventually(t, func() bool {
		a = readArchive(t, driver, source)
		rows := a.objects()
		for name, l := range is.lives() {
			if l.Outcome != "open" && !l.LostRecords && (rows[name] == nil || rows[name].Outcome == "") {
				return false
			}
		}
		return true
	}, waitFor, 10*tick)
	return a
}

// compareArchive holds all rows against the truth.
func (is *truth) compareArchive(t *testing.T, a archived) {
	t.Helper()
	rows := a.objects()
	lives := is.lives()
	for name, l := range lives {
		row := rows[name]
		if l.LostRecords {
			continue
		}
		if !assert.NotNil(t, row, name) {
			continue
		}
		assert.Equal(t, l.Start.UTC(), row.StartedAt, "start of %s", name)
		if l.Outcome == "open" {
			assert.Equal(t, store.StateRunning, row.State, name)
			continue
		}
		assert.Equal(t, store.StateEnded, row.State, name)
		assert.Equal(t, l.Outcome, row.Outcome, "outcome of %s", name)
		if l.End != nil {
			assert.Equal(t, l.End.UTC(), row.EndedAt, "end of %s", name)
			assert.InDelta(t, l.End.Sub(l.Start).Seconds(), *row.DurationSeconds, 1e-9, "duration of %s", name)
		}
	}
	for name := range rows {
		assert.Contains(t, lives, name, "nothing that there was")
	}
	for _, call := range is.Calls {
		if row := a.calls[call.ID]; !call.LostRecords {
			assert.Equal(t, call.Name, row.RoomName)
			assert.Equal(t, call.Correlator, row.Correlator)
		}
	}
	for _, leg := range is.Legs {
		if !leg.LostRecords && leg.Outcome != "open" {
			compareLeg(t, leg, a.legs[leg.ID])
		}
	}
	is.compareConferences(t, a)
}

func compareLeg(t *testing.T, leg legTruth, row store.Leg) {
	t.Helper()
	assert.Equal(t, leg.Reason, row.Reason, leg.ID)
	assert.Equal(t, leg.DisplayName, row.DisplayName, leg.ID)
	assert.Equal(t, leg.Direction, row.Direction, leg.ID)
	assert.Equal(t, leg.ParticipantID, row.ParticipantID, leg.ID)
	assert.Equal(t, failures[leg.Reason], row.ErrorType != "", leg.ID)
	assert.InDelta(t, leg.IVRSeconds, *row.IVRSeconds, 0, leg.ID)
	assert.InDelta(t, leg.LobbySeconds, *row.LobbySeconds, 0, leg.ID)
	if assert.NotNil(t, row.ConnectedSeconds, leg.ID) && row.DurationSeconds != nil {
		// Nobody is connected in the menu or in the lobby; the records have whole seconds.
		assert.LessOrEqual(t, *row.ConnectedSeconds, max(0, *row.DurationSeconds-leg.IVRSeconds-leg.LobbySeconds)+1, leg.ID)
		if unanswered[leg.Reason] {
			assert.Zero(t, *row.ConnectedSeconds, leg.ID)
		}
	}
	last := ""
	for _, call := range leg.Calls {
		if call != "" {
			last = call
		}
	}
	assert.Equal(t, last, row.CallID, "call of %s", leg.ID)
	for alarm, column := range map[string]*float64{
		"packetLoss": row.PacketLossPercent, "excessiveJitter": row.ExcessiveJitterPercent, "highRoundTripTime": row.HighRoundTripTimePercent,
	} {
		want, raised := leg.Alarms[alarm]
		if assert.Equal(t, raised, column != nil, "%s of %s", alarm, leg.ID) && raised {
			assert.InDelta(t, want, *column, 1e-9, "%s of %s", alarm, leg.ID)
		}
	}
}

// compareConferences: each is what its rows add up to.
func (is *truth) compareConferences(t *testing.T, a archived) {
	t.Helper()
	calls, legs, seconds := map[string]int64{}, map[string]int64{}, map[string]float64{}
	for _, r := range a.calls {
		calls[r.TraceID]++
	}
	for _, r := range a.legs {
		legs[r.TraceID]++
		if r.Role == callarchiveParticipant && r.ConnectedSeconds != nil {
			seconds[r.TraceID] += *r.ConnectedSeconds
		}
	}
	found := map[string]bool{}
	for _, c := range a.conferences {
		found[c.TraceID] = true
		assert.Equal(t, calls[c.TraceID], c.Calls, c.TraceID)
		assert.Equal(t, legs[c.TraceID], c.Legs, c.TraceID)
		assert.InDelta(t, seconds[c.TraceID], c.ParticipantSeconds, 1e-3, c.TraceID)
	}
	for trace := range calls {
		assert.True(t, found[trace], "no conference for %s", trace)
	}
	require.NotEmpty(t, is.Conferences)
}

const callarchiveParticipant = "participant"

// unanswered are the reasons of legs that only rang.
var unanswered = map[string]bool{"ringingTimeout": true, "remoteBusy": true, "remoteRejected": true, "unknownDestination": true, "dnsFailure": true}

// Under faults, the rows are what a perfect observer must conclude.
func TestArchiveIsTheTruth(t *testing.T) {
	source := filepath.Join(t.TempDir(), "calls.db")
	c := newArchiver(t, store.SQLite, source, "3s", "")
	is := c.simulate("-seed", "9", "-bridges", "3", "-meetings", "60", "-faults", tracedFaults, "-max-batch", "20").wait()
	a := is.untilArchived(t, store.SQLite, source)
	c.stop()
	is.compareArchive(t, a)
}

// Killed at random moments, the Collector loses nothing that it acknowledged and
// doubles nothing; with a stored queue likewise.
func TestArchiveSurvivesKills(t *testing.T) {
	for name, queue := range map[string]string{"without queue": "", "with queue": storedQueue} {
		t.Run(name, func(t *testing.T) {
			source := filepath.Join(t.TempDir(), "calls.db")
			c := newArchiver(t, store.SQLite, source, "1s", queue)
			run := c.simulate("-seed", "10", "-bridges", "3", "-meetings", "150", "-max-batch", "5", "-buffer", "1000000", "-faults", "lost-ack=0.05,shift,reorder,restart=1")
			random := rand.New(rand.NewPCG(10, 10))
			for range 4 {
				more := len(readArchive(t, store.SQLite, source).legs) + 5 + random.IntN(50)
				// The simulation may end before that.
				deadline := time.Now().Add(waitForMore)
				for len(readArchive(t, store.SQLite, source).legs) < more && time.Now().Before(deadline) {
					time.Sleep(tick)
				}
				c.kill()
				c.start()
			}
			is := run.wait()
			a := is.untilArchived(t, store.SQLite, source)
			c.stop()
			is.compareArchive(t, a)
		})
	}
}

// PostgreSQL is killed while bridges post, and so is the Collector: what was
// acknowledged is there, once.
func TestArchiveSurvivesPostgreSQL(t *testing.T) {
	server := postgres.New(t)
	source := server.Database(t)
	c := newArchiver(t, store.PostgreSQL, source, "1s", "")
	run := c.simulate("-seed", "11", "-bridges", "3", "-meetings", "100", "-max-batch", "5", "-buffer", "1000000", "-faults", "lost-ack=0.05,shift,reorder,restart=1")
	for n := range 3 {
		before := len(readArchive(t, store.PostgreSQL, source).legs)
		deadline := time.Now().Add(waitForMore)
		for len(readArchive(t, store.PostgreSQL, source).legs) < before+10 && time.Now().Before(deadline) {
			time.Sleep(tick)
		}
		require.NoError(t, server.Kill())
		if n == 1 {
			c.kill()
		}
		require.NoError(t, server.Start())
		if n == 1 {
			c.start()
		}
	}
	is := run.wait()
	a := is.untilArchived(t, store.PostgreSQL, source)
	c.stop()
	is.compareArchive(t, a)
	assert.NotContains(t, c.log.String(), "panic")
}
