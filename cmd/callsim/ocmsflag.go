// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"flag"
	"fmt"

	"github.com/legato-otel/legato/cmd/callsim/internal/accounting"
)

// ocmsOptions are the flags about the SIP proxy in front of the bridges.
type ocmsOptions struct {
	path    string
	maxSize int64
}

func (o *ocmsOptions) flags(fs *flag.FlagSet) {
	fs.StringVar(&o.path, "ocms", "", "simulate an OCMS as the SIP proxy of the bridges: append its accounting events to this `file`")
	fs.Int64Var(&o.maxSize, "ocms-max-size", 100_000_000, "rename the file of -ocms to .1, .1 to .2 and so on to .10 at this many `bytes`")
}

func (o *ocmsOptions) check() error {
	const least = 1000
	if o.maxSize < least {
		return fmt.Errorf("-ocms-max-size: must be at least %d, got \"%d\"", least, o.maxSize)
	}
	return nil
}

// openAccounting opens the event log, if one is wanted.
func (c *cluster) openAccounting() (err error) {
	if c.opts.ocms.path == "" {
		return nil
	}
	c.accounting, err = accounting.Open(accounting.Options{Seed: c.opts.seed, Path: c.opts.ocms.path, MaxSize: c.opts.ocms.maxSize})
	if err != nil {
		return fmt.Errorf("-ocms: %w", err)
	}
	return nil
}

func (c *cluster) closeAccounting() error {
	if c.accounting == nil {
		return nil
	}
	if err := c.accounting.Close(); err != nil {
		return fmt.Errorf("-ocms: %w", err)
	}
	return nil
}
