// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/legato-otel/legato/cmd/callsim/internal/drill"
)

// exitByHand is the exit code of a drill that people play: its steps were printed.
const exitByHand = 3

// followWithin is how long a drill waits for a Collector to follow its bridge: the pauses of
// cmsevents between two attempts are a minute at most.
const followWithin = 5 * time.Minute

// drillOptions are the flags of `callsim drill`.
type drillOptions struct {
	trust              tlsOptions
	target, mediaSense string
	speed              float64
	fill               int64 // in megabytes
	settings           drill.Settings
}

func (o *drillOptions) flags() *flag.FlagSet {
	fs := flag.NewFlagSet("callsim drill", flag.ContinueOnError)
	fs.SetOutput(io.Discard)
	fs.StringVar(&o.target, "target", "http://localhost:8080/cdr", "`URL` of cmscdr")
	fs.StringVar(&o.mediaSense, "mediasense-target", "http://localhost:8085/mediasense", "`URL` of the mediasense receiver")
	fs.StringVar(&o.settings.OCMS, "ocms", "", "`file` that the ocms receiver follows")
	fs.StringVar(&o.settings.Events, "events", "", "host:port `address` where the simulated Call Bridge of a drill has its API and its events; user api, password x")
	fs.StringVar(&o.settings.Backend, "backend", "", "host:port `address` where the simulated backend of a drill takes OTLP by HTTP")
	fs.StringVar(&o.settings.Directory, "directory", "", "`directory` whose disk a drill fills")
	fs.Int64Var(&o.fill, "max-fill", 10_000, "fill a disk with at most this many `megabytes`")
	fs.DurationVar(&o.settings.Hold, "hold", 0, "how long a failure lasts that must last for its alert (default: as long as its alert needs)")
	fs.DurationVar(&o.settings.Settle, "settle", time.Minute, "how long a new bridge must be known before its counters are seen: the interval of the metrics and that of the scrapes")
	fs.DurationVar(&o.settings.Recover, "recover", 0, "how long a simulated Call Bridge or backend stays after the failure; 0 means until stopped")
	fs.Float64Var(&o.speed, "speed", 1, "simulated seconds per second of a simulated Call Bridge")
	o.trust.flags(fs)
	return fs
}

// check validates the flags, and fills in what drills need besides.
func (o *drillOptions) check(given map[string]bool) (err error) {
	if err = o.trust.load(); err != nil {
		return err
	}
	if o.settings.Target, err = drillURL("-target", o.target); err != nil {
		return err
	}
	if o.settings.MediaSense, err = drillURL("-mediasense-target", o.mediaSense); err != nil {
		return err
	}
	for _, listen := range []struct{ flag, address string }{{"-events", o.settings.Events}, {"-backend", o.settings.Backend}} {
		if _, _, err := net.SplitHostPort(listen.address); listen.address != "" && err != nil {
			return fmt.Errorf("%s: must be host:port, got %q", listen.flag, listen.address)
		}
	}
	switch {
	case given["hold"] && o.settings.Hold <= 0:
		return fmt.Errorf("-hold: must be more than 0s, got %q", o.settings.Hold)
	case o.settings.Settle < 0:
		return fmt.Errorf("-settle: must be at least 0s, got %q", o.settings.Settle)
	case o.settings.Recover < 0:
		return fmt.Errorf("-recover: must be at least 0s, got %q", o.settings.Recover)
	case !(o.speed > 0):
		return fmt.Errorf("-speed: must be more than 0, got \"%g\"", o.speed)
	case o.fill < 1:
		return fmt.Errorf("-max-fill: must be at least 1, got \"%d\"", o.fill)
	}
	o.settings.MaxFill, o.settings.FollowWithin = o.fill<<20, followWithin
	o.settings.Simulate = o.simulate
	return nil
}

// simulate runs callsim with flags until its context ends. Drills report their own progress.
func (o *drillOptions) simulate(ctx context.Context, followed func(), flags ...string) error {
	flags = append(flags, "-speed", strconv.FormatFloat(o.speed, 'g', -1, 64), "-ca", o.trust.ca, "-cert", o.trust.cert, "-key", o.trust.key)
	opts, err := parseOptions(flags, io.Discard)
	if err != nil {
		return err
	}
	opts.events.followed = followed
	return simulate(ctx, opts, io.Discard, io.Discard)
}

// runDrill is `callsim drill`: it causes one failure at a running Collector and prints the
// alert that must fire. Without a name it lists the drills.
func runDrill(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	if len(args) == 0 {
		listDrills(stdout)
		return 0
	}
	var o drillOptions
	fs := o.flags()
	name := args[0]
	err := fs.Parse(args[1:])
	if name == "-h" || name == "-help" || name == "--help" || errors.Is(err, flag.ErrHelp) {
		fmt.Fprint(stderr, "callsim drill NAME [flags]\n")
		fs.SetOutput(stderr)
		fs.PrintDefaults()
		listDrills(stderr)
		return 0
	}
	wanted, found := drill.Find(name)
	if steps, known := drill.FindByHand(name); err == nil && known {
		printSteps(stdout, steps)
		return exitByHand
	}
	if err == nil && !found {
		err = fmt.Errorf("there is no drill %q; callsim drill lists all", name)
	}
	given := map[string]bool{}
	fs.Visit(func(f *flag.Flag) { given[f.Name] = true })
	if err == nil {
		err = o.check(given)
	}
	if err != nil {
		fmt.Fprintf(stderr, "callsim: %v\n", err)
		return exitUsage
	}
	settings := o.settings
	settings.Client = &http.Client{Timeout: 30 * time.Second, Transport: &http.Transport{TLSClientConfig: o.trust.config, Proxy: http.ProxyFromEnvironment}}
	defer settings.Client.CloseIdleConnections()
	settings.Report = func(line string) { fmt.Fprintf(stdout, "%s: %s.\n", wanted.Name, line) }
	fmt.Fprintf(stdout, "%s: %s. %s (%s) must ring.\n", wanted.Name, wanted.What, wanted.Alert, wanted.Severity)
	if err := wanted.Run(ctx, settings); err != nil {
		fmt.Fprintf(stderr, "callsim: drill %s: %v\n", wanted.Name, err)
		return exitFailed
	}
	return 0
}

// printSteps prints how people play a drill.
func printSteps(to io.Writer, d drill.ByHand) {
	fmt.Fprintf(to, "%s is played by hand. %s (%s) must ring.\n", d.Name, d.Alert, d.Severity)
	for i, step := range d.Steps {
		fmt.Fprintf(to, "%d. %s.\n", i+1, step)
	}
}

// drillURL parses the URL of a flag; "" means none.
func drillURL(name, text string) (*url.URL, error) {
	if text == "" {
		return nil, nil
	}
	u, err := url.Parse(text)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return nil, fmt.Errorf("%s: must be an http or https URL, got %q", name, text)
	}
	return u, nil
}

func listDrills(to io.Writer) {
	for _, d := range drill.All {
		fmt.Fprintf(to, "%-18s %-38s %-9s %-18s %s\n", d.Name, d.Alert, d.Severity, d.Flags(), d.What)
	}
	for _, d := range drill.AllByHand {
		fmt.Fprintf(to, "%-18s %-38s %-9s %-18s callsim prints the steps\n", d.Name, d.Alert, d.Severity, "by hand")
	}
}
