// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"net/url"
	"time"

	"github.com/legato-otel/legato/cmd/callsim/internal/recording"
	"github.com/legato-otel/legato/cmd/callsim/internal/scenario"
)

// options are the flags after they were checked.
type options struct {
	target      *url.URL // nil for none
	registered  bool     // the bridges post to a client that registers
	seed        uint64
	bridges     int
	unclustered bool
	meetings    int
	speed       float64
	start       time.Time
	live        bool
	maxBatch    int
	buffer      int
	retry       time.Duration
	timeout     time.Duration
	giveUp      time.Duration
	faults      faults
	truth       string
	print       bool
	playFor     time.Duration
	crowd       string
	crowds      int
	crowdSize   int
	events      eventsOptions
	mediasense  mediasenseOptions
	ocms        ocmsOptions
	syslog      syslogOptions
	tls         tlsOptions
}

// fixedStart is when the scenario begins unless it learns live.
var fixedStart = time.Date(2026, time.January, 5, 8, 0, 0, 0, time.UTC)

// parseOptions reads the flags. An error names the flag and its value.
func parseOptions(args []string, stderr io.Writer) (options, error) {
	var (
		o             options
		target, start string
	)
	fs := o.flags(&target, &start)
	if err := fs.Parse(args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			fs.SetOutput(stderr)
			fs.Usage()
		}
		return o, err
	}
	if fs.NArg() > 0 {
		return o, fmt.Errorf("unexpected argument %q", fs.Arg(0))
	}
	if err := o.faults.parse(); err != nil {
		return o, err
	}
	if err := o.tls.load(); err != nil {
		return o, err
	}
	given := map[string]bool{}
	fs.Visit(func(f *flag.Flag) { given[f.Name] = true })
	o.goLive(given)
	return o, o.check(target, start)
}

// flags declares the flags with their defaults.
func (o *options) flags(target, start *string) *flag.FlagSet {
	fs := flag.NewFlagSet("callsim", flag.ContinueOnError)
	fs.SetOutput(io.Discard) // run prints the error, without the usage
	fs.StringVar(target, "target", "http://localhost:8080/cdr", "post to this `URL`, with system_id=<name> appended to its query; with -events, MediaSense, -ocms or -syslog, none sends no records; with -events, registered sends them to whoever registers by the API")
	fs.Uint64Var(&o.seed, "seed", 1, "choose everything that is left to chance (with -live: another one each time)")
	fs.IntVar(&o.bridges, "bridges", 3, "simulate this many Call Bridges")
	fs.BoolVar(&o.unclustered, "unclustered", false, "let the last bridge stand alone, without callBridge")
	fs.IntVar(&o.meetings, "meetings", 20, "stop after this many meetings; 0 means never (with -live: 0)")
	fs.Float64Var(&o.speed, "speed", 0, "simulated seconds per second; 0 means as fast as acknowledged (with -live: 1)")
	fs.StringVar(start, "start", "", "simulated start as an RFC 3339 `time` (default 2026-01-05T08:00:00Z, with -live: now)")
	fs.BoolVar(&o.live, "live", false, "demonstration: now, in real time, without end, short calls")
	fs.IntVar(&o.maxBatch, "max-batch", 50, "send at most this many records in one POST")
	fs.IntVar(&o.buffer, "buffer", 1000, "keep at most this many records per bridge, then drop the oldest unsent ones (with -speed 0: then wait)")
	fs.DurationVar(&o.retry, "retry", time.Second, "wait this long before a batch is sent again")
	fs.DurationVar(&o.timeout, "timeout", 10*time.Second, "wait this long for an answer")
	fs.DurationVar(&o.giveUp, "give-up", 0, "fail unless everything is acknowledged after this long; 0 means never")
	fs.StringVar(&o.faults.text, "faults", "", "comma-separated `list` of "+faultUsage)
	fs.StringVar(&o.truth, "truth", "", "write what a perfect observer must conclude to this `file`, when the simulation ends or is stopped")
	fs.DurationVar(&o.playFor, "play-for", 0, "stop after this much simulated time, in the middle of meetings; 0 means to the end")
	fs.StringVar(&o.crowd, "crowd", "", "`MxP`: M more meetings of P people each go on for the first hour")
	o.tls.flags(fs)
	o.events.flags(fs)
	o.mediasense.flags(fs)
	o.ocms.flags(fs)
	o.syslog.flags(fs)
	fs.BoolVar(&o.print, "print", false, "print the bodies instead of posting them")
	return fs
}

// goLive sets the defaults of a demonstration, as far as no flag does.
func (o *options) goLive(given map[string]bool) {
	o.start = fixedStart
	if !o.live {
		return
	}
	o.start = time.Now().UTC().Truncate(time.Second)
	if !given["seed"] {
		// The sessions of the last demonstration would look like duplicates.
		o.seed = uint64(time.Now().UnixNano())
	}
	if !given["meetings"] {
		o.meetings = 0
	}
	if !given["speed"] {
		o.speed = 1
	}
}

// check validates the options beyond the checks of package flag.
func (o *options) check(target, start string) error {
	var err error
	o.registered = target == "registered" && o.events.listen != ""
	if o.registered || target == "none" && (o.events.listen != "" || o.mediasense.wanted() || o.ocms.path != "" || o.syslog.wanted()) {
		o.target = nil
	} else if o.target, err = url.Parse(target); err != nil || o.target.Host == "" ||
		o.target.Scheme != "http" && o.target.Scheme != "https" {
		return fmt.Errorf("-target: must be an http or https URL, got %q", target)
	}
	if start != "" {
		if o.start, err = time.Parse(time.RFC3339, start); err != nil {
			return fmt.Errorf("-start: must be an RFC 3339 time, got %q", start)
		}
	}
	for _, bound := range []struct {
		flag  string
		value float64
		least float64
	}{
		{"-bridges", float64(o.bridges), 1},
		{"-meetings", float64(o.meetings), 0},
		{"-speed", o.speed, 0},
		{"-max-batch", float64(o.maxBatch), 1},
	} {
		if !(bound.value >= bound.least) {
			return fmt.Errorf("%s: must be at least %g, got \"%g\"", bound.flag, bound.least, bound.value)
		}
	}
	if o.buffer <= o.maxBatch {
		return fmt.Errorf("-buffer: must be more than -max-batch (%d), got \"%d\"", o.maxBatch, o.buffer)
	}
	if o.crowd != "" {
		if n, err := fmt.Sscanf(o.crowd+" ", "%dx%d ", &o.crowds, &o.crowdSize); n != 2 || err != nil || o.crowds < 1 || o.crowdSize < 1 {
			return fmt.Errorf("-crowd: must be two numbers of at least 1 as in 100x20, got %q", o.crowd)
		}
	}
	if err := o.events.check(o.bridges, o.print, o.faults); err != nil {
		return err
	}
	if err := o.mediasense.check(o.print, o.faults); err != nil {
		return err
	}
	if err := o.ocms.check(); err != nil {
		return err
	}
	if err := o.syslog.check(); err != nil {
		return err
	}
	return o.checkDurations()
}

func (o *options) checkDurations() error {
	for _, d := range []struct {
		flag  string
		value time.Duration
		least time.Duration
	}{
		{"-retry", o.retry, 0},
		{"-timeout", o.timeout, time.Millisecond},
		{"-give-up", o.giveUp, 0},
		{"-play-for", o.playFor, 0},
		{"-events-ack", o.events.ack, time.Millisecond},
		{"-linger-events", o.events.linger, 0},
		{"-mediasense-retry", o.mediasense.retry, 0},
		{"-linger-mediasense", o.mediasense.linger, 0},
	} {
		if d.value < d.least {
			return fmt.Errorf("%s: must be at least %s, got %q", d.flag, d.least, d.value)
		}
	}
	return nil
}

// scenario is the scenario the options ask for.
func (o *options) scenario() scenario.Config {
	estate := uint64(0)
	if o.live {
		// A second demonstration is a restart of the same bridges: calls of the first one have
		// ended then.
		estate = 1
	}
	return scenario.Config{
		Seed: o.seed, Estate: estate, Bridges: o.bridges, Unclustered: o.unclustered, Meetings: o.meetings,
		Start: o.start, Short: o.live, Crowds: o.crowds, CrowdSize: o.crowdSize,
		Restarts: o.faults.restarts, ScanBurst: o.faults.scan, Skew: o.faults.skew, PacketLoss: o.faults.events.PacketLoss,
	}
}

// recordings is the scenario of the MediaSense servers.
func (o *options) recordings() recording.Config {
	return recording.Config{
		Seed: o.seed, Servers: o.mediasense.servers, Start: o.start, Short: o.live, Disk: int64(o.mediasense.disk * 1e6),
	}
}

// sends reports whether records go anywhere.
func (o *options) sends() bool { return o.target != nil || o.registered }

// url is where the named bridge posts to. The rest of the query stays as it is.
func (o *options) url(bridge string) string {
	u := *o.target
	if u.RawQuery != "" {
		u.RawQuery += "&"
	}
	u.RawQuery += "system_id=" + url.QueryEscape(bridge)
	return u.String()
}
