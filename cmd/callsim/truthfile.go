// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"
	"fmt"
	"os"

	"github.com/legato-otel/legato/cmd/callsim/internal/truth"
)

// truthFile is the truth file; nil without -truth. It is created first under a temporary
// name and renamed when it is complete, so that no reader sees half of it.
type truthFile struct {
	path string
	part *os.File
}

func openTruth(path string) (*truthFile, error) {
	if path == "" {
		return nil, nil //nolint:nilnil // no file is a valid file to write nothing to
	}
	part, err := os.Create(path + ".part")
	if err != nil {
		return nil, fmt.Errorf("-truth: %w", err)
	}
	return &truthFile{path: path, part: part}, nil
}

// write writes the truth about the part of the scenario that has happened.
func (f *truthFile) write(c *cluster) error {
	if f == nil {
		return nil
	}
	accounts := make([]truth.Account, len(c.queues))
	for i, q := range c.queues {
		accounts[i] = truth.Account{Sessions: q.Reports(), Acknowledged: q.Acknowledged(), Garbage: q.Garbage()}
	}
	t := c.witness.Truth(c.opts.seed, accounts)
	if c.events != nil {
		t.Events = c.witness.Events(c.events.Accounts())
	}
	if c.mediasense != nil {
		t.MediaSense = c.witness.MediaSense(c.mediasense.Report(), c.recordings.Disks(), c.recordings.Refused())
	}
	if c.accounting != nil {
		report := c.accounting.EventLog()
		t.OCMS = &report
	}
	if c.syslog != nil {
		report := c.syslog.Report()
		t.Syslog = &report
	}
	err := t.Write(f.part)
	if err = errors.Join(err, f.part.Close()); err != nil {
		return fmt.Errorf("-truth: %w", err)
	}
	return os.Rename(f.part.Name(), f.path)
}
