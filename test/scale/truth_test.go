// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package scale

import (
	"crypto/sha256"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/legato-otel/legato/internal/archive/store"
)

// truth is what callsim says a perfect observer must conclude; the part of its file that
// these tests read.
type truth struct {
	Bridges []struct {
		Sessions []struct {
			Session      string
			Acknowledged [][2]uint64
		}
	}
	Interrupted            bool
	Missing                uint64
	Calls                  []life
	Legs                   []life
	Recordings, Streamings []life
}

// life is an object from its start to its end.
type life struct {
	ID          string
	Start       time.Time
	End         *time.Time
	Outcome     string
	LostRecords bool `json:"lost_records"`
}

// lives are all objects by kind.
func (is *truth) lives() map[string][]life {
	return map[string][]life{"call": is.Calls, "call_leg": is.Legs, "recording": is.Recordings, "streaming": is.Streamings}
}

// spanOf is the published recipe (docs/ids.md), written down once more.
func spanOf(kind, id string) pcommon.SpanID {
	sum := sha256.Sum256([]byte("span\x00cisco.meeting_server." + kind + "\x00" + id))
	return pcommon.SpanID(sum[:8])
}

// simulation is a running callsim: the bridges of one cluster.
type simulation struct {
	t       *testing.T
	process *exec.Cmd
	file    string
	log     lockedBuffer

	done  chan struct{} // closed when the process has ended; then err and ended are set
	err   error
	ended time.Time
}

// speed is how many seconds of a cluster's life pass in one: 60 meetings take 20 seconds,
// and make 1300 records.
const speed = "550"

// simulate starts a cluster of bridges that post to a target.
func simulate(t *testing.T, target string, seed, meetings int, arguments ...string) *simulation {
	t.Helper()
	s := &simulation{t: t, file: filepath.Join(t.TempDir(), "truth.json"), done: make(chan struct{})}
	s.process = exec.Command(binary("callsim"), append([]string{
		"-target", target, "-seed", strconv.Itoa(seed), "-meetings", strconv.Itoa(meetings), "-truth", s.file, "-retry", "100ms", "-speed", speed, "-give-up", waitFor.String(),
	}, arguments...)...)
	s.process.Stderr = &s.log
	require.NoError(t, s.process.Start())
	go func() {
		s.err, s.ended = s.process.Wait(), time.Now()
		close(s.done)
	}()
	t.Cleanup(func() {
		_ = s.process.Process.Kill() // its error says that it has ended
		<-s.done
	})
	return s
}

// posting reports whether there are records that are not acknowledged yet.
func (s *simulation) posting() bool {
	select {
	case <-s.done:
		return false
	default:
		return true
	}
}

// wait returns the truth once everything is acknowledged.
func (s *simulation) wait() *truth {
	s.t.Helper()
	<-s.done
	require.NoError(s.t, s.err, "callsim:\n%s", &s.log)
	content, err := os.ReadFile(s.file)
	require.NoError(s.t, err)
	is := new(truth)
	require.NoError(s.t, json.Unmarshal(content, is))
	require.False(s.t, is.Interrupted)
	require.Zero(s.t, is.Missing)
	return is
}

// counted are figures of a comparison.
type counted struct {
	records, repeated, objects int
}

// compareRecords waits until every acknowledged record has arrived at one of the sinks. It
// counts those that arrived more than once.
func (is *truth) compareRecords(t *testing.T, sinks []*sink) (c counted) {
	t.Helper()
	require.Eventually(t, func() bool {
		_, got := all(sinks)
		var missing int
		c, missing = is.countRecords(got)
		return missing == 0
	}, waitFor, 10*tick, "records were acknowledged and are in no backend")
	require.NotZero(t, c.records)
	return c
}

// countRecords counts the acknowledged records, and those of them that did not arrive.
func (is *truth) countRecords(got map[record]int) (c counted, missing int) {
	for _, b := range is.Bridges {
		for _, s := range b.Sessions {
			for _, r := range s.Acknowledged {
				for i := r[0]; i <= r[1]; i++ {
					c.records++
					if times := got[record{s.Session, i}]; times > 0 {
						c.repeated += times - 1
					} else {
						missing++
					}
				}
			}
		}
	}
	return c, missing
}

// allSpans reports whether each object that ended has a span.
func (is *truth) allSpans(got map[pcommon.SpanID][]ptrace.Span) bool {
	for kind, lives := range is.lives() {
		for _, l := range lives {
			if len(got[spanOf(kind, l.ID)]) == 0 {
				return false
			}
		}
	}
	return true
}

// compareSpans holds that each object has one span, which says what the truth says.
func (is *truth) compareSpans(t *testing.T, got map[pcommon.SpanID][]ptrace.Span) (objects int) {
	t.Helper()
	for kind, lives := range is.lives() {
		for _, l := range lives {
			require.False(t, l.LostRecords)
			objects++
			spans := got[spanOf(kind, l.ID)]
			if !assert.Len(t, spans, 1, "spans of %s %s", kind, l.ID) {
				continue
			}
			outcome, _ := spans[0].Attributes().Get("callstitch.outcome")
			assert.Equal(t, l.Outcome, outcome.AsString(), "outcome of %s %s", kind, l.ID)
			assert.Equal(t, l.Start.UTC(), spans[0].StartTimestamp().AsTime(), "start of %s %s", kind, l.ID)
			if l.End != nil {
				assert.Equal(t, l.End.UTC(), spans[0].EndTimestamp().AsTime(), "end of %s %s", kind, l.ID)
			}
		}
	}
	require.NotZero(t, objects)
	return objects
}

// rows of an archive by kind and id.
func rows(t *testing.T, source string) map[string]store.Object {
	t.Helper()
	s, err := store.Open(t.Context(), "postgres", source)
	require.NoError(t, err)
	defer s.Close()
	all := map[string]store.Object{}
	calls, err := store.Select[store.Call](t.Context(), s, "")
	require.NoError(t, err)
	for _, r := range calls {
		all["call "+r.ID] = r.Object
	}
	legs, err := store.Select[store.Leg](t.Context(), s, "")
	require.NoError(t, err)
	for _, r := range legs {
		all["call_leg "+r.ID] = r.Object
	}
	recordings, err := store.Select[store.Recording](t.Context(), s, "")
	require.NoError(t, err)
	for _, r := range recordings {
		all[r.Kind+" "+r.ID] = r.Object
	}
	return all
}

// untilArchived waits until each object is a finished row, and compares them.
func (is *truth) untilArchived(t *testing.T, source string) {
	t.Helper()
	var got map[string]store.Object
	require.Eventually(t, func() bool {
		got = rows(t, source)
		for kind, lives := range is.lives() {
			for _, l := range lives {
				if row, found := got[kind+" "+l.ID]; !found || row.Outcome == "" {
					return false
				}
			}
		}
		return true
	}, waitFor, 10*tick, "rows that are not there or not finished")
	for kind, lives := range is.lives() {
		for _, l := range lives {
			row := got[kind+" "+l.ID]
			assert.Equal(t, store.StateEnded, row.State, "%s %s", kind, l.ID)
			assert.Equal(t, l.Outcome, row.Outcome, "outcome of %s %s", kind, l.ID)
			assert.Equal(t, l.Start.UTC(), row.StartedAt, "start of %s %s", kind, l.ID)
			if l.End != nil {
				assert.Equal(t, l.End.UTC(), row.EndedAt, "end of %s %s", kind, l.ID)
			}
		}
	}
}
