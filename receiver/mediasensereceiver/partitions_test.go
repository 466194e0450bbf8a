// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package mediasensereceiver

import (
	"errors"
	"math/rand/v2"
	"net/http"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/consumer/consumererror"
	"go.opentelemetry.io/collector/consumer/consumertest"

	"github.com/legato-otel/legato/internal/mediasense/event"
	"github.com/legato-otel/legato/internal/testkit"
	"github.com/legato-otel/legato/internal/testkit/receiverkit"
)

var thresholdEvents = []event.Type{
	event.EnterLow, event.ExitLow, event.EnterCritical,
	event.ExitCritical, event.EnterEmergency, event.ExitEmergency,
}

func restarted(t *testing.T, p *partitionStates) *partitionStates {
	t.Helper()
	stored, version, err := p.snapshot()
	require.NoError(t, err)
	p.markSaved(version)
	again := newPartitionStates(p.window)
	require.NoError(t, again.restore(stored))
	assert.False(t, again.hasChanges())
	return again
}

// A restart between any two events makes no difference to what the disks show.
func TestLevelsOverARestart(t *testing.T) {
	const window = 10 * time.Second
	for seed := range uint64(300) {
		dice := rand.New(rand.NewPCG(seed, 1))
		steady, stopped := newPartitionStates(window), newPartitionStates(window)
		now := time.UnixMilli(1_700_000_000_000)
		for range 1 + dice.IntN(100) {
			now = now.Add(time.Duration(dice.IntN(20)) * 100 * time.Millisecond * time.Duration(1+100*(dice.IntN(20)/19)))
			id := partitionID{node: strconv.Itoa(dice.IntN(2))}
			event, percentage := thresholdEvents[dice.IntN(len(thresholdEvents))], float64(dice.IntN(101))
			steady.applyEvent(id, event, percentage, now)
			stopped.applyEvent(id, event, percentage, now)
			if dice.IntN(2) == 0 {
				stopped = restarted(t, stopped)
			}
			require.Equal(t, steady.list(), stopped.list(), "seed %d", seed)
		}
	}
}

// A disk that fills crosses two thresholds; the events come in the wrong order, and
// the Collector restarts between them.
func TestEventsOutOfOrderOverARestart(t *testing.T) {
	p := newPartitionStates(10 * time.Second)
	now := time.UnixMilli(1_700_000_000_000)
	p.applyEvent(partitionID{}, event.EnterCritical, 91, now)
	p = restarted(t, p)
	p.applyEvent(partitionID{}, event.EnterLow, 76, now.Add(time.Second))
	assert.Equal(t, []partitionState{{level: event.Critical, percentage: 91}}, p.list())
}

// Levels of a release that stored no recent events, and events that cannot be, are
// levels without events.
func TestLevelsWithoutRecentEvents(t *testing.T) {
	for _, more := range []string{
		``, `,"base":"full"`, `,"base":"low","recent":[{"threshold":"normal"}]`, `,"base":"low","recent":[{"threshold":"x"}]`,
	} {
		p := newPartitionStates(time.Hour)
		require.NoError(t, p.restore([]byte(`{"version":1,"partitions":[{"level":"critical","percentage":91,"changed":1700000000000`+more+`}]}`)), more)
		p.applyEvent(partitionID{}, event.ExitCritical, 84, time.UnixMilli(1_700_000_000_001))
		assert.Equal(t, []partitionState{{level: event.Low, percentage: 84}}, p.list(), more)
	}
}

// What a newer release stored is left as it is, and the start fails.
func TestNewerState(t *testing.T) {
	f := func(key string, value []byte, want string) {
		t.Helper()
		store := testkit.NewStorage()
		r := newHarness(t, func(r *harness) { r.Logs = consumertest.NewNop(); withStorage(store)(r) })
		require.Equal(t, http.StatusOK, r.Post(fixture(t, "session-ended.json")))
		require.Equal(t, http.StatusOK, r.Post(fixture(t, "storage-enter-low.json")))
		r.Stop()
		store.Put(key, value)
		values, config := store.Values(), *r.config
		err := startWith(t, &config, r.Host)
		require.ErrorContains(t, err, "storage: ", "%s=%q", key, value)
		require.ErrorContains(t, err, want)
		require.ErrorContains(t, err, "start the newer release again")
		assert.Equal(t, values, store.Values())
		assert.Zero(t, store.Open())
	}
	f("keys", []byte{2, 0, 0}, "they have version 2, this release reads 1")
	f("keys/0", []byte{2, 1, 2}, "they have version 2, this release reads 1")
	f("levels", []byte(`{"version":2,"partitions":"of another kind"}`), "the levels have version 2, this release reads 1")
}

// Of quarantine, only what is in the payload that was refused is lost.
func TestOnlyARefusedPayloadIsLost(t *testing.T) {
	const most = 512
	sink := new(consumertest.LogsSink)
	never := consumererror.NewPermanent(errors.New("schema mismatch"))
	next := &receiverkit.Refusing{Next: sink, Refuse: receiverkit.InTurn(never, nil, never)}
	r := newHarness(t, func(r *harness) { r.Logs = next })
	body := sessionsIn(t, most)
	require.Equal(t, http.StatusOK, r.Post(body))
	lost := r.Counter(recordsMetric, "lost")
	assert.Positive(t, lost)
	assert.Less(t, lost, int64(most)*3/4)
	assert.Equal(t, most-lost, r.Counter(recordsMetric, "malformed"))
	require.Equal(t, http.StatusOK, r.Post(body))
	assert.EqualValues(t, most, r.Counter(recordsMetric, "duplicate"))
}
