// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package callstitchprocessor

import (
	"sync"
	"time"

	"github.com/legato-otel/legato/internal/stitch"
)

// state is the engine and its lock.
type state struct {
	clock clock

	// mu guards the engine and all fields documented so. It is held for a bounded amount of
	// work, never while data is consumed or stored.
	mu     sync.Mutex
	engine *stitch.Engine

	room chan struct{} // guarded by mu: closed and replaced when objects were emitted
}

// signalRoom wakes the requests that wait for room. The caller holds mu.
func (s *state) signalRoom() {
	close(s.room)
	s.room = make(chan struct{})
}

func newState(config *Config) *state {
	return &state{clock: newClock(), room: make(chan struct{}), engine: stitch.New(stitch.Options{
		Linger:         config.Linger,
		MaxOpen:        config.MaxOpen,
		ClockTolerance: config.ClockTolerance,
		MaxObjects:     config.MaxObjects,
		Stored:         config.Storage != nil,
	})}
}

// pendingAge returns how long the oldest stitched record has been pending.
func (s *state) pendingAge() time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	since, ok := s.engine.PendingSince()
	if !ok {
		return 0
	}
	return max(0, s.clock.now().Sub(since))
}

// stats returns the engine's counts.
func (s *state) stats() stitch.Stats {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.engine.Stats()
}
