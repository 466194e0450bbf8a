// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	_ "github.com/jackc/pgx/v5/stdlib" // the driver "pgx"

	"github.com/legato-otel/legato/internal/archive/store"
)

// archiveSpan is the time that an archive's conferences are spread over.
const archiveSpan = 90 * 24 * time.Hour

// How many of each an archive of a million legs has.
const (
	archiveRooms   = 2_000
	archiveTenants = 50
	archivePeople  = 20_000
	archiveRunning = 200
)

// archiveLegs is how many legs a conference has on average.
const archiveLegs = 7

// archiveFill makes conferences, one after the other, each with the rows of a real one: a
// call, its legs, their reasons and alarms, now and then a recording.
type archiveFill struct {
	random *rand.Rand
	end    time.Time
	traces []string
	people []int // of the legs
}

// readerIndexes are queries for the names and definitions of the indexes that writing
// does not need.
var readerIndexes = map[string]string{
	store.SQLite: `SELECT name, sql FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL AND sql NOT LIKE 'CREATE UNIQUE%'
AND name NOT LIKE '%\_by\_trace' ESCAPE '\' AND name NOT LIKE '%\_open\_%' ESCAPE '\' AND name NOT LIKE '%\_running%' ESCAPE '\'`,
	store.PostgreSQL: `SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = 'public' AND indexdef NOT LIKE 'CREATE UNIQUE%'
AND indexname NOT LIKE '%\_by\_trigram' AND indexname NOT LIKE '%\_by\_trace' AND indexname NOT LIKE '%\_open\_%' AND indexname NOT LIKE '%\_running%'`,
}

// sqlDrivers are the names of the databases in database/sql.
var sqlDrivers = map[string]string{store.SQLite: "sqlite", store.PostgreSQL: "pgx"}

// into fills a new archive. The indexes that writing does not need are made when all is
// there, which takes a third of the time.
func (a *archiveFill) into(ctx context.Context, driver, source string, legs int) (written int, err error) {
	archive, err := store.Open(ctx, driver, source)
	if err != nil {
		return 0, err
	}
	if err := archive.Close(); err != nil {
		return 0, err
	}
	db, err := sql.Open(sqlDrivers[driver], source)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	names, definitions, err := dropIndexes(ctx, db, driver)
	if err != nil {
		return 0, err
	}
	if archive, err = store.Open(ctx, driver, source); err != nil {
		return 0, err
	}
	written, err = a.fill(ctx, archive, legs)
	if err = errors.Join(err, archive.Close()); err != nil {
		return written, err
	}
	for i, definition := range definitions {
		progress("index %s", names[i])
		if _, err := db.ExecContext(ctx, definition); err != nil {
			return written, err
		}
	}
	if driver == store.PostgreSQL {
		// As its autovacuum does after so many rows.
		_, err = db.ExecContext(ctx, "VACUUM ANALYZE")
	}
	return written, err
}

func dropIndexes(ctx context.Context, db *sql.DB, driver string) (names, definitions []string, err error) {
	found, err := db.QueryContext(ctx, readerIndexes[driver])
	if err != nil {
		return nil, nil, err
	}
	for found.Next() {
		var name, definition string
		if err := found.Scan(&name, &definition); err != nil {
			return nil, nil, errors.Join(err, found.Close())
		}
		names, definitions = append(names, name), append(definitions, definition)
	}
	if err := errors.Join(found.Err(), found.Close()); err != nil {
		return nil, nil, err
	}
	for _, name := range names {
		if _, err := db.ExecContext(ctx, "DROP INDEX "+name); err != nil {
			return nil, nil, err
		}
	}
	return names, definitions, nil
}

// fill writes about as many legs as asked for, and returns how many.
func (a *archiveFill) fill(ctx context.Context, archive *store.Store, legs int) (written int, err error) {
	conferences := legs / archiveLegs
	step := archiveSpan / time.Duration(conferences)
	var batch store.Batch
	for i := range conferences {
		running := i >= conferences-min(archiveRunning, conferences)
		a.conference(&batch, i, a.end.Add(-archiveSpan).Add(time.Duration(i)*step), running)
		if batch.Len() < 20_000 && i < conferences-1 {
			continue
		}
		written += len(batch.Legs)
		if _, err := archive.Write(ctx, &batch); err != nil {
			return written, err
		}
		progress("%s of %s legs in the archive", thousands(written/1000*1000), thousands(legs))
		batch = store.Batch{}
	}
	return written, nil
}

// id in the form of a GUID.
func (a *archiveFill) id() string {
	text := fmt.Sprintf("%016x%016x", a.random.Uint64(), a.random.Uint64())
	return text[:8] + "-" + text[8:12] + "-" + text[12:16] + "-" + text[16:20] + "-" + text[20:]
}

func (a *archiveFill) object(trace string, start, end time.Time, running bool) store.Object {
	o := store.Object{
		ID: a.id(), TraceID: trace, SpanID: fmt.Sprintf("%016x", a.random.Uint64()), State: store.StateEnded, Outcome: "complete",
		StartedAt: start, EndedAt: end, LastHeardAt: end, Bridge: fmt.Sprintf("bridge-%d", a.random.IntN(3)), Phase: store.Stitched,
		Revision: store.Revision{Time: end},
		Details:  []byte(`{"cisco.meeting_server.call_leg.can_move":true,"cisco.meeting_server.call_leg.deactivated":false}`),
	}
	seconds := end.Sub(start).Seconds()
	o.DurationSeconds = &seconds
	if running {
		o.State, o.Outcome, o.EndedAt, o.DurationSeconds, o.Phase = store.StateRunning, "", time.Time{}, nil, store.Started
	}
	return o
}

func (a *archiveFill) conference(b *store.Batch, n int, start time.Time, running bool) {
	trace := fmt.Sprintf("%016x%016x", a.random.Uint64(), n)
	a.traces = append(a.traces, trace)
	end := start.Add(time.Duration(60+a.random.IntN(7200)) * time.Second)
	number := a.random.IntN(archiveRooms)
	room := store.Room{
		RoomID: fmt.Sprintf("00000000-0000-4000-8000-%012d", number), RoomName: roomName(number), TenantID: tenantID(number % archiveTenants),
	}
	call := store.Call{Object: a.object(trace, start, end, running), Room: room, CallType: "coSpace"}
	b.Calls = append(b.Calls, call)
	for range 1 + a.random.IntN(2*archiveLegs-1) {
		a.leg(b, &call, start, end, running)
	}
	if a.random.IntN(10) == 0 {
		b.Recordings = append(b.Recordings, store.Recording{
			Object: a.object(trace, start, end, running), Room: room, Kind: store.KindRecording, CallID: call.ID, Path: "/recordings/" + call.ID,
		})
	}
}

func (a *archiveFill) leg(b *store.Batch, call *store.Call, start, end time.Time, running bool) {
	from := start.Add(time.Duration(a.random.Int64N(int64(end.Sub(start)))))
	to := from.Add(time.Duration(a.random.Int64N(int64(end.Sub(from)) + 1)))
	person := a.random.IntN(archivePeople)
	a.people = append(a.people, person)
	first, last := nameOf(person)
	l := store.Leg{
		Object: a.object(call.TraceID, from, to, running), Room: call.Room, CallID: call.ID, ParticipantID: a.id(), Direction: "incoming", Type: "sip",
		DisplayName: fmt.Sprintf("%s %s", first, last), RemoteParty: addressOf(person),
		LocalAddress: "meet@example.test", SIPCallID: a.id(), RxAudioCodec: "opus", TxAudioCodec: "opus", RxVideoCodec: "h264", TxVideoCodec: "h264",
	}
	if !running {
		l.Role = "participant"
		l.Reason, l.ErrorType = a.reason()
		setup := a.random.Float64() * 3
		l.SetupSeconds = &setup
		if a.random.IntN(8) == 0 {
			loss := float64(int(a.random.ExpFloat64()*40)) / 10
			l.PacketLossPercent = &loss
		}
	}
	b.Legs = append(b.Legs, l)
	if running {
		b.LegChanges = append(b.LegChanges, store.LegChange{LegState: store.LegState{
			ID: l.ParticipantID, At: a.end, State: "connected", AudioMuted: new(a.random.IntN(2) == 0), Presenting: new(a.random.IntN(20) == 0),
		}})
	}
}

func (a *archiveFill) reason() (reason, failure string) {
	switch n := a.random.IntN(1000); {
	case n < 600:
		return "remoteTeardown", ""
	case n < 900:
		return "callEnded", ""
	case n < 960:
		return "clientInitiatedTeardown", ""
	case n < 985:
		return "timeout", "timeout"
	case n < 999:
		return "ringingTimeout", "ringingTimeout"
	default:
		return "dnsFailure", "dnsFailure"
	}
}

var (
	rooms       = []string{"Board", "Weekly", "Sales", "Town Hall", "Design", "Incident", "Interview", "Training", "Partner", "Standup"}
	givenNames  = []string{"Ada", "Ben", "Cleo", "Dov", "Eve", "Finn", "Gus", "Hana", "Ida", "Jon", "Kay", "Lea", "Mia", "Ned", "Ola", "Pia", "Quin", "Rex", "Sue", "Tom"}
	familyNames = []string{"Abel", "Birch", "Cole", "Dahl", "Eaton", "Frost", "Grant", "Hale", "Ives", "Jarvis", "Kline", "Lowe", "Marsh", "Nash", "Otis", "Price", "Quill", "Rowe", "Stone", "Tate"}
)

func roomName(number int) string { return fmt.Sprintf("%s %d", rooms[number%len(rooms)], number) }

func tenantID(number int) string { return fmt.Sprintf("00000000-0000-4000-9000-%012d", number) }

// nameOf a person; some have the same.
func nameOf(person int) (first, last string) {
	return givenNames[person%len(givenNames)], familyNames[person/len(givenNames)%len(familyNames)]
}

func addressOf(person int) string {
	first, last := nameOf(person)
	return fmt.Sprintf("%s.%s.%d@example.test", first, last, person)
}
