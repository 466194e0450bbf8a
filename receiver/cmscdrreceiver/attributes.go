// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package cmscdrreceiver

import (
	"strings"

	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/legato-otel/legato/internal/meetingserver/cdr"
	"github.com/legato-otel/legato/internal/names"
	"github.com/legato-otel/legato/internal/redact"
)

// fieldKeys are the attribute names of the documented fields.
var fieldKeys = func() (keys [cdr.FieldCount]string) {
	for id := cdr.Unknown + 1; id < cdr.FieldCount; id++ {
		d := cdr.Documented(id)
		keys[id] = names.MeetingServerAttribute(d.Object.Element(), d.Path)
	}
	return keys
}()

func putValue(m pcommon.Map, key string, id cdr.FieldID, v cdr.Value) {
	switch v.Kind {
	case cdr.KindText:
		m.PutStr(key, withoutSecret(id, v.Text))
	case cdr.KindID:
		m.PutStr(key, v.Text)
	case cdr.KindBool:
		m.PutBool(key, v.Bool())
	case cdr.KindInt:
		m.PutInt(key, v.Int())
	case cdr.KindDouble:
		m.PutDouble(key, v.Double())
	}
}

// withoutSecret takes stream keys and credentials out of a value. The ids of SIP
// calls stay as they are: they join records of several sources.
func withoutSecret(id cdr.FieldID, text string) string {
	switch id {
	case cdr.StreamingStreamURL:
		return redact.URL(text)
	case cdr.CallLegSIPCallID, cdr.CallLegReplacesSIPCallID:
		return text
	case cdr.CallLegRemoteParty, cdr.CallLegOriginalRemoteParty, cdr.CallLegLocalAddress:
		return redact.Address(text)
	default:
		return redact.Text(text)
	}
}

// putUnknown keeps a value the guide does not know. documented is how many
// attributes of m are documented: none of them is overwritten or changed. What
// stands several times becomes a slice.
func putUnknown(m pcommon.Map, documented int, element string, f *cdr.Field) {
	key, text := names.MeetingServerAttribute(element, f.Path), withoutUnknownSecret(f)
	if hasKey(m, documented, key) {
		key += ".unknown"
	}
	present, exists := m.Get(key)
	switch {
	case !exists:
		m.PutStr(key, text)
	case present.Type() == pcommon.ValueTypeSlice:
		present.Slice().AppendEmpty().SetStr(text)
	default:
		first := present.Str()
		values := present.SetEmptySlice()
		values.AppendEmpty().SetStr(first)
		values.AppendEmpty().SetStr(text)
	}
}

// hasKey tells whether key is among the first n attributes.
func hasKey(m pcommon.Map, n int, key string) bool {
	for known := range m.All() {
		if n == 0 {
			return false
		}
		if known == key {
			return true
		}
		n--
	}
	return false
}

// withoutUnknownSecret returns the text of a value the guide does not know,
// unless its name, or that of an element around it, speaks of a secret.
func withoutUnknownSecret(f *cdr.Field) string {
	if f.Text == "" {
		return ""
	}
	isAddress := false
	for name := range strings.SplitSeq(f.Path, "/") {
		if redact.Secret(name) {
			return redact.Mark
		}
		isAddress = redact.IsAddress(name)
	}
	if isAddress {
		return redact.Address(f.Text)
	}
	return redact.Text(f.Text)
}
