// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package logtospanconnector

import (
	"cmp"
	"encoding/hex"
	"strconv"
	"strings"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/legato-otel/legato/internal/names"
)

// recordAttribute is one of the attributes that move into the span.
type recordAttribute uint8

const (
	attributeName recordAttribute = iota
	attributeKind
	attributeParentID
	attributeStart
	attributeStatus
	attributeLinks
	attributeCount

	notSpanAttribute = attributeCount
)

const attributePrefix = "span."

// spanAttributeOf returns which of them a key is. It runs for each attribute of each record.
func spanAttributeOf(key string) recordAttribute {
	if !strings.HasPrefix(key, attributePrefix) {
		return notSpanAttribute
	}
	switch key {
	case names.SpanName:
		return attributeName
	case names.SpanKind:
		return attributeKind
	case names.SpanParentID:
		return attributeParentID
	case names.SpanStart:
		return attributeStart
	case names.SpanStatus:
		return attributeStatus
	case names.SpanLinks:
		return attributeLinks
	default:
		return notSpanAttribute
	}
}

// spanAttributes are the span.* attributes of a record. An attribute without a value (a JSON
// null) counts as absent.
type spanAttributes struct {
	value      [attributeCount]pcommon.Value
	present    [attributeCount]bool
	anyPresent bool
}

func collectSpanAttributes(attributes pcommon.Map) (v spanAttributes) {
	for key, value := range attributes.All() {
		f := spanAttributeOf(key)
		// Of several attributes with one key the first counts, as in Map.Get.
		if f == notSpanAttribute || v.present[f] || value.Type() == pcommon.ValueTypeEmpty {
			continue
		}
		v.value[f], v.present[f], v.anyPresent = value, true, true
	}
	return v
}

// text returns a text attribute, or fallback if it is absent.
func (v *spanAttributes) text(f recordAttribute, fallback string) (text string, ok bool) {
	if !v.present[f] {
		return fallback, true
	}
	return v.value[f].Str(), v.value[f].Type() == pcommon.ValueTypeStr
}

// spanFields are the fields of a span that need checking.
type spanFields struct {
	name       string
	kind       ptrace.SpanKind
	parent     pcommon.SpanID
	start, end pcommon.Timestamp
	status     ptrace.StatusCode
}

// readSpanFields reads a record. It returns converted if the record has no fault, else skipped
// or the first fault; s is valid only with converted.
func readSpanFields(lr plog.LogRecord, v *spanAttributes) (s spanFields, found result) {
	if !v.anyPresent {
		return s, skipped
	}
	if lr.TraceID().IsEmpty() {
		return s, traceIDMissing
	}
	if lr.SpanID().IsEmpty() {
		return s, spanIDMissing
	}
	return s, cmp.Or(s.readTimes(lr, v), s.readName(lr, v), s.readKind(v), s.readStatus(v), s.readParent(lr, v))
}

func (s *spanFields) readTimes(lr plog.LogRecord, v *spanAttributes) result {
	if !v.present[attributeStart] {
		return startMissing
	}
	start, ok := nanoseconds(v.value[attributeStart])
	if !ok {
		return startInvalid
	}
	s.start, s.end = start, lr.Timestamp()
	switch {
	case s.end == 0:
		return endMissing
	case s.end < s.start:
		return endBeforeStart
	default:
		return converted
	}
}

// nanoseconds converts an Int or a decimal text, which OTLP's JSON uses for such numbers. A
// Double has too few digits.
func nanoseconds(value pcommon.Value) (t pcommon.Timestamp, ok bool) {
	switch value.Type() {
	case pcommon.ValueTypeInt:
		n := value.Int()
		return pcommon.Timestamp(max(0, n)), n > 0
	case pcommon.ValueTypeStr:
		n, err := strconv.ParseUint(value.Str(), 10, 64)
		return pcommon.Timestamp(n), err == nil && n > 0
	default:
		return 0, false
	}
}

// readName uses the event name if span.name is absent: it has low cardinality and is equal for
// all records of a kind, as a span's name must be.
func (s *spanFields) readName(lr plog.LogRecord, v *spanAttributes) result {
	name, ok := v.text(attributeName, "")
	if name == "" {
		name = lr.EventName()
	}
	if !ok || name == "" {
		return nameInvalid
	}
	s.name = name
	return converted
}

func (s *spanFields) readKind(v *spanAttributes) result {
	text, _ := v.text(attributeKind, names.SpanKindInternal)
	switch text {
	case names.SpanKindServer:
		s.kind = ptrace.SpanKindServer
	case names.SpanKindClient:
		s.kind = ptrace.SpanKindClient
	case names.SpanKindInternal:
		s.kind = ptrace.SpanKindInternal
	case names.SpanKindProducer:
		s.kind = ptrace.SpanKindProducer
	case names.SpanKindConsumer:
		s.kind = ptrace.SpanKindConsumer
	default:
		return kindUnknown
	}
	return converted
}

func (s *spanFields) readStatus(v *spanAttributes) result {
	text, _ := v.text(attributeStatus, names.SpanStatusUnset)
	switch text {
	case names.SpanStatusUnset:
		s.status = ptrace.StatusCodeUnset
	case names.SpanStatusOK:
		s.status = ptrace.StatusCodeOk
	case names.SpanStatusError:
		s.status = ptrace.StatusCodeError
	default:
		return statusUnknown
	}
	return converted
}

// readParent treats an empty text as a root, because an empty span id is written so.
func (s *spanFields) readParent(lr plog.LogRecord, v *spanAttributes) result {
	text, ok := v.text(attributeParentID, "")
	if ok && text == "" {
		return converted
	}
	if !ok || !parseID(s.parent[:], text) {
		return parentIDInvalid
	}
	if s.parent == lr.SpanID() {
		return parentIsSelf
	}
	return converted
}

// parseID decodes a hex id. It returns false if text is not an id, or all zero.
func parseID(id []byte, text string) bool {
	if len(text) != hex.EncodedLen(len(id)) {
		return false
	}
	if _, err := hex.Decode(id, []byte(text)); err != nil {
		return false
	}
	for _, b := range id {
		if b != 0 {
			return true
		}
	}
	return false
}
