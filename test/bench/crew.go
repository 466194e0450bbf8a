// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"os"
	"path/filepath"

	"go.opentelemetry.io/collector/pdata/plog"
)

// crew is the workers of one measurement.
type crew []*worker

func (c *crew) start(ctx context.Context, s setup) (*worker, error) {
	w, err := startWorker(ctx, s)
	if err == nil {
		*c = append(*c, w)
	}
	return w, err
}

// stop ends all of them. What went wrong before comes first.
func (c *crew) stop(errs error) error {
	for _, w := range *c {
		errs = errors.Join(errs, w.stop())
	}
	return errs
}

// corpus is callsim's records: as it writes them, and as the receivers make
// them, in a file that workers read. world is that of the Meeting Servers alone.
type corpus struct {
	file    string
	records [][]byte
	world   *world
}

// newCorpus simulates the records and puts the file into a directory.
func newCorpus(ctx context.Context, directory string) (*corpus, error) {
	progress("making the records")
	eventLog, truth := filepath.Join(directory, "event.log"), filepath.Join(directory, "truth.json")
	records, err := simulatedRecords(ctx, "-ocms", eventLog, "-truth", truth)
	if err != nil {
		return nil, err
	}
	t, err := newTraffic(ctx, records, largestBatch)
	if err != nil {
		return nil, err
	}
	all := plog.NewLogs()
	for _, logs := range t.logs {
		logs.ResourceLogs().MoveAndAppendTo(all.ResourceLogs())
	}
	accounted, err := readEventLog(ctx, eventLog, truth)
	if err != nil {
		return nil, err
	}
	accounted.ResourceLogs().MoveAndAppendTo(all.ResourceLogs())
	encoded, err := new(plog.ProtoMarshaler).MarshalLogs(all)
	if err != nil {
		return nil, err
	}
	c := &corpus{file: filepath.Join(directory, "records.otlp"), records: records}
	if c.world, err = newWorld(all, false); err != nil {
		return nil, err
	}
	return c, os.WriteFile(c.file, encoded, 0o600)
}
