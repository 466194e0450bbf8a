// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package callstitchprocessor

import (
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/legato-otel/legato/internal/stitch"
	"github.com/legato-otel/legato/processor/callstitchprocessor/internal/metadata"
)

// batch is what is sent together: the records of the objects that have been
// owed for the longest time, by resource.
type batch struct {
	logs    plog.Logs
	objects []sent
	version string
	// records of each resource, as they are encoded.
	records map[string]plog.LogRecordSlice
}

// sent is an object of a batch.
type sent struct {
	ref  stitch.Ref
	kind stitch.Kind
	span stitch.SpanID
}

func newBatch(version string) *batch {
	return &batch{logs: plog.NewLogs(), version: version, records: make(map[string]plog.LogRecordSlice)}
}

// add renders one more object.
func (b *batch) add(s *stitch.Stitched) {
	records, known := b.records[s.Resource]
	if !known {
		rl := b.logs.ResourceLogs().AppendEmpty()
		decodeResource(s.Resource, rl)
		sl := rl.ScopeLogs().AppendEmpty()
		setScope(sl.Scope(), b.version)
		records = sl.LogRecords()
		b.records[s.Resource] = records
	}
	render(records.AppendEmpty(), s)
	b.objects = append(b.objects, sent{s.Ref, s.Kind, s.Span})
}

// setScope says that it is this processor which made the records.
func setScope(to pcommon.InstrumentationScope, version string) {
	to.SetName(metadata.ScopeName)
	to.SetVersion(version)
}

// last is the object that was added last, the zero Ref if there is none.
func (b *batch) last() stitch.Ref {
	if len(b.objects) == 0 {
		return stitch.Ref{}
	}
	return b.objects[len(b.objects)-1].ref
}
