// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package store

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/legato-otel/legato/internal/testkit/postgres"
)

// allStatements are all statements about some meetings, one a batch.
func allStatements(random *rand.Rand) (statements []*Batch) {
	add := func(b *Batch) { statements = append(statements, b) }
	for meeting := range 4 {
		trace := fmt.Sprintf("%032x", meeting+1)
		start := random.Float64() * 100
		for bridge := range 1 + random.IntN(2) {
			for _, o := range objectStatements(random, fmt.Sprintf("call-%d-%d", meeting, bridge), trace, start) {
				c := Call{Object: o, CallType: "coSpace"}
				// A call that joins the conference while it runs: an update says so.
				if o.Phase == Started || o.Phase == Updated && random.IntN(2) == 0 {
					c.TraceID = fmt.Sprintf("%032x", 3000+meeting*10+bridge)
				}
				if o.Phase != Ended {
					c.RoomID, c.RoomName = fmt.Sprint("room-", meeting), fmt.Sprint("Room ", meeting)
				}
				if bridge > 0 && o.Phase == Stitched {
					c.ParentSpanID = "0000000000000001"
				}
				add(&Batch{Calls: []Call{c}})
			}
		}
		for leg := range 3 {
			id := fmt.Sprintf("leg-%d-%d", meeting, leg)
			for _, o := range objectStatements(random, id, trace, start+random.Float64()*20) {
				l := Leg{Object: o}
				// No record needs the values of another one.
				for _, field := range []*string{&l.DisplayName, &l.RoomName, &l.RxAudioCodec, &l.Direction} {
					if random.IntN(2) == 0 {
						*field = strconv.Itoa(random.IntN(100))
					}
				}
				switch o.Phase {
				case Started:
					// A leg that is in no call yet is a trace by itself.
					l.TraceID = fmt.Sprintf("%032x", 1000+meeting*10+leg)
					l.RemoteParty, l.Activity = id+"@example.test", ActivityConnecting
					if leg == 0 {
						l.SIPCallID = fmt.Sprint("sip-", meeting)
					}
				case Updated:
					l.Activity = []string{"", ActivityIVR, ActivityLobby, ActivityConnected}[random.IntN(4)]
					if l.Activity == ActivityIVR {
						l.TraceID = fmt.Sprintf("%032x", 1000+meeting*10+leg)
					} else {
						l.CallID = fmt.Sprintf("call-%d-0", meeting)
						if random.IntN(2) == 0 {
							l.TraceID = fmt.Sprintf("%032x", 3000+meeting*10)
						}
					}
				case Ended:
					if random.IntN(2) == 0 {
						l.TraceID = fmt.Sprintf("%032x", 3000+meeting*10)
					}
					l.CallID, l.Reason = fmt.Sprintf("call-%d-0", meeting), "remoteTeardown"
				case Stitched:
					l.CallID, l.Reason, l.Role = fmt.Sprintf("call-%d-0", meeting), "remoteTeardown", "participant"
					l.PacketLossPercent, l.ParticipantID = new(random.Float64()), fmt.Sprint("p", leg)
				}
				add(&Batch{Legs: []Leg{l}})
			}
		}
		for _, o := range objectStatements(random, fmt.Sprintf("rec-%d", meeting), trace, start) {
			add(&Batch{Recordings: []Recording{{Object: o, Kind: KindRecording, CallID: fmt.Sprintf("call-%d-0", meeting)}}})
		}
		for _, o := range objectStatements(random, fmt.Sprintf("session-%d", meeting), trace[1:]+"f", start) {
			add(&Batch{Sessions: []Session{{Object: o, CCID: "1-2-3"}}})
		}
		for _, o := range objectStatements(random, fmt.Sprintf("dialog-%d", meeting), trace, start) {
			d := Dialog{Object: o, SIPCallID: fmt.Sprint("sip-", meeting)}
			switch o.Phase {
			case Started:
				// A dialog without a leg is a trace by itself.
				d.TraceID, d.Method, d.FromParty = fmt.Sprintf("%032x", 2000+meeting), "INVITE", "jane@example.test"
			case Stitched:
				d.Method, d.FromParty, d.Result, d.RingSeconds = "INVITE", "jane@example.test", "answered", new(random.Float64())
			}
			add(&Batch{Dialogs: []Dialog{d}})
		}
		add(&Batch{Gaps: []Gap{{ID: fmt.Sprint("g", meeting), At: at(start), Bridge: "b", Missing: new(int64(7))}}})
		add(&Batch{StorageEvents: []StorageEvent{{ID: fmt.Sprint("e", meeting), At: at(start), Action: "enter_low", Level: "low"}}})
	}
	return statements
}

// objectStatements are some statements about one object: seldom all that a bridge sends.
func objectStatements(random *rand.Rand, id, trace string, start float64) (statements []Object) {
	index := uint64(random.IntN(1000))
	add := func(phase Phase, seconds float64, change func(*Object)) {
		index++
		o := Object{
			ID: id, TraceID: trace, SpanID: fmt.Sprintf("%016x", len(id)*100+int(id[len(id)-1])), Bridge: "b", Phase: phase,
			LastHeardAt: at(seconds).Truncate(1e6), Revision: Revision{Index: index, Time: at(seconds).Truncate(1e6)},
			Details: json.RawMessage(fmt.Sprintf(`{"phase %d":%d,"n":%d}`, phase, index, random.IntN(3))),
		}
		change(&o)
		statements = append(statements, o)
	}
	end := start + 60 + random.Float64()*1000
	if random.IntN(8) > 0 {
		add(Started, start, func(o *Object) { o.StartedAt = o.LastHeardAt })
	}
	for range random.IntN(4) {
		add(Updated, start+random.Float64()*60, func(*Object) {})
	}
	if random.IntN(4) > 0 {
		add(Ended, end, func(o *Object) { o.EndedAt = o.LastHeardAt })
	}
	// Mostly one stitched record; two of two Collectors are not the same.
	for range []int{0, 1, 1, 1, 2}[random.IntN(5)] {
		add(Stitched, end, func(o *Object) {
			o.Outcome = []string{"complete", "complete", "partial", "expired"}[random.IntN(4)]
			o.State, o.StartedAt, o.EndedAt = StateEnded, at(start).Truncate(1e6), o.LastHeardAt
			o.DurationSeconds = new(o.EndedAt.Sub(o.StartedAt).Seconds())
			o.Revision = Revision{Time: at(end + 10).Truncate(1e6)}
		})
	}
	return statements
}

// pack puts statements together into batches of random sizes.
func pack(random *rand.Rand, statements []*Batch) (batches []*Batch) {
	for len(statements) > 0 {
		n := 1 + random.IntN(min(len(statements), 40))
		b := &Batch{}
		for _, s := range statements[:n] {
			b.Calls = append(b.Calls, s.Calls...)
			b.Legs = append(b.Legs, s.Legs...)
			b.Recordings = append(b.Recordings, s.Recordings...)
			b.Sessions = append(b.Sessions, s.Sessions...)
			b.Dialogs = append(b.Dialogs, s.Dialogs...)
			b.StorageEvents = append(b.StorageEvents, s.StorageEvents...)
			b.Gaps = append(b.Gaps, s.Gaps...)
			b.LegChanges = append(b.LegChanges, s.LegChanges...)
		}
		batches, statements = append(batches, b), statements[n:]
	}
	return batches
}

// shuffled returns the statements in another order, some of them twice.
func shuffled(random *rand.Rand, statements []*Batch) []*Batch {
	all := append([]*Batch(nil), statements...)
	for range len(statements) / 3 {
		all = append(all, statements[random.IntN(len(statements))])
	}
	random.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	return all
}

// dump is everything that a reader sees, as text.
func dump(t *testing.T, s *Store) string {
	t.Helper()
	var b strings.Builder
	dumpTable[Conference](t, s, &b, "trace_id")
	dumpTable[Call](t, s, &b, "id")
	dumpTable[Leg](t, s, &b, "id")
	dumpTable[Recording](t, s, &b, "id")
	dumpTable[Session](t, s, &b, "id")
	dumpTable[Track](t, s, &b, "id")
	dumpTable[Dialog](t, s, &b, "id")
	dumpTable[StorageEvent](t, s, &b, "id")
	dumpTable[Gap](t, s, &b, "id")
	return b.String()
}

func dumpTable[T Row](t *testing.T, s *Store, to *strings.Builder, key string) {
	t.Helper()
	table := tableOf[T]()
	rows, err := Select[T](t.Context(), s, "ORDER BY "+key)
	require.NoError(t, err)
	for i := range rows {
		to.WriteString(table.name)
		for _, c := range table.columns {
			v := value(c.field(&rows[i]), func(at time.Time) any { return instantText(at) })
			if v == nil {
				continue
			}
			if text, ok := c.field(&rows[i]).(*json.RawMessage); ok {
				var parsed any
				require.NoError(t, json.Unmarshal(*text, &parsed))
				sorted, err := json.Marshal(parsed)
				require.NoError(t, err)
				v = string(sorted)
			}
			fmt.Fprintf(to, " %s=%v", c.name, v)
		}
		to.WriteByte('\n')
	}
}

// presence of values in the rows, by table, id and column.
type presence map[string]bool

// check tells whether a value is gone that was there at the last check.
func (p presence) check(t *testing.T, s *Store) {
	t.Helper()
	checkTable[Call](t, s, p)
	checkTable[Leg](t, s, p)
	checkTable[Recording](t, s, p)
	checkTable[Session](t, s, p)
	checkTable[Dialog](t, s, p)
}

func checkTable[T Row](t *testing.T, s *Store, p presence) {
	t.Helper()
	table := tableOf[T]()
	rows, err := Select[T](t.Context(), s, "")
	assert.NoError(t, err)
	for i := range rows {
		for _, c := range table.columns {
			// A leg that has ended has no activity; a parent is that of the trace;
			// an object that ended with its call may get an end of its own.
			if c.name == "activity" || c.name == "parent_span_id" || c.name == "outcome" && table.object(&rows[i]).Outcome == outcomeCallEnded {
				continue
			}
			value := table.name + " " + table.object(&rows[i]).ID + " " + c.name
			assert.True(t, !isZero(c.field(&rows[i])) || !p[value], "%s is gone", value)
			p[value] = p[value] || !isZero(c.field(&rows[i]))
		}
	}
}

// The law of the archive: no statement ever removes a value, and whatever the order and the repetitions,
// and with several that write at once, the rows are the same, in both databases.
func TestOrder(t *testing.T) {
	server := postgres.Shared(t)
	seeds := 4
	if testing.Short() {
		seeds = 3
	}
	for seed := range uint64(seeds) {
		random := rand.New(rand.NewPCG(seed, 1))
		statements := allStatements(random)
		var want string
		for _, driver := range Drivers() {
			for pass, writers := range []int{1, 1, 2} {
				source := filepath.Join(t.TempDir(), "calls.db")
				if driver == PostgreSQL {
					source = server.Database(t)
				}
				s := openTest(t, driver, source)
				values := presence{}
				var all sync.WaitGroup
				for range writers {
					w := s
					if writers > 1 {
						w = openTest(t, driver, source) // as another process would
					}
					batches := pack(random, shuffled(random, statements))
					all.Go(func() {
						for _, b := range batches {
							_, err := w.Write(t.Context(), b)
							assert.NoError(t, err)
							if pass == 0 {
								values.check(t, w)
							}
						}
					})
				}
				all.Wait()
				got := dump(t, s)
				if want == "" {
					want = got
				}
				require.Equal(t, want, got, "seed %d, %s, %d writers", seed, driver, writers)
			}
		}
	}
}

// What is written again changes nothing, and is not written at all.
func TestAgain(t *testing.T) {
	onBoth(t, func(t *testing.T, driver, source string) {
		t.Helper()
		s := openTest(t, driver, source)
		random := rand.New(rand.NewPCG(7, 7))
		statements := pack(random, allStatements(random))
		for _, b := range statements {
			_, err := s.Write(t.Context(), b)
			require.NoError(t, err)
		}
		before := dump(t, s)
		for _, b := range statements {
			result, err := s.Write(t.Context(), b)
			require.NoError(t, err)
			assert.Zero(t, result.Changed)
			assert.Equal(t, b.Len(), result.Unchanged)
		}
		assert.Equal(t, before, dump(t, s))
	})
}
