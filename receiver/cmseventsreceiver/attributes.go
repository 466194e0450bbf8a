// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package cmseventsreceiver

import (
	"math"

	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/legato-otel/legato/internal/meetingserver/events"
	"github.com/legato-otel/legato/internal/names"
	"github.com/legato-otel/legato/internal/redact"
)

// object is what an event is about.
type object struct {
	element string // "call", for names of elements nobody knows
	keys    [events.ElementCount]string
}

// The objects. Elements of calls and callInfo are the call's, those of a roster
// the participant's.
var (
	callObject        = newObject("call")
	participantObject = newObject("participant")
)

func newObject(element string) *object {
	o := &object{element: element}
	for e := events.Unknown + 1; e < events.ElementCount; e++ {
		o.keys[e] = names.MeetingServerAttribute(element, e.String())
	}
	return o
}

// put writes elements. A value that is unset is no attribute of what is added,
// and an empty one of what changed: there, being unset is the news.
func (o *object) put(m pcommon.Map, fields []events.Field, added bool) {
	for i := range fields {
		v := &fields[i]
		if added && v.Kind == events.Null {
			continue
		}
		if v.Element == events.Unknown {
			o.putUnknown(m, v)
			continue
		}
		key := o.keys[v.Element]
		switch v.Kind {
		case events.Null:
			m.PutEmpty(key)
		case events.Bool:
			m.PutBool(key, v.Number != 0)
		case events.Int:
			m.PutInt(key, int64(v.Number)) //nolint:gosec // the bits of an int64
		case events.Double:
			m.PutDouble(key, math.Float64frombits(v.Number))
		default:
			m.PutStr(key, withoutSecret(v.Element, string(v.Text)))
		}
	}
}

func withoutSecret(e events.Element, text string) string {
	if e == events.URI {
		return redact.Address(text)
	}
	return redact.Text(text)
}

// putUnknown keeps an element that nobody knows, as text. It overwrites none of
// those that are known.
func (o *object) putUnknown(m pcommon.Map, v *events.Field) {
	name := string(v.Name)
	key := names.MeetingServerAttribute(o.element, name)
	if _, taken := m.Get(key); taken {
		key += ".unknown"
	}
	text := string(v.Text)
	switch {
	case v.Kind == events.Null:
		m.PutEmpty(key)
	case redact.Secret(name):
		m.PutStr(key, redact.Mark)
	default:
		m.PutStr(key, redact.Text(text))
	}
}
