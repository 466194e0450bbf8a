// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package events

import (
	"fmt"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// A server that sends long text stays within its byte limit, text above it is counted as
// untracked, and the heap agrees with the count.
func TestBudget(t *testing.T) {
	const budget = 8 << 20
	w := newConnectedWorld(t, Options{Servers: 2, MaxConnections: 1})
	w.c.sink = sinkFunc(func(*Change) bool { return true })
	w.c.opts.Limits.Bytes = budget
	w.send(0, 0, `"type":"callListUpdate","subscriptionIndex":1,"updates":[{"call":"a","updateType":"add"}]`)
	w.c.Advance(w.now.Add(time.Second))
	k := w.c.servers[0].calls["a"]
	var big strings.Builder
	for i := range 40 {
		fmt.Fprintf(&big, `,"e%02d":%q`, i, strings.Repeat("x", 800))
	}
	heap := func() uint64 {
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	send := func(what, id, more string) {
		w.send(0, 0, fmt.Sprintf(`"type":"rosterUpdate","subscriptionIndex":%d,"updates":[{"participant":%q,"updateType":%q,"state":"connected","direction":"incoming"%s}]`, k.rosterSub.index, id, what, more))
	}
	before := heap()
	for i := range 3000 {
		send("add", fmt.Sprintf("p%d", i), big.String())
		require.LessOrEqual(t, w.c.StateBytes(0), budget)
	}
	_, people := w.c.Size()
	t.Logf("%d participants of 33 KB in %d bytes, %d on the heap", people, w.c.StateBytes(0), heap()-before)
	assert.Greater(t, people, 100)
	assert.Less(t, people, 600)
	assert.Less(t, heap()-before, uint64(budget+budget/4))
	assert.Equal(t, uint64(3000-people), w.c.Untracked())
	assert.True(t, w.c.Problems(w.now, 0).Full)
	assert.False(t, w.c.Problems(w.now, 1).Full)
	assert.Zero(t, w.c.StateBytes(1))

	// Small objects that grow.
	for i := range people {
		send("remove", fmt.Sprintf("p%d", i), "")
	}
	empty := w.c.StateBytes(0)
	assert.Less(t, empty, 8<<10, "what is gone is not counted")
	for i := range 5000 {
		send("add", fmt.Sprintf("q%d", i), "")
	}
	for i := range 5000 {
		send("update", fmt.Sprintf("q%d", i), big.String())
		require.LessOrEqual(t, w.c.StateBytes(0), budget)
	}
	_, people = w.c.Size()
	assert.Equal(t, 5000, people, "nobody who is there goes because somebody grows")
	assert.Less(t, heap()-before, uint64(budget+budget/4))
	// The elements behind the gauges can always change.
	for i := range 5000 {
		w.send(0, 0, fmt.Sprintf(`"type":"rosterUpdate","subscriptionIndex":%d,"updates":[{"participant":"q%d","updateType":"update","state":"onHold"}]`, k.rosterSub.index, i))
	}
	assert.EqualValues(t, 5000, w.c.Gauges()[0].Participants[OnHold][Incoming])
	w.pump(fullWindow + time.Minute)
	assert.False(t, w.c.Problems(w.now, 0).Full)
	runtime.KeepAlive(w)
}

// Calls with long names and unreported removals count too.
func TestBudgetOfCalls(t *testing.T) {
	const budget = 1 << 20
	w := newConnectedWorld(t, Options{Servers: 1, MaxConnections: 1})
	taking := false
	w.c.sink = sinkFunc(func(c *Change) bool { return taking || c.Kind == CallAdded })
	w.c.opts.Limits.Bytes = budget
	long := strings.Repeat("n", 1000)
	for i := range 2000 {
		id := fmt.Sprintf("call-%04d-%s", i, long[:900])
		w.send(0, 0, fmt.Sprintf(`"type":"callListUpdate","subscriptionIndex":1,"updates":[{"call":%q,"updateType":"add","name":%q,"callCorrelator":%q}]`, id, long, "c"+id))
		w.send(0, 0, fmt.Sprintf(`"type":"callListUpdate","subscriptionIndex":1,"updates":[{"call":%q,"updateType":"remove"}]`, id))
		require.LessOrEqual(t, w.c.StateBytes(0), budget)
	}
	assert.NotZero(t, w.c.Untracked())
	assert.Positive(t, w.c.StateBytes(0))
	taking = true
	assert.True(t, w.c.EmitPending(w.now, 0))
	assert.Zero(t, w.c.StateBytes(0), "what is reported is not held")
}

// checkBytes compares the charged bytes with the state.
func (w *world) checkBytes() {
	w.t.Helper()
	want := make([]int, len(w.servers))
	for server := range w.c.servers {
		for _, k := range w.c.servers[server].calls {
			want[server] += k.chargedBytes
			assert.Equal(w.t, k.cost(), k.chargedBytes)
		}
	}
	for _, p := range w.c.participants {
		want[p.call.server] += int(p.chargedBytes)
		assert.Equal(w.t, p.cost(), int(p.chargedBytes))
	}
	for _, g := range w.c.unreportedRemovals {
		want[g.server] += g.chargedBytes
	}
	for server := range want {
		assert.Equal(w.t, want[server], w.c.StateBytes(server))
	}
}
