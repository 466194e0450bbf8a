// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package cmseventsreceiver

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"

	"github.com/coder/websocket"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/receiver/receivertest"

	"github.com/legato-otel/legato/internal/meetingserver/events"
	"github.com/legato-otel/legato/receiver/cmseventsreceiver/internal/metadata"
)

// BenchmarkRecord makes the log record of a participant's add.
func BenchmarkRecord(b *testing.B) {
	change := events.Change{
		Kind: events.ParticipantAdded, Time: time.Unix(1_700_000_000, 0), Call: "50f204d0-0981-49b4-8035-12dbaff5e80b",
		Correlator: "1492c61c-870f-4063-87ae-e2b5a2d4dce3", CallName: []byte("Weekly sync"), Participant: "383e2b95-73ef-4a8d-84ca-189e795009b8",
		ParticipantName: []byte("Nora Quill"), State: events.Connected,
	}
	for e := events.URI; e <= events.CanMoveToLobby; e++ {
		change.Fields = append(change.Fields, events.Field{Element: e, Kind: events.Text, Text: []byte("connected")})
	}
	b.ReportAllocs()
	var records plog.LogRecordSlice
	for i := 0; b.Loop(); i++ {
		if i%maxBatchRecords == 0 {
			records = plog.NewLogRecordSlice()
		}
		putRecord(records.AppendEmpty(), &change)
	}
}

// BenchmarkReceive measures the whole way of a message over TCP: read, decode, acknowledge,
// apply, make the record, deliver it to a consumer that does nothing. The figure includes
// the server, which writes as fast as it can and discards the acknowledgements.
func BenchmarkReceive(b *testing.B) {
	var frames [2][]byte
	for v, muted := range []string{"true", "false"} {
		frames[v] = fmt.Appendf(nil, `{"type":"message","message":{"messageId":5,"type":"rosterUpdate","subscriptionIndex":2,"updates":[{"participant":"383e2b95-73ef-4a8d-84ca-189e795009b8",`+
			`"updateType":"update","name":"Nora Quill","uri":"nora","state":"connected","direction":"incoming","audioMuted":%s,"videoMuted":false,"importance":null,"layout":"speakerOnly",`+
			`"activeSpeaker":%[1]s,"presenter":false,"endpointRecording":"inactive","canMove":true,"canMoveToLobby":true}]}}`, muted)
	}
	begin := make(chan int)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPost {
			w.Header().Set("X-Cisco-CMS-Auth-Token", "t")
			return
		}
		serveFrames(w, r, frames, begin)
	}))
	defer server.Close()

	var taken atomic.Int64
	done := make(chan struct{})
	var want atomic.Int64
	want.Store(-1)
	next, err := consumer.NewLogs(func(_ context.Context, logs plog.Logs) error {
		if n := taken.Add(int64(logs.LogRecordCount())); want.Load() >= 0 && n >= want.Load() {
			select {
			case done <- struct{}{}:
			default:
			}
		}
		return nil
	})
	require.NoError(b, err)
	config := createDefaultConfig().(*Config)
	config.Servers = []ServerConfig{serverConfig(server.Listener.Addr().String())}
	config.QueueSize = 1 << 30
	logs, err := NewFactory().CreateLogs(b.Context(), receivertest.NewNopSettings(metadata.Type), config, next)
	require.NoError(b, err)
	require.NoError(b, logs.Start(b.Context(), componenttest.NewNopHost()))
	begin <- 0 // everything is subscribed to
	for taken.Load() < 2 {
		time.Sleep(time.Millisecond)
	}
	b.SetBytes(int64(len(frames[0])))
	b.ReportAllocs()
	b.ResetTimer()
	want.Store(taken.Load() + int64(b.N))
	begin <- b.N
	<-done
	b.StopTimer()
	require.NoError(b, logs.Shutdown(context.WithoutCancel(b.Context())))
}

// serveFrames subscribes the client to one call and sends it frames.
func serveFrames(w http.ResponseWriter, r *http.Request, frames [2][]byte, begin chan int) {
	conn, err := websocket.Accept(w, r, nil)
	if err != nil {
		return
	}
	defer func() { _ = conn.CloseNow() }()
	ctx := context.WithoutCancel(r.Context())
	send := func(text string) { _ = conn.Write(ctx, websocket.MessageText, []byte(text)) }
	for request := 1; request <= 2; {
		_, data, err := conn.Read(ctx)
		if err != nil {
			return
		}
		if len(data) < 100 {
			continue // an acknowledgement
		}
		send(fmt.Sprintf(`{"type":"messageAck","messageAck":{"messageId":%d,"status":"success"}}`, request))
		if request == 1 {
			send(`{"type":"message","message":{"messageId":0,"type":"subscriptionUpdate","subscriptions":[{"index":1,"state":"active"}]}}`)
			send(`{"type":"message","message":{"messageId":1,"type":"callListUpdate","subscriptionIndex":1,"updates":[{"call":"c","updateType":"add","name":"Weekly sync"}]}}`)
		}
		request++
	}
	gone := make(chan struct{})
	go func() {
		defer close(gone)
		for {
			if _, _, err := conn.Read(ctx); err != nil {
				return
			}
		}
	}()
	_ = conn.Write(ctx, websocket.MessageText, frames[1])
	<-begin
	for i := range <-begin {
		if conn.Write(ctx, websocket.MessageText, frames[i%2]) != nil {
			return
		}
	}
	<-gone
}
