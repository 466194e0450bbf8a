// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package cmseventsreceiver

import (
	"bytes"
	"strconv"
	"strings"

	"github.com/legato-otel/legato/internal/cmsevents"
	"github.com/legato-otel/legato/internal/logrecord"
	"github.com/legato-otel/legato/internal/redact"
)

// describe is a change in one line, for people who read logs.
func describe(c *cmsevents.Change) string {
	var room [160]byte
	line := sentence(room[:0])
	switch c.Kind {
	case cmsevents.CallAdded:
		line.add("call active").named(": ", c.CallName).counted(c.Fields)
	case cmsevents.CallChanged:
		line.add("call updated").named(": ", c.CallName).changes(c.Fields)
	case cmsevents.InfoChanged:
		line.add("call info").named(": ", c.CallName).changes(c.Fields)
	case cmsevents.CallRemoved:
		line.add("call ended").named(": ", c.Reason).named(separator(c.Reason), c.CallName)
	case cmsevents.ParticipantAdded:
		line.add("participant ").add(arrivals[c.State]).party(": ", c.Who).named(" in ", c.CallName)
	case cmsevents.ParticipantChanged:
		line.add("participant ").text(whatChanged(c.Fields)).party(": ", c.Who).named(" in ", c.CallName)
	case cmsevents.ParticipantRemoved:
		line.add("participant left").named(": ", c.Reason).party(separator(c.Reason), c.Who).named(" in ", c.CallName)
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
var arrivals = [cmsevents.StateLabels]string{
	cmsevents.NoState:               "joined",
	cmsevents.Initial:               "arriving",
	cmsevents.Ringing:               "ringing",
	cmsevents.Connected:             "joined",
	cmsevents.OnHold:                "on hold",
	cmsevents.OtherParticipantState: "joined",
}

// whatChanged is the news people look for, most important first.
func whatChanged(fields []cmsevents.Field) string {
	news, rank := "updated", 0
	for i := range fields {
		v := &fields[i]
		word, r := "", 0
		switch v.Element {
		case cmsevents.State:
			word, r = stateWord(string(v.Text)), 6
		case cmsevents.AudioMuted:
			word, r = either(v, "muted", "unmuted"), 5
		case cmsevents.VideoMuted:
			word, r = either(v, "video muted", "video unmuted"), 4
		case cmsevents.Presenter:
			word, r = either(v, "presenting", "stopped presenting"), 3
		case cmsevents.EndpointRecording:
			word, r = "recording "+string(v.Text), 2
		case cmsevents.ActiveSpeaker:
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

func either(v *cmsevents.Field, yes, no string) string {
	switch {
	case v.Kind != cmsevents.Bool:
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

func (s *sentence) counted(fields []cmsevents.Field) *sentence {
	for i := range fields {
		if v := &fields[i]; v.Element == cmsevents.Participants && v.Kind == cmsevents.Int {
			s.add(", participants ")
			*s = strconv.AppendInt(*s, int64(v.Number), 10) //nolint:gosec // the bits of an int64
		}
	}
	return s
}

// labels are what people call the elements of a call; the rest has no place in
// a short line.
var labels = [cmsevents.ElementCount]string{
	cmsevents.Participants: "participants ",
	cmsevents.Recording:    "recording ",
	cmsevents.Streaming:    "streaming ",
	cmsevents.LockState:    " ",
}

func (s *sentence) changes(fields []cmsevents.Field) {
	for i := range fields {
		v := &fields[i]
		label := labels[v.Element]
		if label == "" || v.Kind == cmsevents.Null {
			continue
		}
		s.add(", ")
		if label != " " {
			s.add(label)
		}
		if v.Kind == cmsevents.Int {
			*s = strconv.AppendInt(*s, int64(v.Number), 10) //nolint:gosec // the bits of an int64
		} else {
			*s = logrecord.AppendText(*s, v.Text)
		}
	}
}
