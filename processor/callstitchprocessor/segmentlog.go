// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package callstitchprocessor

import (
	"context"
	"encoding/binary"
	"fmt"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/extension/xextension/storage"
	"go.opentelemetry.io/collector/processor"
	"go.uber.org/zap"

	"github.com/legato-otel/legato/internal/stitch"
)

// segmentLog stores the engine's entries in a storage extension. Each write adds a segment with
// the changes; no value is written twice.
//
//	segments               sealed: number of the first part, of the next one; 8 bytes each
//	segment/<number>       a part of a segment, which is a sequence of the engine's entries; see parts.go
//
// To bound the log, the segment log writes a snapshot of the whole state from time to time, a
// piece with each segment. When a snapshot is complete, everything before its first piece is
// obsolete and is deleted, some parts with each segment:
//
//	  first      obsolete                                next
//	    │           │                                      │
//	    ▼           ▼                                      ▼
//	... ├───────────┼──┬──┬──┬──┬──┬──┬──┬──┬──┬──┬──┬──┬──┤
//	     deleted soon  s  s  s  s  s  S
//	                   └─ pieces of ──┘
//	                    one snapshot
//
// A segment's parts, the value "segments" and the deletions are one batch, in this order. If
// the storage applies only the first operations of a batch, the state is still readable.
type segmentLog struct {
	client storage.Client
	logger *zap.Logger

	// Numbers of stored parts.
	first, next uint64
	obsolete    uint64 // the first part that is still needed

	// unwritten are the entries that the last write could not store. The next segment begins
	// with them.
	unwritten []byte

	written  int // bytes since the last snapshot began
	snapshot snapshot
}

// snapshot is the progress of the snapshot.
type snapshot struct {
	dueNow       bool   // the next write begins a snapshot
	running      bool   // it has begun
	complete     bool   // the current segment contains its last piece
	first        uint64 // first part of the segment with its first piece
	size         int    // of its pieces, in bytes
	previousSize int    // size of the previous snapshot
}

const (
	// keyLog sorts behind the keys of all parts. Each write changes it, and a store in key
	// order also rewrites the values beside it.
	keyLog = "segments"

	// A snapshot begins after so many bytes of segments, or twice the size of the previous
	// snapshot if that is more.
	snapshotAfter = 8 << 20
	// A piece of a snapshot is twice the size of the changes, within these bounds. So the
	// snapshot progresses when little happens, and delays no request when much happens.
	minPiece = 16 << 10
	maxPiece = 64 << 10

	// typicalSegment is the capacity that a segment begins with; most have less.
	typicalSegment = 2 << 10

	// Each write deletes at least so many obsolete parts, or twice as many as it adds, so that
	// deleting keeps up with writing.
	minDeletions = 16
)

func openSegmentLog(ctx context.Context, host component.Host, id *component.ID, set processor.Settings) (*segmentLog, error) {
	if id == nil {
		return nil, nil
	}
	extension, ok := host.GetExtensions()[*id]
	if !ok {
		return nil, fmt.Errorf("storage: no extension %q is configured in service::extensions", id)
	}
	provider, ok := extension.(storage.Extension)
	if !ok {
		return nil, fmt.Errorf("storage: extension %q is not a storage extension", id)
	}
	client, err := provider.GetClient(ctx, component.KindProcessor, set.ID, "")
	if err != nil {
		return nil, fmt.Errorf("storage: open %q: %w", id, err)
	}
	return &segmentLog{client: client, logger: set.Logger}, nil
}

// beginSegment returns the next segment, which begins with unwritten entries. It is empty if
// there is nothing to write.
func (j *segmentLog) beginSegment() []byte {
	return append(make([]byte, 0, len(j.unwritten)+typicalSegment), j.unwritten...)
}

// appendChanges appends a bounded part of the changes. The caller holds the lock of the
// engine.
func (j *segmentLog) appendChanges(segment []byte, engine *stitch.Engine) []byte {
	return engine.AppendChanges(segment)
}

// appendSnapshotPiece appends a piece of the snapshot. The caller holds the lock of the
// engine.
func (j *segmentLog) appendSnapshotPiece(segment []byte, engine *stitch.Engine) []byte {
	// A failing storage must not make the segment grow with each attempt.
	if len(j.unwritten) == 0 && len(segment) > 0 {
		segment = j.appendSnapshot(engine, segment, len(segment))
	}
	return segment
}

// appendSnapshot begins a snapshot when it is due, and appends a piece of the running one.
func (j *segmentLog) appendSnapshot(engine *stitch.Engine, b []byte, changes int) []byte {
	s := &j.snapshot
	if !s.running && (s.dueNow || j.written > max(snapshotAfter, 2*s.previousSize)) {
		engine.BeginSnapshot()
		*s = snapshot{running: true, first: j.next, previousSize: s.previousSize}
		j.written = 0
	}
	if !s.running {
		return b
	}
	before := len(b)
	b, s.complete = engine.AppendSnapshot(b, min(max(minPiece, 2*changes), max(maxPiece, changes)))
	s.size += len(b) - before
	return b
}

// store writes a segment, and returns the number of its parts.
func (j *segmentLog) store(ctx context.Context, segment []byte) (parts int, err error) {
	pieces := partsOf(segment)
	next, first := j.next+uint64(len(pieces)), j.firstAfter(len(pieces))
	log := make([]byte, sealSize, sealSize+16)
	log = binary.BigEndian.AppendUint64(log, first)
	log = binary.BigEndian.AppendUint64(log, next)
	seal(log)
	operations := make([]*storage.Operation, 0, uint64(len(pieces))+1+first-j.first)
	for i, piece := range pieces {
		operations = append(operations, storage.SetOperation(partKey(j.next+uint64(i)), piece))
	}
	operations = append(operations, storage.SetOperation(keyLog, log))
	for number := j.first; number < first; number++ {
		operations = append(operations, storage.DeleteOperation(partKey(number)))
	}
	return len(pieces), j.client.Batch(ctx, operations...)
}

// firstAfter returns the number of the first part after a write of so many parts, which also
// deletes obsolete parts.
func (j *segmentLog) firstAfter(parts int) uint64 {
	return min(j.obsolete, j.first+uint64(max(minDeletions, 2*parts)))
}

// markStored records that a segment was written in so many parts. The caller holds the lock of
// the engine.
func (j *segmentLog) markStored(segment []byte, parts int) {
	if len(segment) == 0 {
		return
	}
	j.unwritten = nil
	j.first = j.firstAfter(parts)
	j.next += uint64(parts) //nolint:gosec // not negative
	j.written += len(segment)
	if j.snapshot.complete {
		j.obsolete = j.snapshot.first
		j.snapshot = snapshot{previousSize: j.snapshot.size}
	}
}

// keepUnwritten keeps a segment that could not be written for the next write. The caller holds
// the lock of the engine.
func (j *segmentLog) keepUnwritten(segment []byte) { j.unwritten = segment }
