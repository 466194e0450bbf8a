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

// rankMessage stands for a message's rank, which the engine computes.
const rankMessage = 1

// readMessage reads an accounting event of a SIP message. It returns false for one
// that belongs to no call.
func (in *batchReader) readMessage(lr plog.LogRecord, r *stitch.Record) (merged bool) {
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
			return false // a response nobody can tell from a request
		}
	}
	for _, key := range ofParties {
		in.fields = append(in.fields, stitch.Field{Key: key, Value: stitch.Text(text(attributes, key))})
	}
	for key, v := range attributes.All() {
		if ofCall(key) || isAnswer(&m) && key == names.OCMSMediaTypes {
			in.appendField(key, v)
		}
	}
	m.Fields = in.fields
	*r, merged = m.Record()
	return merged
}

func isAnswer(m *stitch.Message) bool { return m.Code >= 200 && m.Code < 300 }

// ofParties are the attributes that tell who calls whom. A message gives all of them,
// those it does not have as empty texts: what it leaves open must not be filled from
// a request of the called party, which has the parties the other way round.
var ofParties = []string{
	names.SIPFromName, partOf(names.SIPFromURIPrefix, names.URIOriginal), partOf(names.SIPFromURIPrefix, names.URIUser), partOf(names.SIPFromURIPrefix, names.URIHost),
	names.SIPToName, partOf(names.SIPToURIPrefix, names.URIOriginal), partOf(names.SIPToURIPrefix, names.URIUser), partOf(names.SIPToURIPrefix, names.URIHost),
	partOf(names.SIPURIPrefix, names.URIOriginal),
}

func partOf(prefix, part string) string { return prefix + "." + part }

// isOpen tells whether a field of a stitched record stands for an attribute of
// ofParties that the call's messages do not have.
func isOpen(field *stitch.Field) bool {
	return field.Value.Kind == stitch.KindText && field.Value.Text == "" && slices.Contains(ofParties, field.Key)
}

// ofCall tells which other attributes of a message hold for the call that it belongs
// to. The rest of SIP's, of OCMS's and of the log's are about the one message.
func ofCall(key string) bool {
	if key == names.OCMSLogger || strings.HasPrefix(key, names.OCMSAttributePrefix+".") {
		return true
	}
	return !strings.HasPrefix(key, "sip.") && !strings.HasPrefix(key, names.OCMS+".") && !strings.HasPrefix(key, "log.")
}

// dialogStamp returns what is known of the call that a message belongs to, of whatever
// method.
func (in *batchReader) dialogStamp(attributes pcommon.Map) (known stitch.Stamp, ok bool) {
	ref, found := in.engine.Find(stitch.Dialog, text(attributes, names.SIPCallID))
	if !found {
		return known, false
	}
	return in.engine.Stamp(ref)
}
