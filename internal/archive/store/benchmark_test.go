// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package store

import (
	"context"
	"fmt"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/legato-otel/legato/internal/testkit/postgres"
)

// BenchmarkWrite writes batches of stitched records: ours, and bare, which is the
// same rows into the same tables by a loop over a prepared INSERT or by COPY.
func BenchmarkWrite(b *testing.B) {
	for _, size := range []int{100, 1000} {
		for _, driver := range Drivers() {
			for _, way := range []string{"archive", "bare"} {
				b.Run(fmt.Sprintf("%s/%s/%d", driver, way, size), func(b *testing.B) {
					source := b.TempDir() + "/calls.db"
					if driver == PostgreSQL {
						source = postgres.Shared(b).Database(b)
					}
					s := openTest(b, driver, source)
					n := 0
					rows := 0
					for b.Loop() {
						b.StopTimer()
						batch, conferences := meetings(n, size)
						n++
						rows += batch.Len() + len(conferences)
						b.StartTimer()
						if way == "bare" {
							bare(b, s, batch, conferences)
							continue
						}
						result, err := s.Write(context.Background(), batch)
						if err != nil || len(result.Rejected) > 0 {
							b.Fatal(err, result)
						}
					}
					b.ReportMetric(float64(rows)/b.Elapsed().Seconds(), "rows/s")
				})
			}
		}
	}
}

// bare puts finished rows where they belong, and nothing else.
func bare(b *testing.B, s *Store, batch *Batch, confs []Conference) {
	b.Helper()
	ctx := context.Background()
	if err := s.takeTurn(ctx); err != nil {
		b.Fatal(err)
	}
	defer s.endTurn()
	callRows := finished(s.d, &calls, batch.Calls)
	legRows := finished(s.d, &legs, batch.Legs)
	confRows := make([][]any, 0, len(confs))
	for i := range confs {
		confRows = append(confRows, conferenceTable.values(&confs[i], s.d.instant, 0))
	}
	tables := []struct {
		name    string
		columns []string
		rows    [][]any
	}{
		{calls.name, append(calls.names(), revisionColumns...), callRows},
		{legs.name, append(legs.names(), revisionColumns...), legRows},
		{conferenceTable.name, conferenceTable.names(), confRows},
	}
	switch d := s.d.(type) {
	case *sqliteDialect:
		tx, err := d.writer.BeginTx(ctx, nil)
		if err != nil {
			b.Fatal(err)
		}
		for _, t := range tables {
			statement := tx.Stmt(d.puts[t.name])
			for _, row := range t.rows {
				if _, err := statement.Exec(row...); err != nil {
					b.Fatal(err)
				}
			}
		}
		if err := tx.Commit(); err != nil {
			b.Fatal(err)
		}
	case *postgresDialect:
		tx, err := d.pool.Begin(ctx)
		if err != nil {
			b.Fatal(err)
		}
		defer tx.Rollback(ctx)
		for _, t := range tables {
			if _, err := tx.CopyFrom(ctx, pgx.Identifier{t.name}, t.columns, pgx.CopyFromRows(t.rows)); err != nil {
				b.Fatal(err)
			}
		}
		if err := tx.Commit(ctx); err != nil {
			b.Fatal(err)
		}
	}
}

func finished[T any](d dialect, t *table[T], rows []T) [][]any {
	all := make([][]any, 0, len(rows))
	for i := range rows {
		o := t.object(&rows[i])
		all = append(all, append(t.values(&rows[i], d.instant, 4), int64(o.Phase), value(&o.Revision.Time, d.instant), int64(i), nil))
	}
	return all
}

// meetings makes a batch of stitched calls with eight legs each, and the
// conferences that they are.
func meetings(n, size int) (*Batch, []Conference) {
	batch := &Batch{}
	var confs []Conference
	for i := 0; batch.Len() < size; i++ {
		start := float64(n*60 + i)
		trace := fmt.Sprintf("%08x%08x%016x", uint32(n*2654435761), uint32(i*40503), n*size+i)
		object := func(kind string, k int) Object {
			return Object{
				ID:      fmt.Sprintf("%08x-%04x-4%03x-8%03x-%012x", uint32((n*size+i)*16+k)*2654435761, k, n%4096, i%4096, uint64(n*size+i)*7919),
				TraceID: trace[:32], SpanID: fmt.Sprintf("%s%014x", kind, (n*size+i)*16+k), State: StateEnded, Outcome: outcomeComplete,
				StartedAt: at(start), EndedAt: at(start + 600), DurationSeconds: new(600.0), LastHeardAt: at(start + 600),
				Bridge: "fdfa7d72-d206-4e33-82c1-d00a347bf752", System: "cms1", Phase: Stitched, Revision: Revision{Time: at(start + 610)},
				Details: []byte(`{"cisco.meeting_server.call_leg.duration_seconds":600,"cisco.meeting_server.call_leg.rx_audio.packet_statistics.packet_gap.density":0,"cisco.meeting_server.call_leg.rx_audio.packet_statistics.packet_gap.duration":9.702,"cisco.meeting_server.call_leg.rx_video.max_size_height":720,"cisco.meeting_server.call_leg.rx_video.max_size_width":1280,"cisco.meeting_server.call_leg.state":"connected"}`),
			}
		}
		room := Room{RoomID: fmt.Sprintf("2ddf1551-932b-4126-89b7-%012x", i%50), RoomName: "Weekly sync"}
		call := Call{Object: object("c0", 0), Room: room, CallType: "coSpace", Correlator: room.RoomID}
		batch.Calls = append(batch.Calls, call)
		for k := 1; k <= 8; k++ {
			batch.Legs = append(batch.Legs, Leg{
				Object: object("1e", k), Room: room, CallID: call.ID, Calls: []byte(`["` + call.ID + `"]`), ParticipantID: fmt.Sprintf("60e2739c-76db-45a3-8a70-%012x", (n*size+i)*16+k),
				Role: "participant", Direction: "incoming", Type: "sip", DisplayName: fmt.Sprintf("Person %d", (i*k)%997), RemoteParty: fmt.Sprintf("person%d@example.test", (i*k)%997),
				RemoteAddress: "sip:someone@gw.example.test", LocalAddress: "weekly@meet.example.test", SIPCallID: fmt.Sprintf("%x@198.51.100.40", (n*size+i)*16+k),
				Reason: "remoteTeardown", RemoteTeardown: new(true), SetupSeconds: new(1.0), IVRSeconds: new(0.0), LobbySeconds: new(0.0), ActivatedSeconds: new(599.0),
				PacketLossPercent: new(float64(k)), RxAudioCodec: "opus", TxAudioCodec: "opus", RxVideoCodec: "h264", TxVideoCodec: "h264", EncryptedMedia: new(true),
			})
		}
		confs = append(confs, Conference{
			TraceID: call.TraceID, CallID: call.ID, Bridge: call.Bridge, Room: room, CallType: "coSpace", Correlator: room.RoomID, State: StateEnded, Outcome: outcomeComplete,
			StartedAt: call.StartedAt, EndedAt: call.EndedAt, DurationSeconds: new(600.0), LastHeardAt: call.LastHeardAt, Calls: 1, Bridges: 1, Legs: 8, Participants: 8,
			ParticipantSeconds: 4800, PacketLossPercent: new(8.0),
		})
	}
	return batch, confs
}
