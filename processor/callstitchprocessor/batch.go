// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package callstitchprocessor

import (
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/legato-otel/legato/internal/stitch"
	"github.com/legato-otel/legato/processor/callstitchprocessor/internal/metadata"
)

// batch is a payload of stitched records, grouped by resource.
type batch struct {
	logs    plog.Logs
	objects []batchObject
	version string
	// records of each resource, by the encoded resource.
	records map[string]plog.LogRecordSlice
}

// batchObject is an object of a batch.
type batchObject struct {
	ref  stitch.Ref
	kind stitch.Kind
	span stitch.SpanID
}

func newBatch(version string) *batch {
	return &batch{logs: plog.NewLogs(), version: version, records: make(map[string]plog.LogRecordSlice)}
}

// add renders an object into the batch.
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
	b.objects = append(b.objects, batchObject{s.Ref, s.Kind, s.Span})
}

// setScope names this processor as the source of the records.
func setScope(to pcommon.InstrumentationScope, version string) {
	to.SetName(metadata.ScopeName)
	to.SetVersion(version)
}

// last returns the object that was added last, the zero Ref if there is none.
func (b *batch) last() stitch.Ref {
	if len(b.objects) == 0 {
		return stitch.Ref{}
	}
	return b.objects[len(b.objects)-1].ref
}
