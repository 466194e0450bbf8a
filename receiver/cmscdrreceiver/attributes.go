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
		m.PutStr(key, redactField(id, v.Text))
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

// redactField removes stream keys and credentials from a value. It keeps the ids of SIP
// calls, because they join records of several sources.
func redactField(id cdr.FieldID, text string) string {
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

// putUnknown writes a value that the guide does not document. The first documented
// attributes of m are documented ones, which it does not change. A repeated element becomes
// a slice.
func putUnknown(m pcommon.Map, documented int, element string, f *cdr.Field) {
	key, text := names.MeetingServerAttribute(element, f.Path), redactUnknownField(f)
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

// hasKey reports whether key is among the first n attributes.
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

// redactUnknownField returns the text of a value that the guide does not document. It
// replaces the text if the name of the element, or of one around it, indicates a secret.
func redactUnknownField(f *cdr.Field) string {
	if f.Text == "" {
		return ""
	}
	isAddress := false
	for name := range strings.SplitSeq(f.Path, "/") {
		if redact.IsSecretName(name) {
			return redact.Mark
		}
		isAddress = redact.IsAddress(name)
	}
	if isAddress {
		return redact.Address(f.Text)
	}
	return redact.Text(f.Text)
}
