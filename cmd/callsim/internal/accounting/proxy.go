// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package accounting

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/legato-otel/legato/cmd/callsim/internal/chance"
	"github.com/legato-otel/legato/cmd/callsim/internal/scenario"
)

// stream of chance that is the proxy's own: the scenario is the same with and without it.
const stream = 0x0c35

// Options of a Proxy.
type Options struct {
	Seed uint64
	// Path of the event log, which is appended to.
	Path string
	// MaxSize is the size in bytes at which it is renamed.
	MaxSize int64
}

// Proxy writes the event log. It is for one goroutine.
type Proxy struct {
	dice   chance.Dice
	file   *rollingFile
	report EventLog
	open   map[string]*dialog // by leg
	err    error              // the first one of the file
}

// dialog is the SIP dialog of one leg.
type dialog struct {
	Call     *SIPCall
	outgoing bool   // the bridge called
	address  string // that the INVITE goes to
	from     string // with its tag
	to       string // without
	cseq     int
	branch   string
	last     time.Time
}

// Open opens the event log.
func Open(options Options) (*Proxy, error) {
	file, err := openFile(options.Path, options.MaxSize)
	if err != nil {
		return nil, err
	}
	return &Proxy{dice: chance.NewDice(options.Seed, stream), file: file, open: make(map[string]*dialog)}, nil
}

// Close closes the event log and returns the first write error.
func (p *Proxy) Close() error { return errors.Join(p.err, p.file.file.Close()) }

// Observe writes the proxy's lines for an event at a bridge.
func (p *Proxy) Observe(ev scenario.Event) {
	switch payload := ev.Payload.(type) {
	case scenario.LegStarted:
		if passesProxy(payload.Leg) {
			p.writeInvite(ev.At, payload.Leg)
		}
	case scenario.LegChanged:
		if d := p.open[payload.Leg.ID]; d != nil && payload.Leg.Phase != scenario.PhaseConnecting && d.Call.Result == "" {
			p.writeAnswer(ev.At, d)
		}
	case scenario.LegEnded:
		if d := p.open[payload.Leg.ID]; d != nil {
			p.writeEnd(ev.At, d, payload.Reason)
			delete(p.open, payload.Leg.ID)
		}
	default:
	}
}

// passesProxy reports whether a leg's signalling passes the proxy: that of people with
// SIP devices, and of scanners.
func passesProxy(l scenario.Leg) bool {
	return l.Type == "sip" && l.SIPCallID != "" && (l.Kind == scenario.KindPerson || l.Kind == scenario.KindScanner)
}

// writeInvite writes the INVITE of a leg, sometimes with a challenge before it, and lines
// between calls.
func (p *Proxy) writeInvite(at time.Time, l scenario.Leg) {
	p.writeForeign(at)
	if l.Direction != "outgoing" && l.Kind == scenario.KindPerson && p.dice.Chance(0.08) {
		p.writeMissedCall(at.Add(-missedBefore), l)
	}
	d := &dialog{Call: &SIPCall{SIPCallID: l.SIPCallID, Leg: l.ID}, cseq: 1}
	bridge := "<sip:" + orDefault(l.LocalAddress, "meet@example.test") + ">"
	person := p.name(l.DisplayName) + "<sip:" + orDefault(l.RemoteParty, "anonymous@example.test") + ">"
	d.from, d.to, d.address = person, bridge, orDefault(l.LocalAddress, "meet@example.test")
	if l.Direction == "outgoing" {
		d.outgoing = true
		d.from, d.to, d.address = bridge, person, orDefault(l.RemoteParty, "anonymous@example.test")
	}
	d.from += ";tag=" + p.tag()
	p.open[l.ID] = d
	p.report.Calls = append(p.report.Calls, d.Call)
	if p.dice.Chance(0.2) {
		d.Call.Challenged = true
		d.branch = p.branch()
		p.writeMessage(d, message{at: at, method: "INVITE"})
		p.writeMessage(d, message{at: at.Add(10 * time.Millisecond), method: "INVITE", code: 407, to: d.to + ";tag=" + p.tag()})
		d.cseq++
		at = at.Add(30 * time.Millisecond)
	}
	d.branch = p.branch()
	p.writeMessage(d, message{at: at, method: "INVITE", media: true})
	p.writeMessage(d, message{at: at.Add(40 * time.Millisecond), method: "INVITE", code: 180, to: d.to + ";tag=" + d.tagOf(p)})
	if l.Phase != scenario.PhaseConnecting {
		p.writeAnswer(at.Add(100*time.Millisecond), d)
	}
}

// missedBefore is how long before a caller's leg the call was that missed the bridges.
const missedBefore = 20 * time.Second

// missed are the answers to calls that do not reach a bridge: to a wrong number, to a
// device that is busy, to one that is off, and to a caller who gives up.
var missed = []int{404, 486, 480, 487}

// writeMissedCall writes a call of a leg's caller that no bridge sees.
func (p *Proxy) writeMissedCall(at time.Time, l scenario.Leg) {
	code := missed[p.dice.IntN(len(missed))]
	address := "desk" + p.tag()[:3] + "@example.test"
	d := &dialog{
		Call: &SIPCall{SIPCallID: p.tag() + "-miss@198.51.100.7", Result: "failed", Code: code}, cseq: 1, branch: p.branch(), address: address,
		from: p.name(l.DisplayName) + "<sip:" + orDefault(l.RemoteParty, "anonymous@example.test") + ">;tag=" + p.tag(), to: "<sip:" + address + ">",
	}
	p.report.Calls = append(p.report.Calls, d.Call)
	p.writeMessage(d, message{at: at, method: "INVITE", media: true})
	to := d.to + ";tag=" + d.tagOf(p)
	if code >= 486 {
		p.writeMessage(d, message{at: at.Add(300 * time.Millisecond), method: "INVITE", code: 180, to: to})
	}
	if code == 487 {
		d.Call.Result = "cancelled"
		p.writeMessage(d, message{at: at.Add(9 * time.Second), method: "CANCEL"})
	}
	p.writeMessage(d, message{at: at.Add(10 * time.Second), method: "INVITE", code: code, to: to})
}

// writeAnswer writes the 200 of a leg; of a fork one for each branch that answered.
func (p *Proxy) writeAnswer(at time.Time, d *dialog) {
	at = later(at, d.last)
	d.Call.Result, d.Call.Branches = "answered", 1
	d.Call.Answered = &at
	p.writeMessage(d, message{at: at, method: "INVITE", code: 200, to: d.to + ";tag=" + d.tagOf(p), media: true})
	if p.dice.Chance(0.08) {
		d.Call.Branches = 2
		second := d.to + ";tag=" + p.tag()
		p.writeMessage(d, message{at: at.Add(200 * time.Millisecond), method: "INVITE", code: 200, to: second, media: true})
		// The caller keeps the first, and hangs the second up.
		d.cseq++
		d.branch = p.branch()
		p.writeMessage(d, message{at: at.Add(300 * time.Millisecond), method: "BYE", to: second})
	}
	if p.dice.Chance(0.1) {
		d.cseq++
		d.branch = p.branch()
		p.writeMessage(d, message{at: at.Add(time.Second), method: "INVITE", to: d.to + ";tag=" + d.Call.tag, media: true})
		p.writeMessage(d, message{at: at.Add(1100 * time.Millisecond), method: "INVITE", code: 200, to: d.to + ";tag=" + d.Call.tag, media: true})
	}
}

// codes of legs that were never answered. For all other reasons the caller gave up.
var codes = map[scenario.Reason]int{
	scenario.ReasonRemoteBusy: 486, scenario.ReasonRemoteRejected: 603, scenario.ReasonUnknownDestination: 404, scenario.ReasonDNSFailure: 503,
	scenario.ReasonParticipantLimit: 503, scenario.ReasonTenantLimit: 503, scenario.ReasonEncryptionRequired: 488, scenario.ReasonTimeout: 408,
	scenario.ReasonError: 500,
}

// writeEnd writes the end of a leg: the failure of one that was not answered, or the
// BYE, which is lost at times.
func (p *Proxy) writeEnd(at time.Time, d *dialog, reason scenario.Reason) {
	at = later(at, d.last)
	if d.Call.Result == "" {
		code, failed := codes[reason]
		d.Call.Result, d.Call.Code = "failed", code
		if !failed {
			d.Call.Result, d.Call.Code = "cancelled", 487
			p.writeMessage(d, message{at: at, method: "CANCEL"})
		}
		p.writeMessage(d, message{at: at.Add(20 * time.Millisecond), method: "INVITE", code: d.Call.Code, to: d.to + ";tag=" + d.tagOf(p)})
		return
	}
	if p.dice.Chance(0.05) {
		return // no BYE was logged
	}
	d.Call.Ended = &at
	d.cseq++
	d.branch = p.branch()
	if reason.Remote() == d.outgoing { // the called side hangs up: From and To are the other way round
		from := d.from
		d.from, d.to = d.to+";tag="+d.Call.tag, from
		p.writeMessage(d, message{at: at, method: "BYE"})
		p.writeMessage(d, message{at: at.Add(20 * time.Millisecond), method: "BYE", code: 200})
		return
	}
	to := d.to + ";tag=" + d.Call.tag
	p.writeMessage(d, message{at: at, method: "BYE", to: to})
	p.writeMessage(d, message{at: at.Add(20 * time.Millisecond), method: "BYE", code: 200, to: to})
}

// writeMessage writes a message, at times twice: the answer was lost, and the message was
// sent again.
func (p *Proxy) writeMessage(d *dialog, m message) {
	m.from, m.cseq, m.branch = d.from, d.cseq, d.branch
	if m.to == "" {
		m.to = d.to
	}
	m.at = later(m.at, d.last)
	d.last = m.at
	all := d.attributes(m)
	p.dice.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	if p.dice.Chance(0.1) {
		at := p.dice.IntN(len(all) + 1)
		all = append(all[:at], append([]attribute{{"chargingVector", "icid-value=" + p.tag() + ";orig-ioi=example.test"}}, all[at:]...)...)
	}
	if m.code == 0 {
		p.report.Requests++
	} else {
		p.report.Responses++
	}
	p.writeLine(layout(all))
	if !p.dice.Chance(0.05) {
		return
	}
	p.report.Copies++
	for i := range all {
		if all[i].key == "CreationTime" {
			all[i].value = stamp(m.at.Add(500 * time.Millisecond))
		}
	}
	p.writeLine(layout(all))
}

// writeForeign writes lines that belong to no call.
func (p *Proxy) writeForeign(at time.Time) {
	if p.dice.Chance(0.05) {
		p.report.Events++
		p.writeLine(layout([]attribute{
			{"CreationTime", stamp(at)},
			{"Service", "eventlogger.com.example.meet.QuotaServlet.exceeded"},
			{"TimeZoneOffset", zone},
			{"account", p.tag()},
			{"reason", "monthly, soft limit"},
		}))
	}
	if p.dice.Chance(0.02) {
		p.report.Malformed++
		p.writeLine(fmt.Appendf(nil, "%s INFO [main] server is up since %d s\n", at.UTC().Format("2006-01-02 15:04:05"), p.dice.IntN(1_000_000)))
	}
}

func (p *Proxy) writeLine(line []byte) {
	p.report.Lines++
	p.report.Bytes += int64(len(line))
	if err := p.file.write(line); err != nil && p.err == nil {
		p.err = err
	}
}

// name returns a display name and a blank, as phones send it.
func (p *Proxy) name(name string) string {
	first, last, found := strings.Cut(strings.ReplaceAll(name, "\"", "'"), " ")
	switch {
	case name == "":
		return ""
	case found && p.dice.Chance(0.2):
		return fmt.Sprintf("\"%s, %s\" ", last, first)
	case found && p.dice.Chance(0.1):
		return last + ", " + first + " "
	case p.dice.Chance(0.1):
		p.report.Latin1++
		return "\"" + latin1("Jürgen, Ä") + "\" "
	default:
		return "\"" + strings.ReplaceAll(name, "\"", "\\\"") + "\" "
	}
}

// tagOf returns the tag of the side that answers, which it keeps.
func (d *dialog) tagOf(p *Proxy) string {
	if d.Call.tag == "" {
		d.Call.tag = p.tag()
	}
	return d.Call.tag
}

func (p *Proxy) tag() string    { return fmt.Sprintf("%08x", p.dice.Uint32()) }
func (p *Proxy) branch() string { return "z9hG4bK" + fmt.Sprintf("%016x", p.dice.Uint64()) }

func orDefault(text, instead string) string {
	if text == "" {
		return instead
	}
	return text
}

func later(a, b time.Time) time.Time {
	if a.Before(b) {
		return b
	}
	return a
}
