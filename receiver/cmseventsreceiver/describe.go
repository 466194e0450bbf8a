// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package cmseventsreceiver

import (
	"bytes"
	"strconv"
	"strings"

	"github.com/legato-otel/legato/internal/meetingserver/events"
	"github.com/legato-otel/legato/internal/otel/logrecord"
	"github.com/legato-otel/legato/internal/redact"
)

// describeChange returns a change as one line of text, for the body of its log record.
func describeChange(c *events.Change) string {
	var buffer [160]byte
	line := lineBuilder(buffer[:0])
	switch c.Kind {
	case events.CallAdded:
		line.add("call active").addNamed(": ", c.CallName).addParticipantCount(c.Fields)
	case events.CallChanged:
		line.add("call updated").addNamed(": ", c.CallName).addChanges(c.Fields)
	case events.InfoChanged:
		line.add("call info").addNamed(": ", c.CallName).addChanges(c.Fields)
	case events.CallRemoved:
		line.add("call ended").addNamed(": ", c.Reason).addNamed(separatorAfter(c.Reason), c.CallName)
	case events.ParticipantAdded:
		line.add("participant ").add(arrivalWords[c.State]).addParty(": ", c.ParticipantName).addNamed(" in ", c.CallName)
	case events.ParticipantChanged:
		line.add("participant ").addWireText(mainChange(c.Fields)).addParty(": ", c.ParticipantName).addNamed(" in ", c.CallName)
	case events.ParticipantRemoved:
		line.add("participant left").addNamed(": ", c.Reason).addParty(separatorAfter(c.Reason), c.ParticipantName).addNamed(" in ", c.CallName)
	}
	return string(line)
}

// separatorAfter returns the separator between "left" or "ended" with this reason and the
// name.
func separatorAfter(reason []byte) string {
	if len(reason) > 0 {
		return ", "
	}
	return ": "
}

// arrivalWords describe the state of a participant in their first event.
var arrivalWords = [events.StateLabels]string{
	events.NoState:               "joined",
	events.Initial:               "arriving",
	events.Ringing:               "ringing",
	events.Connected:             "joined",
	events.OnHold:                "on hold",
	events.OtherParticipantState: "joined",
}

// mainChange returns the most important change of a participant in words.
func mainChange(fields []events.Field) string {
	main, rank := "updated", 0
	for i := range fields {
		v := &fields[i]
		word, r := "", 0
		switch v.Element {
		case events.State:
			word, r = stateWord(string(v.Text)), 6
		case events.AudioMuted:
			word, r = boolWord(v, "muted", "unmuted"), 5
		case events.VideoMuted:
			word, r = boolWord(v, "video muted", "video unmuted"), 4
		case events.Presenter:
			word, r = boolWord(v, "presenting", "stopped presenting"), 3
		case events.EndpointRecording:
			word, r = "recording "+string(v.Text), 2
		case events.ActiveSpeaker:
			word, r = boolWord(v, "speaking", "stopped speaking"), 1
		}
		if r > rank && word != "" {
			main, rank = word, r
		}
	}
	return main
}

func stateWord(state string) string {
	if strings.EqualFold(state, "onHold") {
		return "on hold"
	}
	return state
}

func boolWord(v *events.Field, yes, no string) string {
	switch {
	case v.Kind != events.Bool:
		return ""
	case v.Number != 0:
		return yes
	default:
		return no
	}
}

// lineBuilder appends parts to a line.
type lineBuilder []byte

func (s *lineBuilder) add(text string) *lineBuilder {
	*s = append(*s, text...)
	return s
}

// addNamed appends before and name, unless name is empty.
func (s *lineBuilder) addNamed(before string, name []byte) *lineBuilder {
	if len(name) > 0 {
		s.add(before)
		*s = logrecord.AppendText(*s, name)
	}
	return s
}

// addParty appends a participant: a name or, without one, an address.
func (s *lineBuilder) addParty(before string, party []byte) *lineBuilder {
	if bytes.IndexByte(party, ':') >= 0 {
		return s.add(before).addWireText(redact.Address(string(party)))
	}
	return s.addNamed(before, party)
}

// addWireText appends text from the wire, without secrets and control characters.
func (s *lineBuilder) addWireText(wire string) *lineBuilder {
	*s = logrecord.AppendText(*s, wire)
	return s
}

func (s *lineBuilder) addParticipantCount(fields []events.Field) *lineBuilder {
	for i := range fields {
		if v := &fields[i]; v.Element == events.Participants && v.Kind == events.Int {
			s.add(", participants ")
			*s = strconv.AppendInt(*s, int64(v.Number), 10) //nolint:gosec // the bits of an int64
		}
	}
	return s
}

// elementLabels precede the values of a call's elements. Elements without a label are not
// in the line; the label " " adds no word.
var elementLabels = [events.ElementCount]string{
	events.Participants: "participants ",
	events.Recording:    "recording ",
	events.Streaming:    "streaming ",
	events.LockState:    " ",
}

func (s *lineBuilder) addChanges(fields []events.Field) {
	for i := range fields {
		v := &fields[i]
		label := elementLabels[v.Element]
		if label == "" || v.Kind == events.Null {
			continue
		}
		s.add(", ")
		if label != " " {
			s.add(label)
		}
		if v.Kind == events.Int {
			*s = strconv.AppendInt(*s, int64(v.Number), 10) //nolint:gosec // the bits of an int64
		} else {
			*s = logrecord.AppendText(*s, v.Text)
		}
	}
}
