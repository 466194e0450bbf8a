// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package callstitchprocessor

import (
	"sync"

	"github.com/legato-otel/legato/internal/stitch"
)

// state is the engine with what guards it.
type state struct {
	clock clock

	// mu guards the engine and everything that says so. It is held for a bounded
	// piece of work, never while something is consumed or stored.
	mu     sync.Mutex
	engine *stitch.Engine
}

func newState(config *Config) *state {
	return &state{clock: newClock(), engine: stitch.New(stitch.Options{
		Linger:         config.Linger,
		MaxOpen:        config.MaxOpen,
		ClockTolerance: config.ClockTolerance,
		MaxObjects:     config.MaxObjects,
		Stored:         config.Storage != nil,
	})}
}

// stats returns the engine's counts.
func (s *state) stats() stitch.Stats {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.engine.Stats()
}
