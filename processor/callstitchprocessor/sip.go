// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package callstitchprocessor

import (
	"slices"
	"strings"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/legato-otel/legato/internal/names"
	"github.com/legato-otel/legato/internal/stitch"
)

// rankMessage is not 0, so that an event without a Call-ID is still stamped. Message.Record
// computes the index.
const rankMessage = 1

// readMessage reads an accounting event of a SIP message. It returns false for a message
// outside a call.
func (br *requestReader) readMessage(lr plog.LogRecord, r *stitch.Record) (merged bool) {
	attributes := lr.Attributes()
	m := stitch.Message{
		CallID: text(attributes, names.SIPCallID), Method: text(attributes, names.SIPMethod), CSeq: -1,
		FromTag: text(attributes, names.SIPFromTag), ToTag: text(attributes, names.SIPToTag),
		Time: r.Time, Source: r.Source,
	}
	if number, ok := integer(attributes, names.SIPCSeqNumber); ok {
		m.CSeq = number
	}
	if lr.EventName() == names.EventOCMSResponse {
		if m.Code, _ = integer(attributes, names.SIPCode); m.Code <= 0 {
			return false // it cannot be distinguished from a request
		}
	}
	for _, key := range partyAttributes {
		br.fields = append(br.fields, stitch.Field{Key: key, Value: stitch.Text(text(attributes, key))})
	}
	for key, v := range attributes.All() {
		if isCallAttribute(key) || isAnswer(&m) && key == names.OCMSMediaTypes {
			br.appendField(key, v)
		}
	}
	m.Fields = br.fields
	*r, merged = m.Record()
	return merged
}

func isAnswer(m *stitch.Message) bool { return m.Code >= 200 && m.Code < 300 }

// partyAttributes identify caller and called party. Each message sets all of them, absent ones
// to empty texts. A request of the called party has the parties reversed, so it must not fill
// the gaps of other messages.
var partyAttributes = []string{
	names.SIPFromName, uriAttribute(names.SIPFromURIPrefix, names.URIOriginal), uriAttribute(names.SIPFromURIPrefix, names.URIUser), uriAttribute(names.SIPFromURIPrefix, names.URIHost),
	names.SIPToName, uriAttribute(names.SIPToURIPrefix, names.URIOriginal), uriAttribute(names.SIPToURIPrefix, names.URIUser), uriAttribute(names.SIPToURIPrefix, names.URIHost),
	uriAttribute(names.SIPURIPrefix, names.URIOriginal),
}

func uriAttribute(prefix, part string) string { return prefix + "." + part }

// isUnsetParty reports whether a field is a party attribute that no message of the call has.
func isUnsetParty(field *stitch.Field) bool {
	return field.Value.Kind == stitch.KindText && field.Value.Text == "" && slices.Contains(partyAttributes, field.Key)
}

// isCallAttribute reports whether an attribute applies to the whole call. The other attributes
// of SIP, OCMS and the log apply to one message.
func isCallAttribute(key string) bool {
	if key == names.OCMSLogger || strings.HasPrefix(key, names.OCMSAttributePrefix+".") {
		return true
	}
	return !strings.HasPrefix(key, "sip.") && !strings.HasPrefix(key, names.OCMS+".") && !strings.HasPrefix(key, "log.")
}

// stampOfDialog returns the ids and the context of the call that a message belongs to, whatever
// its method.
func (br *requestReader) stampOfDialog(attributes pcommon.Map) (s stitch.Stamp, ok bool) {
	ref, found := br.engine.Find(stitch.Dialog, text(attributes, names.SIPCallID))
	if !found {
		return s, false
	}
	return br.engine.Stamp(ref)
}
