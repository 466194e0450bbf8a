// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package cmseventsreceiver

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/coder/websocket"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/legato-otel/legato/internal/names"
	"github.com/legato-otel/legato/internal/testkit/receiverkit"
)

// line is one line of a fixture.
type line struct {
	Direction string         `json:"dir"`
	Frame     map[string]any `json:"frame"`
}

const (
	weekly = "50f204d0-0981-49b4-8035-12dbaff5e80b"
	nora   = "383e2b95-73ef-4a8d-84ca-189e795009b8"
	moving = "40667441-9b70-41c0-839c-a8ce6dc7dbf1"
)

// before are the messages before a fixture begins, with the indexes of the fixture.
var before = map[string][]string{
	"cluster-bridge-leaves": listAndSubscribe(3, moving, "Board", 11, 12),
	"oddities":              append(listAndSubscribe(3, weekly, "Weekly sync", 1, 2), serverMessage(902, `"type":"rosterUpdate","subscriptionIndex":1,"updates":[{"participant":"`+nora+`","updateType":"add","name":"Nora Quill","state":"connected","direction":"incoming"}]`)),
	"unsubscribe-all":       listAndSubscribe(3, weekly, "Weekly sync", 1, 2),
}

func serverMessage(id int, content string) string {
	return fmt.Sprintf(`{"dir":"s2c","frame":{"type":"message","message":{"messageId":%d,%s}}}`, id, content)
}

// listAndSubscribe returns the messages that list one call and activate its subscriptions.
func listAndSubscribe(list int, call, name string, roster, info int) []string {
	subscribe := func(content string) string {
		return `{"dir":"c2s","frame":{"type":"message","message":{"type":"subscribeRequest","subscriptions":[` + content + `]}}}`
	}
	calls := fmt.Sprintf(`{"index":%d,"type":"calls"}`, list)
	return []string{
		subscribe(calls),
		serverMessage(900, fmt.Sprintf(`"type":"subscriptionUpdate","subscriptions":[{"index":%d,"state":"active"}]`, list)),
		serverMessage(901, fmt.Sprintf(`"type":"callListUpdate","subscriptionIndex":%d,"updates":[{"call":%q,"updateType":"add","name":%q}]`, list, call, name)),
		subscribe(calls + fmt.Sprintf(`,{"index":%d,"type":"callRoster","call":%[2]q},{"index":%d,"type":"callInfo","call":%[2]q}`, roster, call, info)),
	}
}

// fixturePlayer plays the server's side of a fixture, and translates the fixture's indexes
// and message ids to those of the client.
type fixturePlayer struct {
	t       *testing.T
	p       *fakeSocket
	indexes map[int64]int64 // the fixture's to the client's
	current map[string]int64
}

func (pl *fixturePlayer) lines(lines []string) {
	for _, text := range lines {
		var l line
		decoder := json.NewDecoder(strings.NewReader(text))
		decoder.UseNumber()
		require.NoError(pl.t, decoder.Decode(&l))
		message, _ := l.Frame["message"].(map[string]any)
		switch {
		case l.Direction == "s2c" && message != nil:
			pl.send(l.Frame, message)
		case l.Direction == "c2s" && message != nil:
			pl.await(message)
		case l.Direction == "c2s":
			// Awaited where the message was sent.
		default:
			// The answer to a request was sent where it came. One to a request
			// that nobody made is sent as it is.
			if ack := l.Frame["messageAck"].(map[string]any); ack["status"] != "success" {
				pl.write(l.Frame)
			}
		}
	}
}

// await waits until the client has the subscriptions of the fixture's client.
func (pl *fixturePlayer) await(message map[string]any) {
	wanted := message["subscriptions"].([]any)
	for {
		done := true
		for _, entry := range wanted {
			s := entry.(map[string]any)
			call, _ := s["call"].(string)
			index, found := pl.current[s["type"].(string)+" "+call]
			done = done && found
			pl.indexes[number(s["index"])] = index
		}
		// A set without a call's subscriptions is one where they were given up.
		if done && (len(wanted) != 1 || len(pl.current) == 1 || len(wanted) == 0) {
			return
		}
		if len(wanted) == 0 {
			return // this client has no reason to unsubscribe from all
		}
		select {
		case f := <-pl.p.frames:
			pl.current = map[string]int64{}
			for _, s := range f.Message.Subscriptions {
				pl.current[s.Type+" "+s.Call] = s.Index
			}
			pl.writeRaw(fmt.Appendf(nil, `{"type":"messageAck","messageAck":{"messageId":%d,"status":"success"}}`, *f.Message.ID))
		case <-time.After(10 * time.Second):
			require.Fail(pl.t, "the client did not subscribe", "%v", wanted)
		}
	}
}

func number(v any) int64 {
	n, _ := v.(json.Number).Int64()
	return n
}

// send sends a message with the client's indexes and waits for its acknowledgement.
func (pl *fixturePlayer) send(frame, message map[string]any) {
	if index, has := message["subscriptionIndex"]; has {
		message["subscriptionIndex"] = pl.translate(index)
	}
	if states, has := message["subscriptions"].([]any); has {
		for _, s := range states {
			state := s.(map[string]any)
			state["index"] = pl.translate(state["index"])
		}
	}
	pl.write(frame)
	select {
	case got := <-pl.p.acked:
		assert.Equal(pl.t, number(message["messageId"]), got)
	case <-time.After(10 * time.Second):
		require.Fail(pl.t, "not acknowledged", "%v", frame)
	}
}

func (pl *fixturePlayer) translate(index any) any {
	if known, ok := pl.indexes[number(index)]; ok {
		return known
	}
	return index
}

func (pl *fixturePlayer) write(frame map[string]any) {
	raw, err := json.Marshal(frame)
	require.NoError(pl.t, err)
	pl.writeRaw(raw)
}

func (pl *fixturePlayer) writeRaw(raw []byte) {
	require.NoError(pl.t, pl.p.conn.Write(context.Background(), websocket.MessageText, raw))
}

// TestGolden replays every conversation of the fixtures and compares the log records with
// testdata/golden.
func TestGolden(t *testing.T) {
	files, err := filepath.Glob(filepath.Join(fixtures, "*.jsonl"))
	require.NoError(t, err)
	require.NotEmpty(t, files)
	for _, file := range files {
		name := strings.TrimSuffix(filepath.Base(file), ".jsonl")
		if name == "limit-99-subscriptions" {
			continue // TestLimit
		}
		t.Run(name, func(t *testing.T) {
			content, err := os.ReadFile(file)
			require.NoError(t, err)
			lines := slices.Concat(before[name], strings.Split(strings.TrimSpace(string(content)), "\n"))
			var once sync.Once
			played := make(chan struct{})
			runInBubble(t, 1, func(r *harness) {
				r.bridges[0].setFaults(func(f *faults) {
					f.script = func(p *fakeSocket) {
						once.Do(func() {
							defer close(played)
							(&fixturePlayer{t: r.T, p: p, indexes: map[int64]int64{}, current: map[string]int64{}}).lines(lines)
						})
					}
				})
			}, func(r *harness) {
				r.wait(2 * time.Second)
				select {
				case <-played:
				default:
					require.Fail(r.T, "the conversation did not come to its end")
				}
				receiverkit.AssertRoomForStamps(r.T, r.sink.AllLogs(), names.CallID)
				golden(r.T, name, r.sink.AllLogs())
			})
		})
	}
}

func golden(t *testing.T, name string, all []plog.Logs) {
	t.Helper()
	var got bytes.Buffer
	for _, lr := range receiverkit.Records(all) {
		assert.NotZero(t, lr.Timestamp())
		assert.Equal(t, lr.Timestamp(), lr.ObservedTimestamp())
		lr.SetTimestamp(0)
		lr.SetObservedTimestamp(0)
	}
	// Batching depends on time, so merge all records into one batch.
	one := plog.NewLogs()
	for _, logs := range all {
		for i, rl := range logs.ResourceLogs().All() {
			if one.ResourceLogs().Len() == 0 {
				rl.CopyTo(one.ResourceLogs().AppendEmpty())
				continue
			}
			assert.Zero(t, i)
			assert.Equal(t, one.ResourceLogs().At(0).Resource().Attributes().AsRaw(), rl.Resource().Attributes().AsRaw())
			rl.ScopeLogs().At(0).LogRecords().MoveAndAppendTo(one.ResourceLogs().At(0).ScopeLogs().At(0).LogRecords())
		}
	}
	text, err := (&plog.JSONMarshaler{}).MarshalLogs(one)
	require.NoError(t, err)
	require.NoError(t, json.Indent(&got, text, "", "  "))
	got.WriteByte('\n')
	path := filepath.Join("testdata", "golden", name+".json")
	if *update {
		require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
		require.NoError(t, os.WriteFile(path, got.Bytes(), 0o600))
		return
	}
	want, err := os.ReadFile(path)
	require.NoError(t, err, "run the test with -update to write it")
	assert.Equal(t, string(want), got.String())
}
