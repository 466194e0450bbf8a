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

// attributeKeys are the attribute keys of the elements of a call or a participant.
type attributeKeys struct {
	prefix string // "call" or "participant", for the keys of undocumented elements
	keys   [events.ElementCount]string
}

// Elements of the list of calls and of a call info describe the call, elements of a roster
// the participant.
var (
	callKeys        = newAttributeKeys("call")
	participantKeys = newAttributeKeys("participant")
)

func newAttributeKeys(element string) *attributeKeys {
	o := &attributeKeys{prefix: element}
	for e := events.Unknown + 1; e < events.ElementCount; e++ {
		o.keys[e] = names.MeetingServerAttribute(element, e.String())
	}
	return o
}

// putFields writes elements as attributes. In an add it skips unset values; in an update an
// unset value becomes an empty attribute, because becoming unset is the change.
func (o *attributeKeys) putFields(m pcommon.Map, fields []events.Field, added bool) {
	for i := range fields {
		v := &fields[i]
		if added && v.Kind == events.Null {
			continue
		}
		if v.Element == events.Unknown {
			o.putUnknownField(m, v)
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
			m.PutStr(key, redactElement(v.Element, string(v.Text)))
		}
	}
}

func redactElement(e events.Element, text string) string {
	if e == events.URI {
		return redact.Address(text)
	}
	return redact.Text(text)
}

// putUnknownField writes an undocumented element as text. It never overwrites the attribute
// of a documented element.
func (o *attributeKeys) putUnknownField(m pcommon.Map, v *events.Field) {
	name := string(v.Name)
	key := names.MeetingServerAttribute(o.prefix, name)
	if _, taken := m.Get(key); taken {
		key += ".unknown"
	}
	text := string(v.Text)
	switch {
	case v.Kind == events.Null:
		m.PutEmpty(key)
	case redact.IsSecretName(name):
		m.PutStr(key, redact.Mark)
	default:
		m.PutStr(key, redact.Text(text))
	}
}
