// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package page

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/legato-otel/legato/internal/archive/store"
)

// TestQualityNow: a running leg shows how its media are now, in the list and on the page
// of its meeting; what is old or not known is not shown.
func TestQualityNow(t *testing.T) {
	w := newDay(t)
	h := w.handler()
	running, err := store.Select[store.Leg](t.Context(), w.store, "WHERE state = 'running' ORDER BY id")
	require.NoError(t, err)
	require.Len(t, running, 2)
	const words = "now: packet loss 4.5 %, jitter 31 ms, round trip 120 ms"
	assert.NotContains(t, get(t, h, "/legs").Body.String(), "now: ")
	_, err = w.store.Write(t.Context(), &store.Batch{Qualities: []store.LegQuality{
		{ID: running[0].ID, At: now.Add(-time.Minute), LossPercent: new(4.5), JitterMs: new(31.0), RoundTripMs: new(120.0)},
		{ID: running[1].ID, At: now.Add(-staleQuality - time.Second), LossPercent: new(77.0)},
	}})
	require.NoError(t, err)
	list := get(t, h, "/legs").Body.String()
	assert.Contains(t, list, words)
	assert.NotContains(t, list, "77.0")
	assert.Contains(t, list, "known at the end")
	assert.Contains(t, get(t, h, "/conferences/"+running[0].TraceID).Body.String()+get(t, h, "/traces/"+running[0].TraceID).Body.String(), words)
}

func TestLiveQuality(t *testing.T) {
	at := localTime{now}
	of := func(q store.LegQuality) *liveQuality {
		q.At = now
		return liveQualityOf(map[string]store.LegQuality{"l": q}, "l", at)
	}
	assert.Nil(t, liveQualityOf(nil, "l", at))
	assert.Nil(t, of(store.LegQuality{State: "ringing"}), "no figures")
	assert.Equal(t, &liveQuality{Text: "now: packet loss 0.0 %"}, of(store.LegQuality{LossPercent: new(0.0)}))
	assert.Equal(t, &liveQuality{Text: "alarm: packet loss 6.7 %, jitter", Alarm: true}, of(store.LegQuality{LossPercent: new(6.7), Alarms: "packetLoss, excessiveJitter"}))
	assert.Equal(t, &liveQuality{Text: "alarm: packet loss 6.7 % · now: jitter 31 ms", Alarm: true}, of(store.LegQuality{LossPercent: new(6.7), JitterMs: new(31.0), Alarms: "packetLoss"}))
	assert.Equal(t, &liveQuality{Text: "alarm: round trip", Alarm: true}, of(store.LegQuality{Alarms: "highRoundTripTime"}))
}
