// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package callstitchprocessor

import (
	"errors"
	"fmt"
	"time"

	"go.opentelemetry.io/collector/component"
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

func createDefaultConfig() component.Config {
	return &Config{
		Linger:         10 * time.Second,
		MaxOpen:        24 * time.Hour,
		ClockTolerance: 5 * time.Second,
		MaxObjects:     1_000_000,

		ShutdownTimeout: 5 * time.Second,
	}
}

const (
	// minDelay is the least duration. A number without a unit is in nanoseconds, which is
	// never intended.
	minDelay = 10 * time.Millisecond
	// minObjects is the least MaxObjects, because one request may contain many objects.
	minObjects = 1000
)

// Validate checks the configuration and changes nothing.
func (c *Config) Validate() error {
	var errs []error
	if c.Linger < minDelay {
		errs = append(errs, fmt.Errorf("linger must be at least %s, got %s: write it with a unit, as 10s", minDelay, c.Linger))
	}
	if c.MaxOpen < minDelay {
		errs = append(errs, fmt.Errorf("max_open must be at least %s, got %s: write it with a unit, as 24h", minDelay, c.MaxOpen))
	}
	if c.MaxOpen < c.Linger {
		errs = append(errs, fmt.Errorf("max_open must not be less than linger, got %s and %s: make it longer than the longest call", c.MaxOpen, c.Linger))
	}
	if c.ClockTolerance < 0 {
		errs = append(errs, fmt.Errorf("clock_tolerance must not be negative, got %s: 0s is for clocks that agree", c.ClockTolerance))
	}
	if c.MaxObjects < minObjects {
		errs = append(errs, fmt.Errorf("max_objects must be at least %d, got %d: leave it out for the default", minObjects, c.MaxObjects))
	}
	if c.ShutdownTimeout <= 0 {
		errs = append(errs, fmt.Errorf("shutdown_timeout must be positive, got %s: leave it out for the default", c.ShutdownTimeout))
	}
	return errors.Join(errs...)
}
