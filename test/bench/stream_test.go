// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/consumer/consumertest"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/legato-otel/legato/internal/names"
	"github.com/legato-otel/legato/internal/testkit/loopback"
)

// lived is what a stream let happen to an object.
type lived struct{ starts, updates, ends int }

// live lets a stream say so many things and returns what became of each object.
func live(s *stream, events int) map[string]*lived {
	all := make(map[string]*lived)
	for range events {
		e, ok := s.next()
		if !ok {
			break
		}
		log := plog.NewLogRecord()
		r := &s.world.records[e.record]
		r.put(log, e.index, string(r.appendText(nil, tag(e.generation))))
		kind, phase := splitEvent(log.EventName())
		id, _ := log.Attributes().Get(kind + ".id")
		key := kind + " " + id.Str()
		if all[key] == nil {
			all[key] = new(lived)
		}
		switch phase {
		case "start":
			all[key].starts++
		case "update":
			all[key].updates++
		default:
			all[key].ends++
		}
	}
	return all
}

func TestStreamKeepsSoManyOpen(t *testing.T) {
	w := testCorpus(t).world
	s := newStream(w, few, 0, 1)
	assert.GreaterOrEqual(t, s.legs(), few)
	assert.Less(t, s.legs(), few+few/10)
	s.skip()
	assert.Equal(t, s.lives(), s.started)
	for range 10 * few {
		_, ok := s.next()
		require.True(t, ok)
		open := s.started - s.ended
		assert.True(t, open == s.lives() || open == s.lives()+1, "%d of %d", open, s.lives())
	}
}

func TestStreamLetsLegsLiveWhole(t *testing.T) {
	w := testCorpus(t).world
	s := newStream(w, few, 0, 1)
	// Enough for several generations.
	var complete int
	for key, l := range live(s, 20*len(w.lives)) {
		assert.LessOrEqual(t, l.starts, 1, key)
		assert.LessOrEqual(t, l.ends, 1, key)
		if l.ends == 1 {
			complete++
			assert.Equal(t, 1, l.starts, key)
			if key[:len(names.KindCallLeg)] == names.KindCallLeg {
				assert.Equal(t, 3, l.updates, key)
			}
		}
	}
	assert.Greater(t, complete, 2*len(w.lives), "ids differ between generations")
}

func TestStreamHoldsAndDrains(t *testing.T) {
	s := newStream(testCorpus(t).world, few, 0, 1)
	s.held = true
	const enough = 1 << 20
	held := live(s, enough)
	assert.True(t, s.done())
	assert.Len(t, held, int(s.lives()))
	for key, l := range held {
		assert.Equal(t, 1, l.starts, key)
		assert.Zero(t, l.ends, key)
	}
	s.draining = true
	for key, l := range live(s, enough) {
		assert.Equal(t, lived{ends: 1}, *l, key)
		assert.Contains(t, held, key)
	}
	assert.True(t, s.drained())
}

func TestLanesShareNothing(t *testing.T) {
	w := testCorpus(t).world
	other := live(newStream(w, few, 1, 2), 5_000)
	for key := range live(newStream(w, few, 0, 2), 5_000) {
		assert.NotContains(t, other, key)
	}
}

// The receiver makes of the posts what a logSource makes of the same stream.
func TestPostsAreTheLogs(t *testing.T) {
	c := testCorpus(t)
	texts, err := wireRecords(c)
	require.NoError(t, err)
	const batch, rounds = 50, 40
	into := new(consumertest.LogsSink)
	address, err := loopback.Address()
	require.NoError(t, err)
	factory, config := cmscdr(address)
	parts, err := startReceiver(t.Context(), factory, config, into, nil)
	require.NoError(t, err)
	conn, err := dial(t.Context(), address, newLegPosts(newStream(c.world, 20, 3, 4), texts, batch))
	require.NoError(t, err)
	for range rounds {
		require.NoError(t, conn.post())
	}
	conn.close()
	require.NoError(t, parts.Shutdown(t.Context()))

	source := newLogSource(newStream(c.world, 20, 3, 4))
	require.Len(t, into.AllLogs(), rounds)
	for _, got := range into.AllLogs() {
		assert.Equal(t, comparable(source.batch(batch)), comparable(got))
	}
}

// comparable returns records as text, without what is not the same: who is at
// the far end, when the record was observed, and the body, which has ids in it.
func comparable(logs plog.Logs) (all []string) {
	for log := range recordsOf(logs) {
		attributes := log.Attributes().AsRaw()
		for _, key := range people {
			delete(attributes, key)
		}
		delete(attributes, names.RecordLegacyIndex)
		all = append(all, fmt.Sprint(log.EventName(), log.Timestamp(), log.SeverityText(), attributes))
	}
	return all
}

func TestWireRecordMarksLinks(t *testing.T) {
	text := printedRecord("5", "<callLeg id=\"b146f6cd-3a3f-4f70-b8fa-d41ed657c9a1\"><sipCallId>link-7@cms1</sipCallId><name>b146f6cdx</name></callLeg>")
	w, err := newWireRecord([]byte(text))
	require.NoError(t, err)
	got := string(w.appendTo(nil, event{generation: 1, index: 12}))
	assert.Equal(t, `<record type="callEnd" time="2026-01-05T08:00:00Z" recordIndex="7" correlatorIndex="0000000012">`+"\n"+
		`<callLeg id="9e3779b1-3a3f-4f70-b8fa-d41ed657c9a1"><sipCallId>9e3779b1-link-7@cms1</sipCallId><name>b146f6cdx</name></callLeg></record>`+"\n", got)
}

func TestMemoryStorePutsAndGets(t *testing.T) {
	s, err := newStore(t.Context(), storeMemory, "")
	require.NoError(t, err)
	client, err := s.GetClient(t.Context(), component.KindProcessor, storeID, "")
	require.NoError(t, err)
	value := bytes.Repeat([]byte{7}, 10)
	require.NoError(t, client.Set(t.Context(), "a", value))
	got, err := client.Get(t.Context(), "a")
	require.NoError(t, err)
	assert.Equal(t, value, got)
	require.NoError(t, client.Delete(t.Context(), "a"))
	got, err = client.Get(t.Context(), "a")
	require.NoError(t, err)
	assert.Nil(t, got)
	counted := s.count()
	assert.EqualValues(t, 2, counted.Commits)
	assert.EqualValues(t, 10, counted.Bytes)
	assert.EqualValues(t, 1, counted.Deletes)
}
