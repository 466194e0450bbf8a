// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package drill

import (
	"context"
	"errors"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// phase is one run of the simulator in a drill.
type phase struct {
	flags  string
	length time.Duration
}

// watched plays a drill in simulated time, whose bridge is followed after some time, and
// returns the runs of the simulator. With stop, the drill is stopped after that time.
func watched(t *testing.T, name string, followed, stop time.Duration, change func(*Settings)) (phases []phase, lines []string, err error) {
	t.Helper()
	target, err := url.Parse("http://collector:8080/cdr")
	require.NoError(t, err)
	var mu sync.Mutex // the report that the bridge is followed comes from another goroutine
	s := Settings{
		Target: target, Events: "bridge:8451", Settle: time.Minute, FollowWithin: 5 * time.Minute, Recover: 20 * time.Minute,
		Report: func(line string) {
			mu.Lock()
			defer mu.Unlock()
			lines = append(lines, line)
		},
		Simulate: func(ctx context.Context, call func(), flags ...string) error {
			began := time.Now()
			if call != nil {
				timer := time.AfterFunc(followed, call)
				defer timer.Stop()
			}
			<-ctx.Done()
			phases = append(phases, phase{strings.Join(flags, " "), time.Since(began)})
			return nil
		},
	}
	change(&s)
	ctx := t.Context()
	if stop > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, stop)
		defer cancel()
	}
	d, found := Find(name)
	require.True(t, found)
	err = d.Run(ctx, s)
	mu.Lock()
	defer mu.Unlock()
	return phases, slices.Clone(lines), err
}

const healthyBridge = "-live -bridges 1 -events bridge:8451 -target http://collector:8080/cdr"

// A drill waits until its bridge is followed, lets it be in good health, then not, and then
// again.
func TestSimulated(t *testing.T) {
	twoBridges := strings.Replace(healthyBridge, "-bridges 1", "-bridges 2", 1)
	for name, want := range map[string][]phase{
		"silent":      {{healthyBridge, 63 * time.Second}, {healthyBridge + " -faults silent=5s", 13 * time.Minute}, {healthyBridge, 20 * time.Minute}},
		"database":    {{twoBridges, 63 * time.Second}, {twoBridges + " -faults database", 7 * time.Minute}, {twoBridges, 20 * time.Minute}},
		"api-alarm":   {{healthyBridge, 63 * time.Second}, {healthyBridge + " -target http://localhost:1/cdr", 7 * time.Minute}, {healthyBridge, 20 * time.Minute}},
		"events-down": {{healthyBridge, 63 * time.Second}, {healthyBridge, 20 * time.Minute}},
	} {
		synctest.Test(t, func(t *testing.T) {
			began := time.Now()
			phases, lines, err := watched(t, name, 3*time.Second, 0, func(*Settings) {})
			require.NoError(t, err)
			assert.Equal(t, want, phases, name)
			assert.Len(t, lines, 4)
			length := time.Duration(0)
			for _, p := range want {
				length += p.length
			}
			if name == "events-down" {
				length += standardHold // in which nothing runs
			}
			assert.Equal(t, length, time.Since(began), name)
		})
	}
}

// A bridge that no Collector follows ends the drill with an error that names its address.
func TestNotFollowed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		phases, _, err := watched(t, "licence", time.Hour, 0, func(*Settings) {})
		assert.ErrorContains(t, err, "no Collector followed the bridge at bridge:8451 within 5m0s")
		assert.Equal(t, []phase{{healthyBridge, 5 * time.Minute}}, phases)
	})
}

// A drill that is stopped before its failure is over has failed. Afterwards it has not: until
// then it stays.
func TestStopped(t *testing.T) {
	for stop, failed := range map[time.Duration]bool{time.Second: true, 30 * time.Second: true, 2 * time.Minute: true, time.Hour: false} {
		synctest.Test(t, func(t *testing.T) {
			began := time.Now()
			_, _, err := watched(t, "licence", 3*time.Second, stop, func(s *Settings) { s.Recover = 0 })
			assert.Equal(t, failed, err != nil, "%s: %v", stop, err)
			assert.Equal(t, stop, time.Since(began))
		})
	}
}

// What the simulator fails of is the error of the drill.
func TestSimulatorFails(t *testing.T) {
	fails := errors.New("-events: address in use")
	_, _, err := watched(t, "events-down", 0, 0, func(s *Settings) {
		s.Simulate = func(context.Context, func(), ...string) error { return fails }
	})
	assert.ErrorIs(t, err, fails)
}

// Each setting is that of a drill, and has a flag.
func TestFlags(t *testing.T) {
	used := map[string]bool{}
	for _, d := range All {
		assert.NotEmpty(t, d.Flags())
		used[d.Flags()] = true
	}
	assert.Len(t, used, 6)
}
