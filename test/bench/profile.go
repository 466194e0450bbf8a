// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// profiledStitchers can be profiled besides the receivers: callstitch without and with its
// state on the disk.
var profiledStitchers = []string{callstitch, callstitch + "+storage"}

// profileStitcher makes one run of the records part with a profile.
func profileStitcher(ctx context.Context, o options) (err error) {
	directory, err := os.MkdirTemp(o.directory, "bench")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(directory)) }()
	c, err := newCorpus(ctx, directory)
	if err != nil {
		return err
	}
	s := setup{Job: "logs", Kind: callstitch, Corpus: c.file, Open: o.profileLegs, Directory: directory}
	if s.Profile, err = filepath.Abs(o.profile); err != nil {
		return err
	}
	if o.profileKind != callstitch {
		s.Store = storeFile
	}
	progress("opening %s legs", thousands(s.Open))
	run := order{Do: "run", Time: o.time, Batch: o.profileBatch}
	a, err := once(ctx, s, order{Do: "fill", Batch: 500}, run, order{Do: "profile"}, run)
	if err != nil {
		return err
	}
	_, err = fmt.Printf("%s, %s legs open, %d records a call: %.2f us/record with making it, profile in %s\n",
		o.profileKind, thousands(s.Open), o.profileBatch, microseconds(a.Used, a.Records), o.profile)
	return err
}
