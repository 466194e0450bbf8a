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

// journal keeps the engine's entries in a storage extension. Each write adds a
// segment of what changed; nothing is written twice in place.
//
//	segments               sealed: number of the first part, of the next one; 8 bytes each
//	segment/<number>       a part of a segment, which is entries of the engine, in
//	                       the order in which they came; see parts.go
//
// So that the log does not grow for ever, everything
// is written anew now and then (a sweep), a piece with each segment, and what is
// older than the beginning of a complete sweep is deleted, some with each
// segment:
//
//	  first      obsolete                                next
//	    │           │                                      │
//	    ▼           ▼                                      ▼
//	... ├───────────┼──┬──┬──┬──┬──┬──┬──┬──┬──┬──┬──┬──┬──┤
//	     deleted soon  s  s  s  s  s  S
//	                   └─ pieces of ──┘
//	                      one sweep
//
// Segment, log and deletions are one batch. Should a storage not do that as one,
// their order in it makes a cut harmless.
type journal struct {
	client storage.Client
	logger *zap.Logger

	// Of the parts that are stored.
	first, next uint64
	obsolete    uint64 // those below are not needed

	// unwritten are the entries of a segment that could not be stored.
	unwritten []byte

	written  int // bytes since the last sweep began
	snapshot snapshot
}

// snapshot is how far the sweep is.
type snapshot struct {
	dueNow       bool   // the next one is to begin at once
	running      bool   // it has begun
	last         bool   // its last piece is in a segment
	first        uint64 // the part that the segment of its first piece begins with
	size         int    // of its pieces, in bytes
	previousSize int    // size of the one before
}

const (
	// keyLog sorts behind all segments: it is written with each of them, and a
	// store that keeps its keys in order writes what stands beside it too.
	keyLog = "segments"

	// A sweep begins after that many bytes, or twice its own size.
	snapshotAfter = 8 << 20
	// A piece of it is twice what changed, within these bounds: it makes headway
	// when little happens, and holds nobody up when much does, but keeps up with
	// that.
	minPiece = 16 << 10
	maxPiece = 64 << 10

	// With a write go as many obsolete parts at least, or twice its own: cleaning
	// up keeps ahead of writing.
	minDeletions = 16
)

func openJournal(ctx context.Context, host component.Host, id *component.ID, set processor.Settings) (*journal, error) {
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
	return &journal{client: client, logger: set.Logger}, nil
}

// beginSegment returns the next segment, with what was due. It is empty if there is
// nothing to write.
func (j *journal) beginSegment() []byte {
	return append(make([]byte, 0, len(j.unwritten)+minPiece), j.unwritten...)
}

// appendChanges adds a bounded part of what changed. The caller holds the lock of the
// engine.
func (j *journal) appendChanges(segment []byte, engine *stitch.Engine) []byte {
	return engine.AppendChanges(segment)
}

// appendSnapshotPiece adds a piece of the sweep. The caller holds the lock of the engine.
func (j *journal) appendSnapshotPiece(segment []byte, engine *stitch.Engine) []byte {
	// A storage that fails must not make the segment grow with each attempt.
	if len(j.unwritten) == 0 && len(segment) > 0 {
		segment = j.appendSnapshot(engine, segment, len(segment))
	}
	return segment
}

// appendSnapshot begins a sweep when it is time, and appends a piece of the one
// that runs.
func (j *journal) appendSnapshot(engine *stitch.Engine, b []byte, changes int) []byte {
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
	b, s.last = engine.AppendSnapshot(b, min(max(minPiece, 2*changes), max(maxPiece, changes)))
	s.size += len(b) - before
	return b
}

// store writes a segment, and returns in how many parts.
func (j *journal) store(ctx context.Context, segment []byte) (parts int, err error) {
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

// firstAfter is the first part once some more were written, and obsolete ones
// deleted with them.
func (j *journal) firstAfter(parts int) uint64 {
	return min(j.obsolete, j.first+uint64(max(minDeletions, 2*parts)))
}

// markStored notes that a segment was written in so many parts. The caller holds the
// lock of the engine.
func (j *journal) markStored(segment []byte, parts int) {
	if len(segment) == 0 {
		return
	}
	j.unwritten = nil
	j.first = j.firstAfter(parts)
	j.next += uint64(parts) //nolint:gosec // not negative
	j.written += len(segment)
	if j.snapshot.last {
		j.obsolete = j.snapshot.first
		j.snapshot = snapshot{previousSize: j.snapshot.size}
	}
}

// keepUnwritten keeps what could not be written for the next segment. The caller holds
// the lock of the engine.
func (j *journal) keepUnwritten(segment []byte) { j.unwritten = segment }
