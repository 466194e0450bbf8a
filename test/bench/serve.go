// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime/pprof"

	"github.com/legato-otel/legato/internal/testkit/loopback"
)

// The commands a serving process obeys, one a line. It ends when they end, so
// that none is left behind when the client dies.
const (
	// commandReport asks for the CPU time in nanoseconds and the number of delivered records
	// so far.
	commandReport = "report"
	// commandProfile starts the profile, which lasts to the end.
	commandProfile = "profile"
)

// readyFormat is the first line a serving process prints, with its address.
const readyFormat = "ready %s\n"

// reportFormat answers commandReport.
const reportFormat = "used %d delivered %d\n"

// serve is the process the receiver runs in.
func serve(ctx context.Context, name, profile string, commands io.Reader, answers io.Writer) error {
	k, err := kindOf(name)
	if err != nil {
		return fmt.Errorf("-serve: %w", err)
	}
	address, err := loopback.Address()
	if err != nil {
		return err
	}
	var into counter
	served, err := k.start(ctx, address, &into)
	if err != nil {
		return err
	}
	if _, err = fmt.Fprintf(answers, readyFormat, address); err == nil {
		err = obey(k, &into, profile, commands, answers)
	}
	pprof.StopCPUProfile()
	// An interrupt reaches this process too: it must not cut the shutdown short.
	err = errors.Join(err, served.Shutdown(context.WithoutCancel(ctx)))
	if err == nil && k.metrics && into.points.Load() == 0 {
		err = errors.New("no metrics were delivered")
	}
	return err
}

// obey returns when there are no more commands.
func obey(k kind, into *counter, profile string, commands io.Reader, answers io.Writer) error {
	lines := bufio.NewScanner(commands)
	for lines.Scan() {
		var err error
		switch lines.Text() {
		case commandReport:
			err = reportTo(answers, k, into)
		case commandProfile:
			err = startProfile(profile)
		default:
			err = fmt.Errorf("unknown command %q", lines.Text())
		}
		if err != nil {
			return err
		}
	}
	return lines.Err()
}

func reportTo(answers io.Writer, k kind, into *counter) error {
	used, err := cpuTime()
	if err != nil {
		return err
	}
	delivered := into.records.Load()
	if k.receiver == nil {
		delivered = into.posts.Load()
	}
	_, err = fmt.Fprintf(answers, reportFormat, used.Nanoseconds(), delivered)
	return err
}

// startProfile profiles until pprof.StopCPUProfile. The file stays open for as
// long as the process lives, which ends with the profile.
func startProfile(name string) error {
	file, err := os.Create(name)
	if err != nil {
		return err
	}
	return pprof.StartCPUProfile(file)
}
