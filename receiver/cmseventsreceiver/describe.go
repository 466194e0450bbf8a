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

// describe is a change in one line, for people who read logs.
func describe(c *events.Change) string {
	var room [160]byte
	line := sentence(room[:0])
	switch c.Kind {
	case events.CallAdded:
		line.add("call active").named(": ", c.CallName).counted(c.Fields)
	case events.CallChanged:
		line.add("call updated").named(": ", c.CallName).changes(c.Fields)
	case events.InfoChanged:
		line.add("call info").named(": ", c.CallName).changes(c.Fields)
	case events.CallRemoved:
		line.add("call ended").named(": ", c.Reason).named(separator(c.Reason), c.CallName)
	case events.ParticipantAdded:
		line.add("participant ").add(arrivals[c.State]).party(": ", c.ParticipantName).named(" in ", c.CallName)
	case events.ParticipantChanged:
		line.add("participant ").text(whatChanged(c.Fields)).party(": ", c.ParticipantName).named(" in ", c.CallName)
	case events.ParticipantRemoved:
		line.add("participant left").named(": ", c.Reason).party(separator(c.Reason), c.ParticipantName).named(" in ", c.CallName)
	}
	return string(line)
}

func separator(reason []byte) string {
	if len(reason) > 0 {
		return ", "
	}
	return ": "
}

// arrivals say how somebody is there when they are first seen.
var arrivals = [events.StateLabels]string{
	events.NoState:               "joined",
	events.Initial:               "arriving",
	events.Ringing:               "ringing",
	events.Connected:             "joined",
	events.OnHold:                "on hold",
	events.OtherParticipantState: "joined",
}

// whatChanged is the news people look for, most important first.
func whatChanged(fields []events.Field) string {
	news, rank := "updated", 0
	for i := range fields {
		v := &fields[i]
		word, r := "", 0
		switch v.Element {
		case events.State:
			word, r = stateWord(string(v.Text)), 6
		case events.AudioMuted:
			word, r = either(v, "muted", "unmuted"), 5
		case events.VideoMuted:
			word, r = either(v, "video muted", "video unmuted"), 4
		case events.Presenter:
			word, r = either(v, "presenting", "stopped presenting"), 3
		case events.EndpointRecording:
			word, r = "recording "+string(v.Text), 2
		case events.ActiveSpeaker:
			word, r = either(v, "speaking", "stopped speaking"), 1
		}
		if r > rank && word != "" {
			news, rank = word, r
		}
	}
	return news
}

func stateWord(state string) string {
	if strings.EqualFold(state, "onHold") {
		return "on hold"
	}
	return state
}

func either(v *events.Field, yes, no string) string {
	switch {
	case v.Kind != events.Bool:
		return ""
	case v.Number != 0:
		return yes
	default:
		return no
	}
}

// sentence grows a line.
type sentence []byte

func (s *sentence) add(text string) *sentence {
	*s = append(*s, text...)
	return s
}

// named adds nothing where there is no name.
func (s *sentence) named(before string, name []byte) *sentence {
	if len(name) > 0 {
		s.add(before)
		*s = logrecord.AppendText(*s, name)
	}
	return s
}

// party adds who somebody is: a name or, without one, an address.
func (s *sentence) party(before string, who []byte) *sentence {
	if bytes.IndexByte(who, ':') >= 0 {
		return s.add(before).text(redact.Address(string(who)))
	}
	return s.named(before, who)
}

// text adds text of the wire: without secrets, and on one line.
func (s *sentence) text(wire string) *sentence {
	*s = logrecord.AppendText(*s, wire)
	return s
}

func (s *sentence) counted(fields []events.Field) *sentence {
	for i := range fields {
		if v := &fields[i]; v.Element == events.Participants && v.Kind == events.Int {
			s.add(", participants ")
			*s = strconv.AppendInt(*s, int64(v.Number), 10) //nolint:gosec // the bits of an int64
		}
	}
	return s
}

// labels are what people call the elements of a call; the rest has no place in
// a short line.
var labels = [events.ElementCount]string{
	events.Participants: "participants ",
	events.Recording:    "recording ",
	events.Streaming:    "streaming ",
	events.LockState:    " ",
}

func (s *sentence) changes(fields []events.Field) {
	for i := range fields {
		v := &fields[i]
		label := labels[v.Element]
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
