// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"net"
	"slices"
	"strings"
)

// The syslog part: the cost of a line in cmssyslog, from the socket to the log record,
// compared with the contrib syslog receiver, which reads the same lines as RFC 3164.

// mostOfContrib is the goal of the project.
const mostOfContrib = 1.5

// syslogLines are the kinds of lines.
var syslogLines = []struct {
	name string
	// lines that come again and again, and how many records cmssyslog makes of them.
	lines   []string
	records int
}{
	{name: "call log", records: 4, lines: []string{
		`<14>Mar  5 19:10:35 cms-n1 host:server:  INFO : call 7: outgoing SIP call to "desk1@example.test" from space "Ops review"`,
		"<14>Mar  5 19:10:35 cms-n1 host:server:  INFO : call 7: SIP call ringing",
		`<134>Mar  5 19:10:35 cms-n1 host:server:  INFO : participant "desk1@example.test" joined space 39489a5a-2084-455a-89bc-e5eedc2e2ba5 (Ops review)`,
		"<14>Mar  5 19:10:36 cms-n1 host:server:  INFO : call 7: becoming floor",
	}},
	{name: "API trace", records: 2, lines: []string{
		`<14>Mar  5 19:10:34 cms-n1 host:server:  INFO : API trace 9501: POST for "/api/v1/calls" (from 192.0.2.226)`,
		`<14>Mar  5 19:10:34 cms-n1 host:server:  INFO : API trace 9501: content data size 44, type "application/x-www-form-urlencoded":`,
		"<14>Mar  5 19:10:34 cms-n1 host:server:  INFO : API trace 9501:  coSpace=39489a5a-2084-455a-89bc-e5eedc2e2ba5",
		"<14>Mar  5 19:10:34 cms-n1 host:server:  INFO : API trace 9501: sending 200 response, size 0",
		"<14>Mar  5 19:10:34 cms-n1 host:server:  INFO : API trace 9501: Location: /api/v1/calls/d51bb12e-a7ae-4c3e-83ed-33ea6433a5d2",
		`<14>Mar  5 19:10:35 cms-n1 host:server:  INFO : API trace 9505: GET for "/api/v1/calllegs" (from 192.0.2.226)`,
		"<14>Mar  5 19:10:35 cms-n1 host:server:  INFO : API trace 9505: sending 200 response, size 52",
		`<14>Mar  5 19:10:35 cms-n1 host:server:  INFO : API trace 9505:  <callLegs total="0"></callLegs>`,
	}},
}

type syslogPlan struct{ rounds, lines int }

func newSyslogPlan(o options) syslogPlan { return syslogPlan{rounds: o.rounds, lines: 80_000} }

type syslogKey struct{ kind, lines string }

// syslogWorker is a receiver with a connection to it.
type syslogWorker struct {
	*worker
	connection net.Conn
	took       int
}

// bench returns CPU time per line in microseconds, one figure for each round.
func (p syslogPlan) bench(ctx context.Context) (costs map[syslogKey][]float64, err error) {
	costs = make(map[syslogKey][]float64)
	var crew crew
	defer func() { err = crew.stop(err) }()
	var all []*syslogWorker
	for _, kind := range []string{syslogOurs, syslogContrib} {
		address, err := freeAddress()
		if err != nil {
			return nil, err
		}
		w, err := crew.start(ctx, setup{Job: "syslog", Kind: kind, Address: address})
		if err != nil {
			return nil, err
		}
		if _, err := w.request(order{Do: "report"}); err != nil { // it listens
			return nil, err
		}
		connection, err := new(net.Dialer).DialContext(ctx, "tcp", address)
		if err != nil {
			return nil, err
		}
		defer func() { _ = connection.Close() }()
		all = append(all, &syslogWorker{worker: w, connection: connection})
	}
	for round := range p.rounds + 1 {
		progress("syslog, round %d of %d", round, p.rounds)
		for which := range syslogLines {
			for i := range all {
				w := all[(round+i)%len(all)]
				cost, err := w.run(which, p.lines)
				if err != nil {
					return nil, err
				}
				if round > 0 { // the first is to warm up
					key := syslogKey{w.setup.Kind, syslogLines[which].name}
					costs[key] = append(costs[key], cost)
				}
			}
		}
	}
	return costs, nil
}

// freeAddress returns a free address of this machine.
func freeAddress() (string, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	return listener.Addr().String(), listener.Close()
}

// run sends n lines and returns the cost of one.
func (w *syslogWorker) run(which, n int) (cost float64, err error) {
	what := &syslogLines[which]
	times := n / len(what.lines)
	text := strings.Repeat(strings.Join(what.lines, "\n")+"\n", times)
	before, err := w.request(order{Do: "report"})
	if err != nil {
		return 0, err
	}
	if _, err := w.connection.Write([]byte(text)); err != nil {
		return 0, err
	}
	if w.setup.Kind == syslogContrib {
		w.took += times * len(what.lines)
	} else {
		w.took += times * what.records
	}
	if _, err := w.request(order{Do: "delivered", Count: w.took}); err != nil {
		return 0, err
	}
	after, err := w.request(order{Do: "report"})
	return microseconds(after.Used-before.Used, times*len(what.lines)), err
}

func (p syslogPlan) report(costs map[syslogKey][]float64) string {
	var b strings.Builder
	fmt.Fprintf(&b, "Method: median of %d rounds of %d lines by TCP, CPU time of the receiver's process, GOGC=%s\n\n", p.rounds, p.lines, collection())
	b.WriteString("| CPU per line | lines | goal | measured | spread | |\n|---|---|---|---|---|---|\n")
	for _, lines := range syslogLines {
		s := summarize(ratios(costs[syslogKey{syslogOurs, lines.name}], costs[syslogKey{syslogContrib, lines.name}]))
		fmt.Fprintf(&b, "| %s / %s | %s | <= %.1f | %.2f | %.2f..%.2f | %s |\n",
			syslogOurs, syslogContrib, lines.name, mostOfContrib, s.median, s.least, s.most, verdict(s.median <= mostOfContrib))
	}
	b.WriteString("\n| us per line (spread) | lines | | lines per second of one core |\n|---|---|---|---|\n")
	for _, kind := range []string{syslogOurs, syslogContrib} {
		for _, lines := range syslogLines {
			s := summarize(costs[syslogKey{kind, lines.name}])
			fmt.Fprintf(&b, "| %s | %s | %.2f (%.2f..%.2f) | %s |\n", kind, lines.name, s.median, s.least, s.most, thousands(int(1e6/s.median)))
		}
	}
	return b.String()
}

// needsCorpus reports whether a part reads callsim's records.
func needsCorpus(name string) bool {
	return !slices.Contains([]string{"receiver", "events", "syslog"}, name)
}
