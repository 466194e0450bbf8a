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

// before is what must have happened before a fixture begins. Indexes are the
// fixture's own.
var before = map[string][]string{
	"cluster-bridge-leaves": listed(3, moving, "Board", 11, 12),
	"oddities":              append(listed(3, weekly, "Weekly sync", 1, 2), s2c(902, `"type":"rosterUpdate","subscriptionIndex":1,"updates":[{"participant":"`+nora+`","updateType":"add","name":"Nora Quill","state":"connected","direction":"incoming"}]`)),
	"unsubscribe-all":       listed(3, weekly, "Weekly sync", 1, 2),
}

func s2c(id int, content string) string {
	return fmt.Sprintf(`{"dir":"s2c","frame":{"type":"message","message":{"messageId":%d,%s}}}`, id, content)
}

// listed lists one call and has it subscribed to.
func listed(list int, call, name string, roster, info int) []string {
	subscribe := func(content string) string {
		return `{"dir":"c2s","frame":{"type":"message","message":{"type":"subscribeRequest","subscriptions":[` + content + `]}}}`
	}
	calls := fmt.Sprintf(`{"index":%d,"type":"calls"}`, list)
	return []string{
		subscribe(calls),
		s2c(900, fmt.Sprintf(`"type":"subscriptionUpdate","subscriptions":[{"index":%d,"state":"active"}]`, list)),
		s2c(901, fmt.Sprintf(`"type":"callListUpdate","subscriptionIndex":%d,"updates":[{"call":%q,"updateType":"add","name":%q}]`, list, call, name)),
		subscribe(calls + fmt.Sprintf(`,{"index":%d,"type":"callRoster","call":%[2]q},{"index":%d,"type":"callInfo","call":%[2]q}`, roster, call, info)),
	}
}

// play plays a fixture's side of the server. The client's indexes and message
// ids are its own: the fixture's are translated.
type play struct {
	t       *testing.T
	p       *peer
	indexes map[int64]int64 // the fixture's to the client's
	current map[string]int64
}

func (pl *play) lines(lines []string) {
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

// await waits until the client has subscribed to what the fixture's client does.
func (pl *play) await(message map[string]any) {
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
			pl.raw(fmt.Appendf(nil, `{"type":"messageAck","messageAck":{"messageId":%d,"status":"success"}}`, *f.Message.ID))
		case <-time.After(10 * time.Second):
			require.Fail(pl.t, "the client did not subscribe", "%v", wanted)
		}
	}
}

func number(v any) int64 {
	n, _ := v.(json.Number).Int64()
	return n
}

// send sends a message with the client's indexes, and waits until it is
// acknowledged.
func (pl *play) send(frame, message map[string]any) {
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

func (pl *play) translate(index any) any {
	if known, ok := pl.indexes[number(index)]; ok {
		return known
	}
	return index
}

func (pl *play) write(frame map[string]any) {
	raw, err := json.Marshal(frame)
	require.NoError(pl.t, err)
	pl.raw(raw)
}

func (pl *play) raw(raw []byte) {
	require.NoError(pl.t, pl.p.conn.Write(context.Background(), websocket.MessageText, raw))
}

// TestGolden replays every conversation of the fixtures and holds the log
// records against testdata/golden.
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
			bubble(t, 1, func(r *rig) {
				r.bridges[0].set(func(f *faults) {
					f.script = func(p *peer) {
						once.Do(func() {
							defer close(played)
							(&play{t: r.t, p: p, indexes: map[int64]int64{}, current: map[string]int64{}}).lines(lines)
						})
					}
				})
			}, func(r *rig) {
				r.settle(2 * time.Second)
				select {
				case <-played:
				default:
					require.Fail(r.t, "the conversation did not come to its end")
				}
				golden(r.t, name, r.sink.AllLogs())
			})
		})
	}
}

func golden(t *testing.T, name string, all []plog.Logs) {
	t.Helper()
	var got bytes.Buffer
	for _, lr := range records(all) {
		assert.NotZero(t, lr.Timestamp())
		assert.Equal(t, lr.Timestamp(), lr.ObservedTimestamp())
		lr.SetTimestamp(0)
		lr.SetObservedTimestamp(0)
	}
	// How records are batched is a matter of time: one batch holds them all.
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
