// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package callstitchprocessor

import (
	"encoding/binary"
	"math"
	"slices"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/legato-otel/legato/internal/names"
)

// sources encodes resources. There are few of them, one for each run of a
// bridge, and each comes with every request: the encoded ones are kept.
type sources struct {
	key   []byte // room to look one up
	known map[string]string
}

// knownSources is how many encoded resources are kept. When there are more they
// are encoded anew.
const knownSources = 1024

// maxKnownSource is the largest resource that is kept here, and maxResource the
// longest attribute, in bytes, that a stitched record has of it: real ones are
// small.
const (
	maxKnownSource = 16 << 10
	maxResource    = 4 << 10
)

func newSources() sources { return sources{known: make(map[string]string)} }

// of returns the resource as [encodeResource] has it, and the session of its
// sender.
func (s *sources) of(rl plog.ResourceLogs) (resource, session string) {
	attributes := rl.Resource().Attributes()
	session = text(attributes, names.SessionID)
	var simple bool
	if s.key, simple = appendKey(s.key[:0], rl); !simple {
		return encodeResource(rl), session
	}
	if len(s.key) > maxKnownSource {
		return encodeResource(rl), session
	}
	resource, found := s.known[string(s.key)]
	if !found {
		resource = encodeResource(rl)
		if len(s.known) == knownSources {
			clear(s.known)
		}
		s.known[string(s.key)] = resource
	}
	return resource, session
}

// appendKey appends what tells resources apart, in the order in which it came;
// simple is false for one that has more than plain values.
func appendKey(b []byte, rl plog.ResourceLogs) (key []byte, simple bool) {
	b = appendText(b, rl.SchemaUrl())
	b = binary.AppendUvarint(b, uint64(rl.Resource().DroppedAttributesCount()))
	for name, v := range rl.Resource().Attributes().All() {
		b = append(appendText(b, name), byte(v.Type())) //nolint:gosec // a small number
		switch v.Type() {
		case pcommon.ValueTypeStr:
			b = appendText(b, v.Str())
		case pcommon.ValueTypeInt:
			b = binary.AppendVarint(b, v.Int())
		case pcommon.ValueTypeDouble:
			b = binary.AppendUvarint(b, math.Float64bits(v.Double()))
		case pcommon.ValueTypeBool:
			if v.Bool() {
				b = append(b, 1)
			} else {
				b = append(b, 0)
			}
		default:
			return b, false
		}
	}
	return b, true
}

func appendText(b []byte, text string) []byte {
	return append(binary.AppendUvarint(b, uint64(len(text))), text...)
}

// encodeResource returns a resource and its schema URL as the wire has them,
// with the attributes in the order of their keys: equal resources are equal
// texts.
func encodeResource(rl plog.ResourceLogs) string {
	logs := plog.NewLogs()
	to := logs.ResourceLogs().AppendEmpty()
	to.SetSchemaUrl(rl.SchemaUrl())
	to.Resource().SetDroppedAttributesCount(rl.Resource().DroppedAttributesCount())
	attributes := rl.Resource().Attributes()
	keys := make([]string, 0, attributes.Len())
	for key := range attributes.All() {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	for _, key := range keys {
		if v, ok := attributes.Get(key); ok && len(key) <= maxResource && (v.Type() != pcommon.ValueTypeStr || len(v.Str()) <= maxResource) {
			v.CopyTo(to.Resource().Attributes().PutEmpty(key))
		}
	}
	wire, err := (&plog.ProtoMarshaler{}).MarshalLogs(logs)
	if err != nil {
		return ""
	}
	return string(wire)
}

// decodeResource fills a resource. One that cannot be read stays empty: it was
// stored damaged.
func decodeResource(encoded string, to plog.ResourceLogs) {
	logs, err := (&plog.ProtoUnmarshaler{}).UnmarshalLogs([]byte(encoded))
	if err == nil && logs.ResourceLogs().Len() > 0 {
		logs.ResourceLogs().At(0).MoveTo(to)
	}
}
