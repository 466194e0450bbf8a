// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

// Command bench measures the cost of a record on its way through the project's components, and
// its memory and disk space, in comparison with well-known components. Each part has a table
// of its own:
//
//	receiver   CPU per record from a POST over HTTP on: cmscdr beside the OTLP
//	           receiver with the same records, and a server that only reads the body
//	records    CPU per record of callstitch beside groupbytrace and tail_sampling
//	           per span, with as many legs open as there are traces in flight
//	memory     bytes of an open leg and of a trace, CPU of a collection of garbage
//	stalls     the longest calls of callstitch while its state grows and goes
//	growth     cmscdr and callstitch over HTTP, with few and with many legs open
//	pipeline   the distribution as it is shipped, under the load of many bridges:
//	           how late an answer is, and how far behind the backend or the archive
//	capacity   the distribution as it is installed, with TLS: more records a second
//	           until it carries no more
//	storage    records a second with the state on the disk, beside an append log
//	archive    rows a second into SQLite and PostgreSQL, beside bare INSERT and COPY
//	page       how long the pages of a full call archive take
//	restart    how long the state takes to be there again
//	events     CPU per frame of cmsevents beside gorilla/websocket with
//	           encoding/json, heap of a participant, time to follow a bridge again
//
//	go run ./test/bench
//	go run ./test/bench -part records,memory -most-legs 100000
//	go run ./test/bench -cpuprofile cpu.out -profile-kind cdr -profile-batch 50 -time 10s
//	go run ./test/bench -cpuprofile cpu.out -profile-kind callstitch -profile-legs 100000 -time 10s
//	go run ./test/bench -cpuprofile cpu.out -profile-kind distribution -bridges 1000 -rate 2500
//
// The unit is the CPU time (user and system, garbage collection included) of
// the process under measurement. Wall time would measure the
// neighbours; it is used for stalls, which are reported beside those of a loop that
// does nothing, and where the disk is waited for. The program runs itself once
// more for each thing that is measured, as that process.
//
// Even CPU time per record differs from machine to machine and from minute to
// minute. So all kinds take turns within a round, a ratio is taken between runs
// of the same round only, and the result is the median of the rounds. A missed
// goal is no failure of the program: it exits with 0 whenever it could measure.
//
// What it costs to make the records is measured without a processor and taken off. The process
// without one holds as many bytes as the other, so that both collect their garbage as often. A
// receiver alone keeps next to nothing in memory. Its garbage is therefore collected far more
// often than in a collector with queues and other pipelines, which favours the component with
// less garbage. GOGC in the environment reaches all processes: GOGC=400 shows the cost when
// collection is rare. The Collector of the pipeline and the capacity part has the GOGC of the
// packages, unless the environment has another.
//
// Nothing counts that was not delivered: after each run the records that the consumer got are
// compared with those that were sent, and every ended leg must have a complete stitched
// record.
//
// # Where things are
//
//	main.go, parts.go        flags; the list of the parts
//	measure.go to serve.go   the receiver part: kinds, load, report, its process
//	part_*.go                the other parts: plan, rounds, report
//	worker.go, job_*.go      their processes: orders, answers, what is done
//	world.go, stream.go      the legs that live, and in which order
//	dialogs.go               the SIP calls of legs, from callsim's event log
//	logs.go, posts.go        their records as log records, and as posts
//	spans.go                 the traces the others get
//	processors.go, rawlog.go what is measured
//	openloop.go              the load of many bridges, whatever the answers
//	distribution.go          the Collector that they post to
//	backend.go               where it sends the records: OTLP, rows
//	bridge.go                the Call Bridge whose events are followed
//	store.go, sink.go        what is around it: storage, consumer
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

	"github.com/legato-otel/legato/internal/archive/store"
)

// options are the flags.
type options struct {
	parts        []string
	rounds       int
	time, warmUp time.Duration
	mostOpen     int
	mostTraces   int
	loadTime     time.Duration
	rate         int
	rateGiven    bool
	bridges      int
	deployment   string
	driver       string
	directory    string

	profile      string
	profileKind  string
	profileBatch int
	profileLegs  int

	serve, work string // role of this process, if it is not the first
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
	case o.profile != "" && o.profileKind == profiledDistribution:
		return profileDistribution(ctx, o)
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
	fs.IntVar(&o.rounds, "rounds", 5, "measure everything this many times, what takes long half as often; fewer than 5 say little")
	fs.DurationVar(&o.time, "time", 1500*time.Millisecond, "post for this long in each run")
	fs.DurationVar(&o.warmUp, "warm-up", 300*time.Millisecond, "post for this long before each run, unmeasured")
	fs.IntVar(&o.mostOpen, "most-legs", 1_000_000, "open at most this many legs")
	fs.IntVar(&o.mostTraces, "most-traces", 100_000, "have at most this many traces in groupbytrace and tail_sampling; a million take 12 GB")
	fs.DurationVar(&o.loadTime, "load-time", 10*time.Second, "load the pipeline for this long in each run")
	fs.IntVar(&o.rate, "rate", 2500, "load the pipeline with this many records a second; capacity with this rate alone")
	fs.IntVar(&o.bridges, "bridges", 0, "load the pipeline with this many bridges only (default: 300, then 1000; capacity 100, 300, 1000)")
	fs.StringVar(&o.deployment, "deployment", "", "load only the configurations with this `text` in their names")
	fs.StringVar(&o.driver, "driver", "", "make pages of an archive in this `database` only: "+strings.Join(store.Drivers(), ", "))
	fs.StringVar(&o.directory, "dir", "", "put files into this `directory`; it should be on a disk, not in memory (default: the system's for temporary files)")
	fs.StringVar(&o.profile, "cpuprofile", "", "measure nothing, but write a CPU profile of one run to this `file`")
	fs.StringVar(&o.profileKind, "profile-kind", "cdr", "profile this `kind`: "+kindNames()+", "+strings.Join(profiledStitchers, ", ")+", "+profiledDistribution)
	fs.IntVar(&o.profileBatch, "profile-batch", 50, "profile with this many records in a post or call: 1, 10 or 50")
	fs.IntVar(&o.profileLegs, "profile-legs", comparedAt, "profile callstitch with this many legs open")
	fs.StringVar(&o.serve, "serve", "", "internal: be the receiver of this `kind`, controlled over stdin")
	fs.StringVar(&o.work, "work", "", "internal: be the worker with this `setup`, controlled over stdin")
	if err := fs.Parse(args); err != nil {
		return o, err
	}
	fs.Visit(func(f *flag.Flag) { o.rateGiven = o.rateGiven || f.Name == "rate" })
	if fs.NArg() > 0 {
		return o, fmt.Errorf("unexpected argument %q", fs.Arg(0))
	}
	if o.parts, err = chosen(list); err != nil {
		return o, fmt.Errorf("-part: %w", err)
	}
	return o, o.check()
}

// leastOpen is the smallest count of legs a part is made for.
const leastOpen = 1_000

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
	if o.mostOpen < leastOpen || o.mostTraces < 0 {
		return fmt.Errorf("-most-legs, -most-traces: must be at least %d and 0, got \"%d\" and \"%d\"", leastOpen, o.mostOpen, o.mostTraces)
	}
	if o.loadTime < time.Second || o.rate < 1 || o.bridges < 0 {
		return fmt.Errorf("-load-time, -rate, -bridges: must be at least 1s, 1 and 0, got %q, \"%d\" and \"%d\"", o.loadTime, o.rate, o.bridges)
	}
	if o.driver != "" && !slices.Contains(store.Drivers(), o.driver) {
		return fmt.Errorf("-driver: must be one of %v, got %q", store.Drivers(), o.driver)
	}
	if o.profile == "" {
		return nil
	}
	if o.profileLegs < 1 {
		return fmt.Errorf("-profile-legs: must be at least 1, got \"%d\"", o.profileLegs)
	}
	if _, err := kindOf(o.profileKind); err != nil && o.profileKind != profiledDistribution && !slices.Contains(profiledStitchers, o.profileKind) {
		return fmt.Errorf("-profile-kind: %w", err)
	}
	if !isBatch(o.profileBatch) {
		return fmt.Errorf("-profile-batch: must be one of %v, got \"%d\"", batches, o.profileBatch)
	}
	return nil
}
