// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package verify

import (
	"slices"
	"time"

	"github.com/legato-otel/legato/cmd/callsim/internal/truth"
)

const (
	kindCall      = "call"
	kindLeg       = "call_leg"
	kindRecording = "recording"
	kindStreaming = "streaming"
)

// comparedValues are the attributes that are compared, by kind.
var comparedValues = map[string][]string{
	kindCall: {"name"},
	kindLeg:  {"reason", "direction", "display_name"},
}

// key names an object.
type key struct{ kind, id string }

func (k key) String() string { return k.kind + " " + k.id }

// objects holds objects against the truth.
type objects struct {
	*Report
	is    *truth.Truth
	found map[key][]Object
	// once reports that an object may come out once alone, as spans do. The archive's lists
	// show a row on several pages of a growing list.
	once bool
}

func compareObjects(r *Report, got *truth.Truth, all []Object, once bool) {
	c := &objects{r, got, map[key][]Object{}, once}
	for _, o := range all {
		k := key{o.Kind, o.ID}
		c.found[k] = append(c.found[k], o)
	}
	known := map[key]bool{}
	one := func(kind string, l *truth.Life, values map[string]string, parent string) {
		known[key{kind, l.ID}] = true
		c.compare(kind, l, values, parent)
	}
	for _, call := range got.Calls {
		one(kindCall, &call.Life, map[string]string{"name": call.Name}, "")
	}
	for _, leg := range got.Legs {
		one(kindLeg, &leg.Life, map[string]string{"reason": leg.Reason, "direction": leg.Direction, "display_name": leg.DisplayName}, c.parentOf(leg))
	}
	for kind, services := range map[string][]*truth.Service{kindRecording: got.Recordings, kindStreaming: got.Streamings} {
		for _, service := range services {
			one(kind, &service.Life, nil, spanID(kindCall, service.Call))
		}
	}
	for k := range c.found {
		if !known[k] {
			c.add(Unknown, k.String(), "the simulation had none")
		}
	}
	c.compareConferences()
}

// parentOf is the span that a leg must be below: that of its last call. A sharing leg is
// below a leg of the same participant; which one is not compared.
func (c *objects) parentOf(leg *truth.Leg) string {
	for _, call := range slices.Backward(leg.Calls) {
		if call != "" && leg.Kind != "sharing" {
			return spanID(kindCall, call)
		}
	}
	return ""
}

// compare holds one object against the truth. For an object that lost records, or has not
// ended, the expected output is unknown.
func (c *objects) compare(kind string, l *truth.Life, values map[string]string, parent string) {
	if l.LostRecords || l.Outcome == truth.Open {
		return
	}
	c.Compared[kind]++
	subject := key{kind, l.ID}
	found := c.found[subject]
	if len(found) == 0 {
		c.add(Missing, subject.String(), "of bridge %s, from %s", l.Bridge, l.Start.UTC().Format(time.RFC3339))
		return
	}
	if len(found) > 1 && c.once {
		c.add(Twice, subject.String(), "%d times", len(found))
	}
	o := &found[0]
	differ(c.Report, subject.String(), "span id", spanID(kind, l.ID), o.Span)
	differ(c.Report, subject.String(), "outcome", string(l.Outcome), o.Outcome)
	differ(c.Report, subject.String(), "start", l.Start.UTC(), o.Start.UTC())
	if l.End != nil {
		differ(c.Report, subject.String(), "end", l.End.UTC(), o.End.UTC())
	}
	if parent != "" {
		differ(c.Report, subject.String(), "parent", parent, o.Parent)
	}
	for _, name := range comparedValues[kind] {
		differ(c.Report, subject.String(), name, values[name], o.Values[name])
	}
}

// compareConferences demands that the calls of a conference are in one trace, that of one of
// them, and that no other conference is in it. A room that lost records is left out: a call
// whose end is lost may be in any later meeting of its room.
func (c *objects) compareConferences() {
	calls, doubtful := map[string]*truth.Call{}, map[string]bool{}
	for _, call := range c.is.Calls {
		calls[call.ID] = call
		doubtful[call.Correlator] = doubtful[call.Correlator] || call.LostRecords || call.Outcome == truth.Open
	}
	conferenceOf := map[string]string{} // by trace
	for _, conference := range c.is.Conferences {
		if doubtful[conference.Correlator] {
			continue
		}
		subject := "conference " + conference.FoundingCall
		trace := ""
		var founders []string
		for _, id := range conference.Calls {
			found := c.found[key{kindCall, id}]
			if len(found) == 0 {
				continue // it is missing, which is a finding already
			}
			if trace == "" {
				trace = found[0].Trace
			}
			differ(c.Report, subject, "trace of its call "+id, trace, found[0].Trace)
			founders = append(founders, callTrace(id))
		}
		if trace == "" {
			continue
		}
		c.Compared["conference"]++
		if !slices.Contains(founders, trace) {
			c.add(Different, subject, "its trace %s is of none of its calls", trace)
		}
		if other := conferenceOf[trace]; other != "" {
			c.add(Different, subject, "is in one trace with the %s", other)
		}
		conferenceOf[trace] = subject
	}
}
