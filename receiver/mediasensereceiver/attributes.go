// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package mediasensereceiver

import (
	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/legato-otel/legato/internal/mediasense/event"
	"github.com/legato-otel/legato/internal/names"
	"github.com/legato-otel/legato/internal/otel/logrecord"
	"github.com/legato-otel/legato/internal/redact"
)

// prefixes of the objects whose elements become attributes.
var prefixes = map[event.Object]string{
	event.NoObject: names.MediaSenseBodyPrefix,
	event.Envelope: names.MediaSense,
	event.Session:  names.KindSession,
	event.TagEvent: names.MediaSenseTagPrefix,
	event.Storage:  names.MediaSenseStoragePrefix,
	event.Track:    names.KindTrack,
}

// fieldKeys are the attribute keys of the documented elements, and nestedKeys their keys in
// the maps of a list.
var fieldKeys, nestedKeys = func() (keys, nested [event.FieldCount]string) {
	for f := event.Unknown + 1; f < event.FieldCount; f++ {
		d := event.DocumentedField(f)
		keys[f], nested[f] = names.Attribute(prefixes[d.Object], d.Name), names.Snake(d.Name)
	}
	keys[event.SessionID] = names.MediaSenseSessionID
	keys[event.TagEventSessionID] = names.MediaSenseSessionID
	return keys, nested
}()

// putEvent writes all values of an event.
func putEvent(m pcommon.Map, e *event.Event) {
	capacity := len(e.Body) + len(e.Extra) + 4
	if e.Object != event.Storage { // callstitch stamps the records of sessions
		capacity += logrecord.StampAttributes
	}
	m.EnsureCapacity(capacity)
	putMembers(m, prefixes[e.Object], e.Body)
	if number, ok := e.Int(event.TagEventTrackNumber); ok && e.SessionID() != "" {
		m.PutStr(names.MediaSenseTrackID, trackID(e.SessionID(), number))
	}
	putForwarded(m, e)
	putMembers(m, names.MediaSense, e.Extra)
	putPartNumbers(m, e)
}

// putPartNumbers writes the number of a piece of a long event.
func putPartNumbers(m pcommon.Map, e *event.Event) {
	if e.Parts > 0 {
		m.PutInt(names.MediaSenseRecordPart, int64(e.Part))
		m.PutInt(names.MediaSenseRecordParts, int64(e.Parts))
	}
}

func putForwarded(m pcommon.Map, e *event.Event) {
	if e.Forwarded.Kind != event.KindNull {
		putValue(m.PutEmpty(names.MediaSenseForwarded), &e.Forwarded)
	}
}

// putMembers writes the elements of an object under its prefix. It writes the documented ones
// first, so that no undocumented one replaces them.
func putMembers(m pcommon.Map, prefix string, members []event.Member) {
	putMembersByKey(m, members, func(member *event.Member) string {
		if member.Field != event.Unknown {
			return fieldKeys[member.Field]
		}
		return names.Attribute(prefix, member.Name)
	})
}

// putNested writes the elements of an object into a map of its own.
func putNested(m pcommon.Map, members []event.Member) {
	m.EnsureCapacity(len(members))
	putMembersByKey(m, members, func(member *event.Member) string {
		if member.Field != event.Unknown {
			return nestedKeys[member.Field]
		}
		return names.Snake(member.Name)
	})
}

func putMembersByKey(m pcommon.Map, members []event.Member, key func(*event.Member) string) {
	unknown := 0
	for i := range members {
		switch member := &members[i]; {
		case member.Field == event.Unknown:
			unknown++
		case member.Value.Kind != event.KindNull: // null counts as absent
			putValue(m.PutEmpty(key(member)), &member.Value)
		}
	}
	for i := range members {
		member := &members[i]
		if unknown == 0 {
			return
		}
		if member.Field != event.Unknown {
			continue
		}
		unknown--
		name := key(member)
		for _, taken := m.Get(name); taken; _, taken = m.Get(name) {
			name += ".unknown"
		}
		if redact.IsSecretName(member.Name) && member.Value.Kind != event.KindNull {
			m.PutStr(name, redact.Mark)
			continue
		}
		putValue(m.PutEmpty(name), &member.Value)
	}
}

// putValue writes a value without secrets, nested ones as maps and slices.
func putValue(to pcommon.Value, v *event.Value) {
	switch v.Kind {
	case event.KindNull:
	case event.KindBool:
		to.SetBool(v.Bool())
	case event.KindInt:
		to.SetInt(v.Int())
	case event.KindDouble:
		to.SetDouble(v.Double())
	case event.KindText:
		to.SetStr(redact.Text(v.Text))
	case event.KindList:
		items := to.SetEmptySlice()
		items.EnsureCapacity(len(v.Items))
		for i := range v.Items {
			putValue(items.AppendEmpty(), &v.Items[i])
		}
	case event.KindMap:
		putNested(to.SetEmptyMap(), v.Members)
	}
}
