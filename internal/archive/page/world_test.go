// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package page

import (
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/legato-otel/legato/internal/archive/store"
	"github.com/legato-otel/legato/internal/ids"
	"github.com/legato-otel/legato/internal/names"
)

// now is when all tests look at the archive.
var now = time.Date(2026, 3, 5, 14, 30, 0, 0, time.UTC)

// at is a time of that day.
func at(clock string) time.Time {
	t, err := time.Parse(time.TimeOnly, clock)
	if err != nil {
		panic(err)
	}
	return time.Date(2026, 3, 5, t.Hour(), t.Minute(), t.Second(), 0, time.UTC)
}

func document(v any) json.RawMessage {
	text, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return text
}

// world is an archive that is filled by and by.
type world struct {
	t     testing.TB
	store *store.Store
	batch store.Batch
	n     int
}

func newWorld(tb testing.TB) *world {
	tb.Helper()
	return newWorldIn(tb, store.SQLite, filepath.Join(tb.TempDir(), "calls.db"))
}

func newWorldIn(tb testing.TB, driver, source string) *world {
	tb.Helper()
	store, err := store.Open(tb.Context(), driver, source)
	require.NoError(tb, err)
	tb.Cleanup(func() { require.NoError(tb, store.Close()) })
	return &world{t: tb, store: store}
}

// handler of the pages over the archive.
func (w *world) handler() http.Handler {
	return New(Config{
		Store: w.store, Now: func() time.Time { return now }, TraceURL: "https://traces.example.test/trace/{trace_id}",
		LogsURL: "https://logs.example.test/?q={trace_id}&from={from}&to={to}",
		Failed:  func(err error) { w.t.Errorf("a page failed: %v", err) },
	})
}

func (w *world) write() {
	w.t.Helper()
	result, err := w.store.Write(w.t.Context(), &w.batch)
	require.NoError(w.t, err)
	require.Empty(w.t, result.Rejected)
	w.batch = store.Batch{}
}

// object with an id of its own. Without an end it runs.
func (w *world) object(kind, trace, bridge, from, to string) store.Object {
	w.n++
	id := fmt.Sprintf("%08x-0000-4000-8000-%012x", w.n, w.n)
	span := ids.Span(kind, id)
	o := store.Object{
		ID: id, TraceID: trace, SpanID: hex.EncodeToString(span[:]), Bridge: bridge, State: store.StateRunning,
		StartedAt: at(from), LastHeardAt: at(from), Phase: store.Started, Revision: store.Revision{Index: uint64(w.n)},
	}
	if to != "" {
		o.State, o.Outcome, o.EndedAt, o.LastHeardAt, o.Phase = store.StateEnded, "complete", at(to), at(to), store.Stitched
		o.DurationSeconds = new(o.EndedAt.Sub(o.StartedAt).Seconds())
	}
	return o
}

func (w *world) call(room store.Room, trace, bridge, from, to string) *store.Call {
	c := store.Call{Object: w.object(names.KindCall, trace, bridge, from, to), Room: room, CallType: "coSpace", OwnerName: "Office of the CTO", Correlator: "2c3d6e2b-0000-4000-8000-00000000c0de"}
	c.System = map[string]string{"8b1f8d2e-0000-4000-8000-00000000b001": "cms-london", "8b1f8d2e-0000-4000-8000-00000000b002": "cms-oslo"}[bridge]
	w.batch.Calls = append(w.batch.Calls, c)
	return &w.batch.Calls[len(w.batch.Calls)-1]
}

func (w *world) leg(c *store.Call, name, party, from, to string, change func(*store.Leg)) {
	l := store.Leg{
		Object: w.object(names.KindCallLeg, c.TraceID, c.Bridge, from, to), Room: c.Room, CallID: c.ID, DisplayName: name, RemoteParty: party,
		Direction: "incoming", Type: "sip", LocalAddress: "board@meet.example.test", RxAudioCodec: "opus", TxAudioCodec: "opus", RxVideoCodec: "h264", TxVideoCodec: "h264",
		EncryptedMedia: new(true), SetupSeconds: new(1.4),
	}
	l.SIPCallID, l.ParticipantID, l.System = "sip-"+l.ID[:8], "p-"+party, c.System
	if to == "" {
		l.Activity = store.ActivityConnected
	} else {
		l.Role, l.Reason = "participant", "remoteTeardown"
	}
	if change != nil {
		change(&l)
	}
	w.batch.Legs = append(w.batch.Legs, l)
}

const (
	london = "8b1f8d2e-0000-4000-8000-00000000b001"
	oslo   = "8b1f8d2e-0000-4000-8000-00000000b002"
)

var (
	board   = store.Room{RoomID: "c05bace0-0000-4000-8000-000000000001", RoomName: "Board meeting", TenantID: "7e7a0000-0000-4000-8000-000000000001"}
	weekly  = store.Room{RoomID: "c05bace0-0000-4000-8000-000000000002", RoomName: "Weekly sync"}
	standup = store.Room{RoomID: "c05bace0-0000-4000-8000-000000000003", RoomName: "Stand-up"}
)

// Traces of the world of [newDay].
const (
	traceBoard   = "0b0a2d00000000000000000000000001"
	traceWeekly  = "3ee1700000000000000000000000000a"
	traceStandup = "57a4d0000000000000000000000000b1"
	traceScan    = "5ca400000000000000000000000000c1"
	traceSession = "5e5510000000000000000000000000d1"
)

// newDay is an ordinary day: a meeting that went badly for some, one that runs, a
// scanner, a recorded call, a disk that fills.
func newDay(tb testing.TB) *world {
	tb.Helper()
	w := newWorld(tb)
	w.day()
	return w
}

// day fills the archive with an ordinary day.
func (w *world) day() {
	first := w.call(board, traceBoard, london, "12:58:40", "14:02:11")
	c := *first
	w.leg(&c, "Nora Quill", "nora.quill@example.test", "12:59:02", "14:01:50", func(l *store.Leg) { l.Direction = "outgoing" })
	w.leg(&c, "Boardroom 4", "boardroom4@example.test", "12:58:40", "14:02:10", func(l *store.Leg) {
		l.Reason, l.PacketLossPercent, l.ExcessiveJitterPercent = "callEnded", new(2.4), new(0.0)
	})
	w.leg(&c, "Tomás Ferreira", "t.ferreira@example.test", "13:03:21", "13:41:07", func(l *store.Leg) {
		l.Reason, l.ErrorType, l.PacketLossPercent, l.HighRoundTripTimePercent = "timeout", "timeout", new(18.6), new(4.0)
		l.LobbySeconds = new(95.0)
	})
	w.leg(&c, "Tomás Ferreira", "t.ferreira@example.test", "13:42:30", "14:01:44", func(l *store.Leg) { l.PacketLossPercent = new(11.2) })
	w.leg(&c, "Guest", "guest-20418@example.test", "13:01:05", "13:58:30", func(l *store.Leg) {
		l.SubType, l.GuestConnection, l.IVRSeconds, l.LobbySeconds = "webApp", new(true), new(75.0), new(240.0)
	})
	w.leg(&c, "Legal hotline", "+4420794600", "13:10:00", "13:10:42", func(l *store.Leg) {
		l.Direction, l.Reason, l.ErrorType, l.SetupSeconds = "outgoing", "ringingTimeout", "ringingTimeout", new(42.0)
		l.RxVideoCodec, l.TxVideoCodec = "", ""
	})
	hotline := w.batch.Legs[len(w.batch.Legs)-1]
	w.leg(&c, "Mira Okafor", "mira.okafor@example.test", "13:00:10", "13:20:00", func(l *store.Leg) { l.Reason = "callMoved" })
	moved := w.batch.Legs[len(w.batch.Legs)-1]
	d := *w.call(board, traceBoard, oslo, "13:04:00", "14:02:05")
	w.batch.Calls[1].ParentSpanID = w.batch.Calls[0].SpanID
	w.leg(&d, "", "london-oslo@bridge.example.test", "13:04:00", "14:02:05", func(l *store.Leg) { l.Role, l.Reason = "distribution_link", "localTeardown" })
	w.leg(&d, "Mira Okafor", "mira.okafor@example.test", "13:20:00", "14:01:31", func(l *store.Leg) {
		l.MovedCallLeg = moved.ID
		l.Links = document([]spanLink{{moved.TraceID, moved.SpanID, "moved"}})
	})
	w.leg(&d, "Ingrid Solheim", "ingrid.solheim@example.test", "13:04:12", "14:01:59", nil)
	w.leg(&d, "Unencrypted codec", "codec7@example.test", "13:05:30", "13:05:34", func(l *store.Leg) {
		l.Reason, l.ErrorType, l.EncryptedMedia = "encryptionRequired", "encryptionRequired", nil
	})
	w.batch.Recordings = append(w.batch.Recordings, store.Recording{
		Object: w.object(names.KindRecording, traceBoard, london, "13:02:00", "14:00:00"), Room: board, Kind: store.KindRecording, CallID: c.ID,
		Path: "/recordings/2026-03-05/board.mp4",
	})
	w.batch.Recordings[0].System = "cms-london"
	w.batch.Dialogs = append(w.batch.Dialogs, store.Dialog{
		Object: w.object(names.KindDialog, traceBoard, "ocms-1", "13:09:58", "13:10:43"), SIPCallID: hotline.SIPCallID, Method: "INVITE", Code: new(int64(408)), Result: names.DialogFailed,
		FromParty: "board@meet.example.test", ToParty: "+4420794600", ErrorType: "408", RingDelaySeconds: new(1.5), RingSeconds: new(43.5),
	})

	e := *w.call(weekly, traceWeekly, oslo, "14:20:00", "")
	w.leg(&e, "Ingrid Solheim", "ingrid.solheim@example.test", "14:20:00", "", nil)
	w.leg(&e, "Ada Birch", "ada.birch@example.test", "14:21:30", "", func(l *store.Leg) { l.Activity = store.ActivityLobby })
	w.leg(&e, "Jon Ives", "jon.ives@example.test", "14:22:10", "14:27:00", nil)

	for i := range 9 {
		from, to := fmt.Sprintf("%02d:00:%02d", 4+i, i), fmt.Sprintf("%02d:%02d:10", 4+i, 12+3*i)
		trace := traceStandup[:31] + strconv.Itoa(i)
		f := *w.call([]store.Room{standup, weekly, {RoomName: "Design review"}}[i%3], trace, []string{london, oslo}[i%2], from, to)
		for j := range 2 + i%4 {
			w.leg(&f, []string{"Ada Birch", "Jon Ives", "Pia Rowe", "Ben Cole", "Lea Marsh"}[(i+j)%5], fmt.Sprintf("user%d@example.test", (i+j)%5), from, to, func(l *store.Leg) {
				if i%4 == 1 && j == 0 {
					l.PacketLossPercent = new(1.5 * float64(i))
				}
				if j > 0 {
					l.Reason = "callEnded"
				}
			})
		}
	}
	scan := store.Leg{
		Object: w.object(names.KindCallLeg, traceScan, london, "03:12:44", "03:12:45"), RemoteParty: "100@203.0.113.200", LocalAddress: "900441632960000@meet.example.test",
		Direction: "incoming", Type: "sip", Role: "participant", Reason: "unknownDestination", ErrorType: "unknownDestination",
	}
	w.batch.Legs = append(w.batch.Legs, scan)
	w.recorded()
	w.batch.StorageEvents = []store.StorageEvent{
		{ID: "e1", At: at("09:00:00"), Server: "ms-1", NodeAddress: "192.0.2.10", Partition: "/common", Action: "enter_low", Level: "low", UtilizationPercent: new(76.0)},
		{ID: "e2", At: at("11:15:00"), Server: "ms-1", NodeAddress: "192.0.2.10", Partition: "/common", Action: "enter_critical", Level: "critical", UtilizationPercent: new(91.0)},
		{ID: "e3", At: at("10:00:00"), Server: "ms-1", NodeAddress: "192.0.2.11", Partition: "/uploadedMedia", Action: "exit_low", Level: "normal", UtilizationPercent: new(41.0)},
	}
	w.write()
}

// recorded adds a session of MediaSense with two tracks.
func (w *world) recorded() {
	s := store.Session{
		Object: w.object(names.KindSession, traceSession, "ms-1", "10:00:00", "10:12:00"), CCID: "1000000001-2000000002-3000000003",
		ControllerAddress: "192.0.2.5", ControllerType: "Cisco-CUCM", MediaState: "CLOSED_NORMAL", Parties: "4201, 4207",
	}
	s.Details = document(map[string]any{names.MediaSensePauses: []gap{{Offset: 120000, Duration: 60000}}})
	s.URLs = document([]map[string]string{{"rtspUrl": "rtsp://192.0.2.10/archive/57130d87d73f41"}})
	s.Tags = document([]map[string]any{{"tag_name": "Pause"}, {"tag_name": "complaint"}})
	w.batch.Sessions = append(w.batch.Sessions, s)
	for i := range 2 {
		track := store.Track{
			Object: w.object(names.KindTrack, traceSession, "ms-1", "10:00:00", "10:12:00"), SessionID: s.ID, TrackNumber: new(int64(i)),
			MediaType: "AUDIO", Codec: "G722", Parties: []string{"4201", "4207"}[i],
		}
		track.Details = document(map[string]any{names.MediaSenseSilences: []gap{{Offset: 200000, Duration: 30000}, {Offset: 400000, Duration: 12000}}})
		w.batch.Tracks = append(w.batch.Tracks, track)
	}
}

// get asks the pages for an address.
func get(tb testing.TB, h http.Handler, address string) *httptest.ResponseRecorder {
	tb.Helper()
	recorder := httptest.NewRecorder()
	h.ServeHTTP(recorder, httptest.NewRequestWithContext(tb.Context(), http.MethodGet, address, nil))
	return recorder
}
