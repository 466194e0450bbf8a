// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package callstitchprocessor

import (
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/legato-otel/legato/internal/names"
	"github.com/legato-otel/legato/internal/stitch"
)

// recordPrefix begins the attributes that describe the record and not its object.
const recordPrefix = names.MeetingServer + ".record."

// text returns a text attribute, "" if absent.
func text(attributes pcommon.Map, key string) string {
	if v, ok := attributes.Get(key); ok && v.Type() == pcommon.ValueTypeStr {
		return v.Str()
	}
	return ""
}

// timeOf returns the record's time by its sender's clock or, if absent, the time of
// observation.
func timeOf(lr plog.LogRecord) int64 {
	if t := lr.Timestamp(); t != 0 {
		return int64(t) //nolint:gosec // a time
	}
	return int64(lr.ObservedTimestamp()) //nolint:gosec // a time
}

// valueOf converts a pdata value; ok is false if it is empty.
func valueOf(v pcommon.Value) (value stitch.Value, ok bool) {
	switch v.Type() {
	case pcommon.ValueTypeStr:
		return stitch.Text(v.Str()), true
	case pcommon.ValueTypeInt:
		return stitch.Int(v.Int()), true
	case pcommon.ValueTypeDouble:
		return stitch.Double(v.Double()), true
	case pcommon.ValueTypeBool:
		return stitch.Bool(v.Bool()), true
	case pcommon.ValueTypeBytes, pcommon.ValueTypeMap, pcommon.ValueTypeSlice:
		return encodeOpaque(v)
	default:
		return value, false
	}
}

// setValue sets a pdata value from a value that valueOf converted.
func setValue(to pcommon.Value, value stitch.Value) {
	switch value.Kind {
	case stitch.KindText:
		to.SetStr(value.Text)
	case stitch.KindInt:
		to.SetInt(value.Int())
	case stitch.KindDouble:
		to.SetDouble(value.Double())
	case stitch.KindBool:
		to.SetBool(value.Bool())
	case stitch.KindOpaque:
		decodeOpaque(to, value)
	}
}

// Lists, maps and bytes are stored as OTLP. pdata cannot encode a single value, so
// encodeOpaque makes it an attribute of an empty resource.

// encodeOpaque encodes a list, a map or bytes.
func encodeOpaque(v pcommon.Value) (value stitch.Value, ok bool) {
	logs := plog.NewLogs()
	v.CopyTo(logs.ResourceLogs().AppendEmpty().Resource().Attributes().PutEmpty(""))
	wire, err := (&plog.ProtoMarshaler{}).MarshalLogs(logs)
	if err != nil {
		return value, false
	}
	return stitch.Opaque(string(wire)), true
}

// decodeOpaque decodes a value that encodeOpaque encoded. A damaged one stays empty.
func decodeOpaque(to pcommon.Value, value stitch.Value) {
	logs, err := (&plog.ProtoUnmarshaler{}).UnmarshalLogs([]byte(value.Text))
	if err != nil || logs.ResourceLogs().Len() == 0 {
		return
	}
	if v, ok := logs.ResourceLogs().At(0).Resource().Attributes().Get(""); ok {
		v.MoveTo(to)
	}
}
