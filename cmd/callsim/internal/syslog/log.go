// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package syslog

import (
	"errors"
	"fmt"
	"maps"
	"time"

	"github.com/legato-otel/legato/cmd/callsim/internal/chance"
	"github.com/legato-otel/legato/cmd/callsim/internal/scenario"
)

// streamOfChance is the log's own: the scenario is the same with and without it.
const streamOfChance = 0x5106

// Options of a Log. At least one of Path, UDP and TCP is set.
type Options struct {
	Seed    uint64
	Bridges []scenario.Bridge
	// Path of a file that lines are appended to.
	Path string
	// UDP and TCP are addresses that lines are sent to.
	UDP, TCP string
}

// Log writes the syslog of all bridges. It is for one goroutine.
type Log struct {
	dice    chance.Dice
	outputs []output
	stream  *stream // one of outputs; nil without TCP
	hosts   []*host
	spaces  map[string]int // open calls by coSpace
	report  Report
	err     error // the first one of an output
}

// host is a Call Bridge as its syslog shows it.
type host struct {
	index   int
	name    string
	form    dateForm
	traces  int // API requests since the bridge started
	numbers int // legs since then
	last    time.Time
	calls   map[string]*call
	legs    map[string]*leg
}

// call that is open on a bridge.
type call struct {
	scenario.Call
	conference string // the bridge's own id of it
	meeting    *meeting
}

// leg that is open on a bridge.
type leg struct {
	number int
	call   string // that the log knows
	joined bool
}

// Open opens the outputs.
func Open(o Options) (*Log, error) {
	l := &Log{dice: chance.NewDice(o.Seed, streamOfChance), spaces: make(map[string]int), report: Report{Records: make(map[string]int)}}
	for i, b := range o.Bridges {
		l.hosts = append(l.hosts, &host{index: i, name: b.Name, form: dateForm(i) % dateForms})
		l.hosts[i].reset(l.dice)
	}
	var errs []error
	if o.Path != "" {
		file, err := openFile(o.Path)
		l.outputs, errs = append(l.outputs, file), append(errs, err)
	}
	if o.UDP != "" {
		udp, err := openDatagrams(o.UDP)
		l.outputs, errs = append(l.outputs, udp), append(errs, err)
	}
	if o.TCP != "" {
		l.stream = openStream(o.TCP, len(o.Bridges))
		l.outputs = append(l.outputs, l.stream)
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	return l, nil
}

// reset forgets the state before the bridge's start.
func (h *host) reset(dice chance.Dice) {
	h.traces, h.numbers = 9000+dice.IntN(1000), 0
	h.calls, h.legs = make(map[string]*call), make(map[string]*leg)
}

// Close closes the outputs and returns the first write error.
func (l *Log) Close() error {
	err := l.err
	for _, o := range l.outputs {
		err = errors.Join(err, o.close())
	}
	return err
}

// Report returns the report of the lines written so far.
func (l *Log) Report() Report {
	r := l.report
	r.Records = maps.Clone(l.report.Records)
	if l.stream != nil {
		r.Unsent = l.stream.unsent
	}
	if r.Secrets == nil {
		r.Secrets = []string{}
	}
	if r.Meetings == nil {
		r.Meetings = []*ScheduledMeeting{}
	}
	return r
}

// Observe writes the bridge's log lines for an event.
func (l *Log) Observe(ev scenario.Event) {
	h, at := l.hosts[ev.Bridge], ev.Time
	switch payload := ev.Payload.(type) {
	case scenario.BridgeRestarted:
		l.restart(h, at)
	case scenario.CallStarted:
		l.startCall(h, at, payload.Call)
	case scenario.CallEnded:
		l.endCall(h, at, payload.Call.ID)
	case scenario.LegStarted:
		l.startLeg(h, at, payload.Leg)
	case scenario.LegChanged:
		l.changeLeg(h, at, payload.Leg)
	case scenario.LegEnded:
		l.endLeg(h, at, payload.Leg)
	default:
	}
}

func (l *Log) restart(h *host, at time.Time) {
	for _, c := range h.calls {
		l.spaces[c.CoSpace]--
	}
	h.reset(l.dice)
	l.writeServerLine(h, at, "line", "Server booting, version 3.9")
}

func (l *Log) startCall(h *host, at time.Time, started scenario.Call) {
	c := &call{Call: started, conference: l.dice.GUID()}
	h.calls[started.ID] = c
	first := l.spaces[started.CoSpace] == 0
	l.spaces[started.CoSpace]++
	l.writeForeign(h, at)
	if started.CoSpace == "" {
		return
	}
	if first && l.dice.Chance(0.6) {
		l.scheduleMeeting(h, at, c)
	}
	l.writeServerLine(h, at, "conference_ids", fmt.Sprintf(`API "%d" Space GUID: %s <--> Call Correlator GUID: %s<--> Internal GUID: %s`,
		1000+l.dice.IntN(9000), started.CoSpace, started.Correlator, c.conference))
}

func (l *Log) endCall(h *host, at time.Time, id string) {
	c := h.calls[id]
	if c == nil {
		return
	}
	if c.meeting != nil {
		l.endMeeting(h, at, c)
	}
	l.spaces[c.CoSpace]--
	delete(h.calls, id)
}

func (l *Log) startLeg(h *host, at time.Time, started scenario.Leg) {
	h.numbers++
	g := &leg{number: h.numbers}
	h.legs[started.ID] = g
	if !l.enterCall(h, at, g, started) && started.Direction == "outgoing" {
		return // the API client did not request it
	}
	l.writeServerLine(h, at, "call_leg_ids", fmt.Sprintf("call %d: configured - API call leg %s", g.number, started.ID))
	remote := started.RemoteParty
	switch {
	case started.Type != "sip" || remote == "":
	case started.Direction == "incoming":
		l.writeServerLine(h, at, "call_incoming", fmt.Sprintf(`call %d: incoming SIP call from "sip:%s" to local URI "sip:%s"`, g.number, remote, started.LocalAddress))
	case h.calls[g.call] != nil:
		l.writeServerLine(h, at, "call_outgoing", fmt.Sprintf(`call %d: outgoing SIP call to "%s" from space "%s"`, g.number, remote, h.calls[g.call].Name))
		if l.dice.Chance(0.1) {
			l.writeServerLine(h, at, "handshake_error", fmt.Sprintf("handshake error 104 on outgoing connection %d", 1+l.dice.IntN(50)))
			l.writeServerLine(h, at, "unencrypted_fallback", fmt.Sprintf("call %d: falling back to unencrypted control connection...", g.number))
		}
		l.writeServerLine(h, at, "call_ringing", fmt.Sprintf("call %d: SIP call ringing", g.number))
	}
}

func (l *Log) changeLeg(h *host, at time.Time, changed scenario.Leg) {
	if g := h.legs[changed.ID]; g != nil {
		l.enterCall(h, at, g, changed)
	}
}

// enterCall writes that a leg is in a call, if that is news, and that a person takes part in
// it. It reports whether the leg is in a call.
func (l *Log) enterCall(h *host, at time.Time, g *leg, changed scenario.Leg) bool {
	c := h.calls[changed.Call()]
	if c == nil {
		return false
	}
	if g.call != c.ID {
		g.call, g.joined = c.ID, false
		if c.meeting != nil && changed.Direction == "outgoing" && changed.Kind == scenario.KindPerson && changed.RemoteParty != "" {
			l.invitePerson(h, at, c, changed)
		}
		l.writeServerLine(h, at, "call_leg_ids", fmt.Sprintf("API call leg %s in call %s (API call %s)", changed.ID, c.conference, c.ID))
	}
	if c.CoSpace != "" && !g.joined && changed.Phase == scenario.PhaseActive && changed.Kind == scenario.KindPerson && changed.RemoteParty != "" {
		g.joined = true
		l.writeAuditLine(h, at, "participant_join", fmt.Sprintf(`participant "%s" joined space %s (%s)`, changed.RemoteParty, c.CoSpace, c.title()))
		if c.meeting != nil && !c.meeting.extended && at.Sub(c.meeting.Start) >= extendAfter {
			l.extendMeeting(h, at, c)
		}
	}
	return true
}

func (l *Log) endLeg(h *host, at time.Time, ended scenario.Leg) {
	g := h.legs[ended.ID]
	if g == nil {
		return
	}
	if c := h.calls[g.call]; c != nil && g.joined {
		l.writeAuditLine(h, at, "participant_leave", fmt.Sprintf(`participant "%s" left space %s (%s)`, ended.RemoteParty, c.CoSpace, c.title()))
	}
	l.writeServerLine(h, at, "call_leg_ids", fmt.Sprintf("call %d: destroying API call leg %s", g.number, ended.ID))
	delete(h.legs, ended.ID)
}

// title returns the name of the space: the client of a scheduled meeting has changed it.
func (c *call) title() string {
	if c.meeting != nil {
		return c.meeting.Name
	}
	return c.Name
}

// levels in which INFO stands in lines of the server.
var levels = []string{" INFO : ", "INFO : ", " INFO    : ", " INFO "}

// writeServerLine writes a line of the server process.
func (l *Log) writeServerLine(h *host, at time.Time, kind, text string) {
	l.report.Records[kind]++
	l.writeLine(h, &line{at: at, facility: user, severity: "info", tag: "host:server:", level: chance.Pick(l.dice, levels), text: text})
}

// writeAuditLine writes a line of the same process for auditors.
func (l *Log) writeAuditLine(h *host, at time.Time, kind, text string) {
	l.report.Records[kind]++
	l.writeLine(h, &line{at: at, facility: local0, severity: "info", tag: "host:server:", level: " INFO : ", text: text})
}

// writeLine gives a line to all outputs. The clock of a bridge does not go back in its log.
func (l *Log) writeLine(h *host, line *line) {
	if line.at.Before(h.last) {
		line.at = h.last
	}
	h.last = line.at
	file, wire := line.file(h.form, h.name), line.wire(l.dice, h.form, h.name)
	l.writeRaw(h, file, wire)
}

func (l *Log) writeRaw(h *host, file, wire string) {
	l.report.Lines++
	for _, o := range l.outputs {
		if err := o.write(h.index, file, wire); err != nil && l.err == nil {
			l.err = err
		}
	}
}
