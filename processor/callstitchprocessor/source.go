// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package callstitchprocessor

import (
	"encoding/binary"
	"math"
	"slices"
	"strings"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/legato-otel/legato/internal/names"
	"github.com/legato-otel/legato/internal/stitch"
)

// sources caches encoded resources. Each run of a bridge has one resource, which each of its
// requests repeats.
type sources struct {
	key    []byte // memory for a lookup
	cached map[string]stitch.Source
}

// maxCachedSources bounds the cached resources. A full cache is cleared.
const maxCachedSources = 1024

// maxCachedSize is the largest resource that is cached, and maxResourceAttribute the longest
// resource attribute that a stitched record gets, in bytes. Real ones are shorter.
const (
	maxCachedSize        = 16 << 10
	maxResourceAttribute = 4 << 10
)

func newSources() sources { return sources{cached: make(map[string]stitch.Source)} }

// get returns the source of the records of a resource: the encoded resource, the session of its
// sender, and its Call Bridge.
func (s *sources) get(rl plog.ResourceLogs) stitch.Source {
	var simple bool
	if s.key, simple = appendKey(s.key[:0], rl); !simple || len(s.key) > maxCachedSize {
		return sourceOf(rl)
	}
	source, found := s.cached[string(s.key)]
	if !found {
		source = sourceOf(rl)
		if len(s.cached) == maxCachedSources {
			clear(s.cached)
		}
		s.cached[string(s.key)] = source
	}
	return source
}

func sourceOf(rl plog.ResourceLogs) stitch.Source {
	attributes := rl.Resource().Attributes()
	session := strings.Clone(text(attributes, names.SessionID))
	source := stitch.NewSource(encodeResource(rl), session)
	if session == "" {
		return source
	}
	rank, identity := bridgeOf(attributes, session)
	return source.OnBridge(rank, identity)
}

// bridgeOf returns the identity of a session's Call Bridge, and its rank. A bridge without an
// id and a label is in no cluster, so it shares no rooms. All bridges without even an address
// count as one.
func bridgeOf(attributes pcommon.Map, session string) (rank uint8, identity string) {
	for i, key := range []string{names.CallBridgeID, names.SystemID, names.ServiceInstanceID, names.ClientAddress} {
		if identity = text(attributes, key); identity != "" && !strings.EqualFold(identity, session) {
			return uint8(stitch.MaxRank - i), identity
		}
	}
	return 1, ""
}

// appendKey appends a key of a resource, in the order of its attributes; simple is false for a
// resource with lists, maps or bytes.
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

// encodeResource encodes a resource and its schema URL as OTLP, with the attributes in key
// order, so that equal resources have equal encodings.
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
		if v, ok := attributes.Get(key); ok && len(key) <= maxResourceAttribute && (v.Type() != pcommon.ValueTypeStr || len(v.Str()) <= maxResourceAttribute) {
			v.CopyTo(to.Resource().Attributes().PutEmpty(key))
		}
	}
	wire, err := (&plog.ProtoMarshaler{}).MarshalLogs(logs)
	if err != nil {
		return ""
	}
	return string(wire)
}

// decodeResource decodes a resource. A damaged one stays empty.
func decodeResource(encoded string, to plog.ResourceLogs) {
	logs, err := (&plog.ProtoUnmarshaler{}).UnmarshalLogs([]byte(encoded))
	if err == nil && logs.ResourceLogs().Len() > 0 {
		logs.ResourceLogs().At(0).MoveTo(to)
	}
}
