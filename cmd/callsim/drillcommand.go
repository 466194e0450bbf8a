// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"

	"github.com/legato-otel/legato/cmd/callsim/internal/drill"
)

// runDrill is `callsim drill`: it causes one failure at a running Collector and prints the
// alert that must fire. Without a name it lists the drills.
func runDrill(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	var (
		trust              tlsOptions
		target, mediaSense string
		settings           drill.Settings
	)
	fs := flag.NewFlagSet("callsim drill", flag.ContinueOnError)
	fs.SetOutput(io.Discard)
	fs.StringVar(&target, "target", "http://localhost:8080/cdr", "`URL` of cmscdr")
	fs.StringVar(&mediaSense, "mediasense-target", "http://localhost:8085/mediasense", "`URL` of the mediasense receiver")
	fs.StringVar(&settings.OCMS, "ocms", "", "`file` that the ocms receiver follows")
	fs.DurationVar(&settings.Hold, "hold", 7*time.Minute, "how long a state lasts that must last for its alert")
	fs.DurationVar(&settings.Settle, "settle", time.Minute, "how long a new bridge must be known before its counters are seen: the interval of the metrics and that of the scrapes")
	trust.flags(fs)
	if len(args) == 0 {
		listDrills(stdout)
		return 0
	}
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
	if byHand, known := drill.FindByHand(name); err == nil && known {
		fmt.Fprintf(stderr, "callsim: %s is played by hand: %s. %s must ring. docs/drills.md says more.\n", byHand.Name, byHand.How, byHand.Alert)
		return exitUsage
	}
	if err == nil && !found {
		err = fmt.Errorf("there is no drill %q; callsim drill lists all", name)
	}
	if err == nil {
		err = trust.load()
	}
	if err == nil {
		settings.Target, err = drillURL("-target", target)
	}
	if err == nil {
		settings.MediaSense, err = drillURL("-mediasense-target", mediaSense)
	}
	if err == nil && settings.Hold <= 0 {
		err = fmt.Errorf("-hold: must be more than 0s, got %q", settings.Hold)
	}
	if err == nil && settings.Settle < 0 {
		err = fmt.Errorf("-settle: must be at least 0s, got %q", settings.Settle)
	}
	if err != nil {
		fmt.Fprintf(stderr, "callsim: %v\n", err)
		return exitUsage
	}
	settings.Client = &http.Client{Timeout: 30 * time.Second, Transport: &http.Transport{TLSClientConfig: trust.config, Proxy: http.ProxyFromEnvironment}}
	defer settings.Client.CloseIdleConnections()
	fmt.Fprintf(stdout, "%s: %s. %s (%s) must ring.\n", wanted.Name, wanted.What, wanted.Alert, wanted.Severity)
	if err := wanted.Run(ctx, settings); err != nil {
		fmt.Fprintf(stderr, "callsim: drill %s: %v\n", wanted.Name, err)
		return exitFailed
	}
	return 0
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
		fmt.Fprintf(to, "%-18s %-38s %-9s %s\n", d.Name, d.Alert, d.Severity, d.What)
	}
}
