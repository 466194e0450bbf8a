// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

// Command bench measures what a record costs on its whole way: a POST over
// loopback HTTP, through a real receiver, into a consumer that does nothing.
// It sets the cmscdr receiver against the collector's OTLP receiver with the
// same records, and against an HTTP server that only reads the body.
//
//	go run ./test/bench
//	go run ./test/bench -cpuprofile cpu.out -profile-kind cdr -profile-batch 50 -time 10s
//
// The unit is the CPU time (user and system, garbage collection included) of
// the process the receiver runs in. Wall time would measure the neighbours. The
// program runs itself once more for each run, as that process, and is the
// client: four keep-alive connections, each posting as soon as it was answered.
//
// Even CPU time per record differs from machine to machine and from minute to
// minute. So all kinds of receivers take turns within a round, a ratio is taken
// between runs of the same round only, and the result is the median of the
// rounds. A missed goal is no failure of the program: it exits with 0 whenever
// it could measure.
//
// A receiver alone keeps next to nothing in memory, so that its garbage is
// collected far more often than in a collector with queues and other pipelines,
// which flatters whoever makes less garbage. GOGC in the environment reaches
// the receiver's process: GOGC=400 shows what is left when collection is rare.
//
// Nothing counts that was not delivered: after each run the records the
// consumer was given are compared with those sent.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"slices"
	"strings"
	"time"
)

// options are the flags.
type options struct {
	rounds       int
	time, warmUp time.Duration
	profile      string
	profileKind  string
	profileBatch int
	profileLegs  int
	serve        string
	work         string
	mostOpen     int
	mostTraces   int
	directory    string
	parts        []string
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err := run(ctx, os.Args[1:])
	stop()
	if err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string) error {
	o, err := parseOptions(args)
	switch {
	case err != nil:
		return err
	case o.serve != "":
		return serve(ctx, o.serve, o.profile, os.Stdin, os.Stdout)
	case o.work != "":
		return work(ctx, o.work, os.Stdin, os.Stdout)
	case o.profile != "" && slices.Contains(profiledStitchers, o.profileKind):
		return profileStitcher(ctx, o)
	case o.profile != "":
		return profile(ctx, o)
	default:
		return benchParts(ctx, o)
	}
}

func parseOptions(args []string) (o options, err error) {
	var list string
	fs := flag.NewFlagSet("bench", flag.ContinueOnError)
	fs.StringVar(&list, "part", "", "measure only these parts, a `list` with commas: "+strings.Join(partNames(), ", "))
	fs.IntVar(&o.rounds, "rounds", 5, "measure everything this many times; fewer than 5 say little")
	fs.DurationVar(&o.time, "time", 1500*time.Millisecond, "post for this long in each run")
	fs.DurationVar(&o.warmUp, "warm-up", 300*time.Millisecond, "post for this long before each run, unmeasured")
	fs.StringVar(&o.profile, "cpuprofile", "", "measure nothing, but write a CPU profile of one run to this `file`")
	fs.StringVar(&o.profileKind, "profile-kind", "cdr", "profile this `kind`, a receiver or callstitch: "+kindNames()+", "+strings.Join(profiledStitchers, ", "))
	fs.IntVar(&o.profileLegs, "profile-legs", comparedAt, "profile callstitch with this many legs open")
	fs.IntVar(&o.profileBatch, "profile-batch", 50, "profile with this many records in a post: 1, 10 or 50")
	fs.StringVar(&o.serve, "serve", "", "internal: be the receiver of this `kind`, controlled over stdin")
	fs.StringVar(&o.work, "work", "", "internal: be the worker with this `setup`, controlled over stdin")
	fs.IntVar(&o.mostOpen, "most-legs", 1_000_000, "open at most this many legs")
	fs.IntVar(&o.mostTraces, "most-traces", 100_000, "have at most this many traces in the processors callstitch is set against; a million take 12 GB")
	fs.StringVar(&o.directory, "dir", "", "put files into this `directory`; it should be on a disk, not in memory (default: the system's for temporary files)")
	if err := fs.Parse(args); err != nil {
		return o, err
	}
	if fs.NArg() > 0 {
		return o, fmt.Errorf("unexpected argument %q", fs.Arg(0))
	}
	if o.parts, err = chosen(list); err != nil {
		return o, fmt.Errorf("-part: %w", err)
	}
	return o, o.check()
}

func (o *options) check() error {
	if o.rounds < 1 {
		return fmt.Errorf("-rounds: must be at least 1, got \"%d\"", o.rounds)
	}
	// The system counts CPU time in steps of some milliseconds.
	if o.time < 100*time.Millisecond || o.time > time.Minute {
		return fmt.Errorf("-time: must be from 100ms to 1m, got %q", o.time)
	}
	if o.warmUp <= 0 || o.warmUp > time.Minute {
		return fmt.Errorf("-warm-up: must be above 0 and at most 1m, got %q", o.warmUp)
	}
	if o.profile == "" {
		return nil
	}
	if _, err := kindOf(o.profileKind); err != nil && !slices.Contains(profiledStitchers, o.profileKind) {
		return fmt.Errorf("-profile-kind: %w", err)
	}
	if !isBatch(o.profileBatch) {
		return fmt.Errorf("-profile-batch: must be one of %v, got \"%d\"", batches, o.profileBatch)
	}
	return nil
}
