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

// field is one of the attributes that move into the span.
type field uint8

const (
	fieldName field = iota
	fieldKind
	fieldParentID
	fieldStart
	fieldStatus
	fieldLinks
	fields

	notField = fields
)

const fieldPrefix = "span."

// fieldOf runs once for each attribute of each record.
func fieldOf(key string) field {
	if !strings.HasPrefix(key, fieldPrefix) {
		return notField
	}
	switch key {
	case names.SpanName:
		return fieldName
	case names.SpanKind:
		return fieldKind
	case names.SpanParentID:
		return fieldParentID
	case names.SpanStart:
		return fieldStart
	case names.SpanStatus:
		return fieldStatus
	case names.SpanLinks:
		return fieldLinks
	default:
		return notField
	}
}

// values are the span.* attributes of a record. One without a value (a JSON
// null) is as good as absent.
type values struct {
	value [fields]pcommon.Value
	given [fields]bool
	any   bool
}

func collect(attributes pcommon.Map) (v values) {
	for key, value := range attributes.All() {
		f := fieldOf(key)
		// Of several attributes with one key the first counts, as for Map.Get.
		if f == notField || v.given[f] || value.Type() == pcommon.ValueTypeEmpty {
			continue
		}
		v.value[f], v.given[f], v.any = value, true, true
	}
	return v
}

// text returns a text attribute; fallback stands for an absent one.
func (v *values) text(f field, fallback string) (text string, ok bool) {
	if !v.given[f] {
		return fallback, true
	}
	return v.value[f].Str(), v.value[f].Type() == pcommon.ValueTypeStr
}

// shape is the span that a record describes, as far as it needs checking.
type shape struct {
	name       string
	kind       ptrace.SpanKind
	parent     pcommon.SpanID
	start, end pcommon.Timestamp
	status     ptrace.StatusCode
}

// shapeOf reads a record. The verdict is converted, which is zero, or the first
// thing that is wrong with the record; then the shape says nothing.
func shapeOf(lr plog.LogRecord, v *values) (s shape, found verdict) {
	if !v.any {
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

func (s *shape) readTimes(lr plog.LogRecord, v *values) verdict {
	if !v.given[fieldStart] {
		return startMissing
	}
	start, ok := nanoseconds(v.value[fieldStart])
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

// nanoseconds takes text as well, because OTLP's JSON and many others write
// such numbers as text. It takes no Double: that has not enough digits.
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

// readName takes the event name if there is no other: it is what a span's name
// has to be, of low cardinality and the same for all of a kind.
func (s *shape) readName(lr plog.LogRecord, v *values) verdict {
	name, ok := v.text(fieldName, "")
	if name == "" {
		name = lr.EventName()
	}
	if !ok || name == "" {
		return nameInvalid
	}
	s.name = name
	return converted
}

func (s *shape) readKind(v *values) verdict {
	text, _ := v.text(fieldKind, names.SpanKindInternal)
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

func (s *shape) readStatus(v *values) verdict {
	text, _ := v.text(fieldStatus, names.SpanStatusUnset)
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

// readParent takes an empty text for a root: that is how an empty span id is
// written.
func (s *shape) readParent(lr plog.LogRecord, v *values) verdict {
	text, ok := v.text(fieldParentID, "")
	if ok && text == "" {
		return converted
	}
	if !ok || !fromHex(s.parent[:], text) {
		return parentIDInvalid
	}
	if s.parent == lr.SpanID() {
		return parentIsSelf
	}
	return converted
}

// fromHex fills an id; it tells whether text is one, and not all zero.
func fromHex(id []byte, text string) bool {
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
