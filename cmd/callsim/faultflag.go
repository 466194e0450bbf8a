// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/legato-otel/legato/cmd/callsim/internal/bridge"
	"github.com/legato-otel/legato/cmd/callsim/internal/events"
	"github.com/legato-otel/legato/cmd/callsim/internal/mediasense"
)

// faults is the value of -faults: the faults between bridges and receiver, and the faults
// in the cluster itself.
type faults struct {
	bridge.Faults
	events     events.Faults
	mediasense mediasense.Faults
	restarts   int
	scan       int
	skew       time.Duration
	text       string
}

const faultUsage = "faults:\n" +
	"lost-ack=P   the 200 to a batch never arrives, with this probability\n" +
	"lossy=P      a batch is answered 200 by something else and never arrives, with this probability\n" +
	"silent=D     after D of real time all posts stop, and no record reports the loss\n" +
	"shift        a resend takes fewer or more records than the try before\n" +
	"overflow=N   1 to 200 unsent records are dropped, N times\n" +
	"malformed=P  a record is damaged, with this probability, one in a body at most\n" +
	"garbage=N    N bodies are no XML\n" +
	"restart=N    N times a bridge restarts\n" +
	"skew=D       the bridges' clocks are off by up to the duration D, in whole seconds\n" +
	"reorder      each bridge holds its records back for a while\n" +
	"packet-loss=P  a share of the legs loses packets, by their records and by the API\n" +
	"scan=N       a burst of N legs of a SIP scanner\n" +
	"and of the Events servers, about every D of real time:\n" +
	"events-drop=D        a socket is cut\n" +
	"events-silent=D      a socket sends nothing any more, but stands\n" +
	"events-restart=D     a server is gone for a quarter of D\n" +
	"events-deactivate=D  a subscription ends for no reason\n" +
	"events-times=N       each of the four above comes N times, then no more\n" +
	"events-busy=N        other clients hold N of a server's 5 sockets\n" +
	"events-odd=P         something odd comes with a message, with this probability\n" +
	"api-busy=P           an object of the API is answered 503, with this probability\n" +
	"api-html=P           or with a page of HTML, as by a proxy\n" +
	"api-gone=P           or a leg that is listed has ended\n" +
	"api-slow=D           an answer of the API takes up to D\n" +
	"api-old              a release that does not know licences and the database\n" +
	"database             the last node of the database cluster is down\n" +
	"licence=N            the licence of the Call Bridges expires in N days\n" +
	"api-password=D       after D of real time the password is another one, with -changed behind it\n" +
	"elsewhere=D          after D of real time another server is registered for the records, and gets them\n" +
	"api-page=N           lists come in pages of N, whatever is asked for\n" +
	"token-life=D         a token is good for D\n" +
	"token-uses=N         a token is good N times\n" +
	"and of the MediaSense servers, with a probability for each event and server:\n" +
	"ms-duplicate=P  an event is posted again\n" +
	"ms-reorder=P    an event is posted some events later, or after the end of its session\n" +
	"ms-lost=P       the start of a session is never posted\n" +
	"ms-malformed=P  a body is no JSON: a comma is missing, a line breaks in a string, it is cut\n" +
	"ms-pair=P       an event is in one body with the next one\n" +
	"ms-seconds=P    tagCreateDate of a tag event is in seconds\n" +
	"ms-urls=P       urls is an object rather than a list\n" +
	"ms-boolean=P    forwardedEvent is a boolean, and always there\n" +
	"ms-quoted=P     numbers are strings\n" +
	"or about every D of real time, with -mediasense-api:\n" +
	"ms-restart=D    a server is gone for a quarter of D, and forgets sessions and subscriptions\n" +
	"ms-forget=D     a subscription is lost without a word\n" +
	"ms-busy=D       a server answers error 5042 for a quarter of D\n" +
	"ms-expire=D     a session of the API expires when it is idle for D\n" +
	"ms-old          the servers do not know subscribeToEvents"

// fault reads the text after the = of one fault.
type fault struct {
	name string
	bare bool // has no value
	set  func(f *faults, value string) error
}

var allFaults = []fault{
	{name: "lost-ack", set: func(f *faults, v string) error { return probability(v, &f.LostAck) }},
	{name: "lossy", set: func(f *faults, v string) error { return probability(v, &f.Lossy) }},
	{name: "silent", set: func(f *faults, v string) error { return duration(v, &f.Silent) }},
	{name: "shift", bare: true, set: func(f *faults, _ string) error { f.Shift = true; return nil }},
	{name: "overflow", set: func(f *faults, v string) error { return number(v, &f.Overflow) }},
	{name: "malformed", set: func(f *faults, v string) error { return probability(v, &f.Malformed) }},
	{name: "garbage", set: func(f *faults, v string) error { return number(v, &f.Garbage) }},
	{name: "restart", set: func(f *faults, v string) error { return number(v, &f.restarts) }},
	{name: "skew", set: func(f *faults, v string) error { return duration(v, &f.skew) }},
	{name: "reorder", bare: true, set: func(f *faults, _ string) error { f.Reorder = true; return nil }},
	{name: "packet-loss", set: func(f *faults, v string) error { return probability(v, &f.events.PacketLoss) }},
	{name: "scan", set: func(f *faults, v string) error { return number(v, &f.scan) }},
	{name: "events-drop", set: func(f *faults, v string) error { return duration(v, &f.events.Drop) }},
	{name: "events-silent", set: func(f *faults, v string) error { return duration(v, &f.events.Silent) }},
	{name: "events-restart", set: func(f *faults, v string) error { return duration(v, &f.events.Restart) }},
	{name: "events-deactivate", set: func(f *faults, v string) error { return duration(v, &f.events.Deactivate) }},
	{name: "events-times", set: func(f *faults, v string) error { return number(v, &f.events.Times) }},
	{name: "events-busy", set: func(f *faults, v string) error { return number(v, &f.events.Busy) }},
	{name: "events-odd", set: func(f *faults, v string) error { return probability(v, &f.events.Odd) }},
	{name: "api-busy", set: func(f *faults, v string) error { return probability(v, &f.events.APIBusy) }},
	{name: "api-html", set: func(f *faults, v string) error { return probability(v, &f.events.APIHTML) }},
	{name: "api-gone", set: func(f *faults, v string) error { return probability(v, &f.events.APIGone) }},
	{name: "api-slow", set: func(f *faults, v string) error { return duration(v, &f.events.APISlow) }},
	{name: "api-old", bare: true, set: func(f *faults, _ string) error { f.events.APIOld = true; return nil }},
	{name: "database", bare: true, set: func(f *faults, _ string) error { f.events.DatabaseDown = true; return nil }},
	{name: "licence", set: func(f *faults, v string) error { return number(v, &f.events.LicenceDays) }},
	{name: "api-password", set: func(f *faults, v string) error { return duration(v, &f.events.PasswordLife) }},
	{name: "elsewhere", set: func(f *faults, v string) error { return duration(v, &f.events.Elsewhere) }},
	{name: "api-page", set: func(f *faults, v string) error { return number(v, &f.events.APIPage) }},
	{name: "token-life", set: func(f *faults, v string) error { return duration(v, &f.events.TokenLife) }},
	{name: "token-uses", set: func(f *faults, v string) error { return number(v, &f.events.TokenUses) }},
	{name: "ms-duplicate", set: func(f *faults, v string) error { return probability(v, &f.mediasense.Duplicate) }},
	{name: "ms-reorder", set: func(f *faults, v string) error { return probability(v, &f.mediasense.Reorder) }},
	{name: "ms-lost", set: func(f *faults, v string) error { return probability(v, &f.mediasense.Lost) }},
	{name: "ms-malformed", set: func(f *faults, v string) error { return probability(v, &f.mediasense.Malformed) }},
	{name: "ms-pair", set: func(f *faults, v string) error { return probability(v, &f.mediasense.Pair) }},
	{name: "ms-seconds", set: func(f *faults, v string) error { return probability(v, &f.mediasense.Seconds) }},
	{name: "ms-urls", set: func(f *faults, v string) error { return probability(v, &f.mediasense.URLs) }},
	{name: "ms-boolean", set: func(f *faults, v string) error { return probability(v, &f.mediasense.Boolean) }},
	{name: "ms-quoted", set: func(f *faults, v string) error { return probability(v, &f.mediasense.Quoted) }},
	{name: "ms-restart", set: func(f *faults, v string) error { return duration(v, &f.mediasense.Restart) }},
	{name: "ms-forget", set: func(f *faults, v string) error { return duration(v, &f.mediasense.Forget) }},
	{name: "ms-busy", set: func(f *faults, v string) error { return duration(v, &f.mediasense.Busy) }},
	{name: "ms-expire", set: func(f *faults, v string) error { return duration(v, &f.mediasense.Expire) }},
	{name: "ms-old", bare: true, set: func(f *faults, _ string) error { f.mediasense.Old = true; return nil }},
}

// parse reads the text of the flag.
func (f *faults) parse() error {
	if f.text == "" {
		return nil
	}
	for part := range strings.SplitSeq(f.text, ",") {
		if err := f.setOne(part); err != nil {
			return fmt.Errorf("-faults: %w", err)
		}
	}
	return nil
}

func (f *faults) setOne(part string) error {
	name, value, has := strings.Cut(part, "=")
	at := slices.IndexFunc(allFaults, func(x fault) bool { return x.name == name })
	switch {
	case at < 0:
		return fmt.Errorf("unknown fault, got %q", name)
	case has && allFaults[at].bare:
		return fmt.Errorf("%s takes no value, got %q", name, value)
	case !has && !allFaults[at].bare:
		return fmt.Errorf("%s needs a value, got %q", name, value)
	}
	if err := allFaults[at].set(f, value); err != nil {
		return fmt.Errorf("%s %w, got %q", name, err, value)
	}
	return nil
}

func probability(text string, into *float64) error {
	p, err := strconv.ParseFloat(text, 64)
	if err != nil || !(p >= 0 && p <= 1) {
		return errors.New("must be between 0 and 1")
	}
	*into = p
	return nil
}

func number(text string, into *int) error {
	n, err := strconv.Atoi(text)
	if err != nil || n < 0 {
		return errors.New("must be a whole number of at least 0")
	}
	*into = n
	return nil
}

func duration(text string, into *time.Duration) error {
	d, err := time.ParseDuration(text)
	if err != nil || d < 0 {
		return errors.New("must be a duration of at least 0s")
	}
	*into = d
	return nil
}
