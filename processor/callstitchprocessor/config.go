// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package callstitchprocessor

import (
	"errors"
	"fmt"
	"time"

	"go.opentelemetry.io/collector/component"

	"github.com/legato-otel/legato/internal/otel/durations"
)

// Config of the callstitch processor.
type Config struct {
	// Linger is how long an object waits for late records after its end record.
	//
	// Default 10 s.
	Linger time.Duration `mapstructure:"linger"`

	// MaxOpen is how long an object may be open before it expires, and how long an emitted one
	// is remembered. Default 24 h.
	MaxOpen time.Duration `mapstructure:"max_open"`

	// ClockTolerance is the largest difference between the clocks of two Call Bridges. Calls
	// of one conference with a smaller gap between them count as overlapping. Default 5 s.
	ClockTolerance time.Duration `mapstructure:"clock_tolerance"`

	// MaxObjects bounds the calls, legs, recordings, streamings, sessions and
	// tracks that are held, remembered ones included. Default 1000000.
	MaxObjects int `mapstructure:"max_objects"`

	// Storage names the storage extension that keeps the state over a restart. Without it, a
	// stop emits open objects as incomplete, and a crash loses them. Optional.
	Storage *component.ID `mapstructure:"storage"`

	// ShutdownTimeout bounds a stop. Without storage, refused stitched records are retried
	// until then. Stitched records that are not sent by then are stored or, without storage,
	// lost. Default 5 s.
	ShutdownTimeout time.Duration `mapstructure:"shutdown_timeout"`

	// prevent unkeyed literal initialization
	_ struct{}
}

var _ component.Config = (*Config)(nil)

// leastDurations are the least values of the processor's own durations.
var leastDurations = durations.Bounds{
	"linger":           {AtLeast: durations.Min},
	"max_open":         {AtLeast: durations.Min},
	"clock_tolerance":  {AtLeast: durations.Min, Zero: "for clocks that agree"},
	"shutdown_timeout": {AtLeast: durations.Min},
}

func createDefaultConfig() component.Config {
	return &Config{
		Linger:         10 * time.Second,
		MaxOpen:        24 * time.Hour,
		ClockTolerance: 5 * time.Second,
		MaxObjects:     1_000_000,

		ShutdownTimeout: 5 * time.Second,
	}
}

// minObjects is the least MaxObjects, because one request may contain many objects.
const minObjects = 1000

// Validate checks the configuration and changes nothing.
func (c *Config) Validate() error {
	errs := []error{durations.Check(c, leastDurations)}
	if c.MaxOpen < c.Linger {
		errs = append(errs, fmt.Errorf("max_open must not be less than linger, got %s and %s: make it longer than the longest call", c.MaxOpen, c.Linger))
	}
	if c.MaxObjects < minObjects {
		errs = append(errs, fmt.Errorf("max_objects must be at least %d, got %d: leave it out for the default", minObjects, c.MaxObjects))
	}
	return errors.Join(errs...)
}
