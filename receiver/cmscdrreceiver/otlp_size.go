// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package cmscdrreceiver

import (
	"github.com/legato-otel/legato/internal/ingest/outbox"
	"github.com/legato-otel/legato/internal/meetingserver/cdr"
)

// exceedsExpansion reports whether the log records of a chunk would exceed
// outbox.MaxExpansion. It estimates their size before it makes them.
func (b *batch) exceedsExpansion(c *outbox.Chunk) bool {
	if b.bodySize <= outbox.SmallBody {
		return false
	}
	size := 0
	from, end := b.recordsOf(c)
	for i := from; i < end; i++ {
		if !b.records[i].isDuplicate {
			size += otlpSizeOf(&b.decoded.Records[i]) + otlpSizeOfGap(&b.records[i])
		}
	}
	from, end = b.malformedOf(c)
	for i := from; i < end; i++ {
		if !b.malformed[i].isDuplicate {
			size += len(b.decoded.Malformed[i].Raw) + otlpBaseSize + otlpSizeOfGap(&b.malformed[i])
		}
	}
	return !b.expansion.Allow(c.Bytes, size)
}

// Upper bounds of OTLP sizes, in bytes, without the values of a record's fields.
const (
	// otlpBaseSize is for times, severity, event name and the record's start tag.
	otlpBaseSize = 400
	// otlpAttributeSize is for an attribute without its key and value.
	otlpAttributeSize = 10
	// otlpAlarmSize is for an alarm without its type, which is in the attribute's key
	// and in the body.
	otlpAlarmSize = 100
	// otlpPrefixSize is for the prefix of the key of an undocumented value.
	otlpPrefixSize = 40
)

// otlpSizeOf returns an upper bound of the size of a record's event. The body contains
// some of the values, with escapes.
func otlpSizeOf(r *cdr.Record) int {
	if len(r.Raw) > maxRecordBytes {
		return len(r.Raw) + otlpBaseSize
	}
	size := otlpBaseSize
	for i := range r.Fields {
		f := &r.Fields[i]
		size += len(fieldKeys[f.ID]) + len(f.Text) + otlpAttributeSize
		if f.ID == cdr.Unknown {
			size += otlpPrefixSize + 2*len(f.Path)
		} else {
			size += 2 * min(len(f.Text), maxShownBytes)
		}
	}
	for i := range r.Alarms {
		size += otlpAlarmSize + 3*len(r.Alarms[i].Type)
	}
	if r.Type == cdr.TypeUnknown {
		size += len(r.Raw)
	}
	return size
}

// otlpSizeOfGap returns an upper bound of the size of the record.gap event before a part.
func otlpSizeOfGap(p *part) int {
	if p.missing == 0 {
		return 0
	}
	return otlpBaseSize
}
