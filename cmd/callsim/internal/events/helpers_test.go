// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package events_test

import (
	"context"
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/coder/websocket"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/legato-otel/legato/cmd/callsim/internal/events"
	"github.com/legato-otel/legato/cmd/callsim/internal/eventstest"
	"github.com/legato-otel/legato/cmd/callsim/internal/scenario"
	"github.com/legato-otel/legato/cmd/callsim/internal/truth"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// patience is how long something that must happen may take.
const patience = 30 * time.Second

var start = time.Date(2026, 1, 5, 8, 0, 0, 0, time.UTC)

// run is a scenario with its Events servers and its truth.
type play struct {
	t       *testing.T
	cluster *events.Cluster
	story   []scenario.Event
	witness *truth.Recorder
	clients []*eventstest.Client
	hc      *http.Client
}

// newPlay prepares a scenario, nothing of which has happened.
func newPlay(t *testing.T, cfg scenario.Config, change func(*events.Options)) *play {
	t.Helper()
	cfg.Start = start
	world := scenario.New(cfg)
	p := &play{t: t, hc: &http.Client{Transport: &http.Transport{}}}
	o := events.Options{
		Seed: cfg.Seed, Bridges: world.Bridges(), Addresses: slices.Repeat([]string{"127.0.0.1:0"}, cfg.Bridges),
		User: "api", Password: "x", AckTimeout: patience, Start: start, Logf: func(string, ...any) {},
	}
	if change != nil {
		change(&o)
	}
	p.witness = truth.NewRecorder(world.Bridges())
	p.witness.WatchEvents()
	p.story = slices.Collect(scenario.WithBehavior(cfg, world.Events()))
	var err error
	p.cluster, err = events.Open(o)
	require.NoError(t, err)
	t.Cleanup(func() {
		p.cluster.Close()
		p.hc.CloseIdleConnections()
	})
	return p
}

// happen lets events happen.
func (p *play) happen(list ...scenario.Event) {
	for _, ev := range list {
		p.cluster.Observe(ev, 1)
		p.witness.Observe(ev, 0)
	}
}

// dial opens a WebSocket to a bridge.
func (p *play) dial(ctx context.Context, bridge int) (*websocket.Conn, error) {
	base := p.cluster.URLs()[bridge]
	token, _, err := eventstest.Token(ctx, p.hc, base, "api", "x")
	if err != nil {
		return nil, err
	}
	conn, _, err := eventstest.Dial(ctx, p.hc, base, token)
	return conn, err
}

// follow lets a client follow a bridge to the end of the test.
func (p *play) follow(bridge int) *eventstest.Client {
	p.t.Helper()
	conn, err := p.dial(p.t.Context(), bridge)
	require.NoError(p.t, err)
	client := eventstest.New(conn, true)
	var done sync.WaitGroup
	done.Go(func() { _ = client.Follow(p.t.Context()) })
	p.t.Cleanup(func() {
		conn.CloseNow()
		done.Wait()
	})
	p.clients = append(p.clients, client)
	// What settles must have begun.
	require.Eventually(p.t, func() bool {
		client.Lock()
		defer client.Unlock()
		return client.Requests() > 0
	}, patience, 50*time.Microsecond)
	return client
}

// settle waits until all clients have seen and asked for all there is.
func (p *play) settle() {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.t.Context(), patience)
	defer cancel()
	for {
		before := p.requests()
		require.Eventually(p.t, func() bool { return p.received() >= before }, patience, 50*time.Microsecond)
		require.True(p.t, p.cluster.Drain(ctx), "the clients do not acknowledge everything")
		if p.requests() == before {
			return
		}
	}
}

// requests counts those the clients have made.
func (p *play) requests() int {
	n := 0
	for _, c := range p.clients {
		c.Lock()
		n += c.Requests()
		c.Unlock()
	}
	return n
}

// received counts those the servers have got.
func (p *play) received() int {
	n := 0
	for _, a := range p.cluster.Accounts() {
		n += a.Requests
	}
	return n
}

func (p *play) truth() *truth.Events { return p.witness.Events(p.cluster.Accounts()) }

// crowd counts a client's people by state and direction.
func crowd(c *eventstest.Client) []truth.Crowd {
	counts := map[truth.Crowd]int{}
	for _, roster := range c.Rosters {
		for _, e := range roster {
			state, _ := e["state"].(string)
			direction, _ := e["direction"].(string)
			counts[truth.Crowd{State: state, Direction: direction}]++
		}
	}
	list := []truth.Crowd{}
	for k, n := range counts {
		k.Count = n
		list = append(list, k)
	}
	slices.SortFunc(list, func(a, b truth.Crowd) int {
		return strings.Compare(a.State+" "+a.Direction, b.State+" "+b.Direction)
	})
	return list
}

// same reports whether a client has the calls and participants of its bridge.
func same(want truth.EventsBridge, c *eventstest.Client) bool {
	c.Lock()
	defer c.Unlock()
	if len(c.Calls) != len(want.Calls) || len(c.Rosters) != len(want.Calls) {
		return false
	}
	for _, call := range want.Calls {
		e := c.Calls[call.ID]
		if e == nil || e["callCorrelator"] != call.Correlator || e["name"] != call.Name ||
			e["participants"] != float64(call.Participants) || len(c.Rosters[call.ID]) != call.Participants {
			return false
		}
	}
	return assert.ObjectsAreEqual(want.Shown, crowd(c))
}

// raw is a WebSocket of which a test sends and reads every frame.
type raw struct {
	t    *testing.T
	conn *websocket.Conn
}

func (p *play) raw(bridge int) raw {
	p.t.Helper()
	conn, err := p.dial(p.t.Context(), bridge)
	require.NoError(p.t, err)
	p.t.Cleanup(func() { conn.CloseNow() })
	conn.SetReadLimit(-1)
	return raw{p.t, conn}
}

func (r raw) send(text string) {
	r.t.Helper()
	require.NoError(r.t, r.conn.Write(r.t.Context(), websocket.MessageText, []byte(text)))
}

func (r raw) ack(id string) {
	r.t.Helper()
	r.send(`{"type":"messageAck","messageAck":{"messageId":` + id + `,"status":"success"}}`)
}

func (r raw) subscribe(id, list string) {
	r.t.Helper()
	r.send(`{"type":"message","message":{"messageId":` + id + `,"type":"subscribeRequest","subscriptions":[` + list + `]}}`)
}

// expect reads a frame and compares it.
func (r raw) expect(want string) {
	r.t.Helper()
	assert.JSONEq(r.t, want, string(r.read()))
}

func (r raw) read() json.RawMessage {
	r.t.Helper()
	ctx, cancel := context.WithTimeout(r.t.Context(), patience)
	defer cancel()
	kind, text, err := r.conn.Read(ctx)
	require.NoError(r.t, err)
	assert.Equal(r.t, websocket.MessageText, kind)
	return text
}

// next reads frames up to a message, which it acknowledges and returns.
func (r raw) next() map[string]any {
	r.t.Helper()
	for {
		var frame struct {
			Message map[string]any
		}
		require.NoError(r.t, json.Unmarshal(r.read(), &frame))
		if frame.Message != nil {
			id, err := json.Marshal(frame.Message["messageId"])
			require.NoError(r.t, err)
			r.ack(string(id))
			return frame.Message
		}
	}
}

// eventually waits for a condition.
func (p *play) eventually(ok func() bool, about string) {
	p.t.Helper()
	require.Eventually(p.t, ok, patience, time.Millisecond, about)
}
