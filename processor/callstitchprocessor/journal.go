// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package callstitchprocessor

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/extension/xextension/storage"
	"go.opentelemetry.io/collector/processor"
	"go.uber.org/zap"

	"github.com/legato-otel/legato/internal/stitch"
)

// journal keeps the engine's entries in a storage extension. Each write adds a
// segment of what changed; nothing is written twice in place.
//
//	segments               sealed: number of the first segment, of the next one; 8 bytes each
//	segment/<number>       sealed: entries of the engine, in the order in which they came
//
//	sealed is              version, 1 byte | CRC-32C of what follows, 4 bytes | content
//
// All numbers are big endian. So that the log does not grow for ever, everything
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

	// Of the segments that are stored.
	first, next uint64
	obsolete    uint64 // those below are not needed

	// due are the entries of a segment that could not be stored.
	due []byte

	written int // bytes since the last sweep began
	sweep   sweep
}

// sweep is how far the sweep is.
type sweep struct {
	soon    bool   // the next one is to begin at once
	running bool   // it has begun
	last    bool   // its last piece is in a segment
	first   uint64 // the segment its first piece is in
	size    int    // of its pieces, in bytes
	former  int    // size of the one before
}

const (
	// keyLog sorts behind all segments: it is written with each of them, and a
	// store that keeps its keys in order writes what stands beside it too.
	keyLog     = "segments"
	keySegment = "segment/%012d"

	// Version 2 has recorded sessions and tracks, and words (internal/stitch/words.go).
	formatVersion = 2
	sealSize      = 1 + crc32.Size

	// A sweep begins after that many bytes, or twice its own size.
	sweepAfter = 8 << 20
	// A piece of it is twice what changed, within these bounds: it makes headway
	// when little happens, and holds nobody up when much does, but keeps up with
	// that.
	minPiece = 64 << 10
	maxPiece = 256 << 10

	// maxDeletions is how many obsolete segments go with one write.
	maxDeletions = 64
)

func segmentKey(number uint64) string { return fmt.Sprintf(keySegment, number) }

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

// segment is what one write adds. It is empty if there is nothing to write.
type segment struct {
	bytes []byte // room for the seal, entries
}

// begin returns the next segment with what was due.
func (j *journal) begin() segment {
	b := make([]byte, sealSize, sealSize+len(j.due)+minPiece/16)
	return segment{append(b, j.due...)}
}

// add adds a bounded part of what changed. The caller holds the lock of the
// engine.
func (j *journal) add(s segment, engine *stitch.Engine) segment {
	return segment{engine.AppendChanges(s.bytes)}
}

// finish adds a piece of the sweep. The caller holds the lock of the engine.
func (j *journal) finish(s segment, engine *stitch.Engine) segment {
	// A storage that fails must not make the segment grow with each attempt.
	if changes := len(s.bytes) - sealSize; len(j.due) == 0 && changes > 0 {
		s.bytes = j.appendSweep(engine, s.bytes, changes)
	}
	if len(s.bytes) == sealSize {
		return segment{}
	}
	return s
}

// appendSweep begins a sweep when it is time, and appends a piece of the one
// that runs.
func (j *journal) appendSweep(engine *stitch.Engine, b []byte, changes int) []byte {
	s := &j.sweep
	if !s.running && (s.soon || j.written > max(sweepAfter, 2*s.former)) {
		engine.Sweep()
		*s = sweep{running: true, first: j.next, former: s.former}
		j.written = 0
	}
	if !s.running {
		return b
	}
	before := len(b)
	b, s.last = engine.AppendSweep(b, min(max(minPiece, 2*changes), max(maxPiece, changes)))
	s.size += len(b) - before
	return b
}

// store writes a segment.
func (j *journal) store(ctx context.Context, s segment) error {
	seal(s.bytes)
	first := min(j.obsolete, j.first+maxDeletions)
	log := make([]byte, sealSize, sealSize+16)
	log = binary.BigEndian.AppendUint64(log, first)
	log = binary.BigEndian.AppendUint64(log, j.next+1)
	seal(log)
	operations := make([]*storage.Operation, 0, 2+maxDeletions)
	operations = append(operations, storage.SetOperation(segmentKey(j.next), s.bytes), storage.SetOperation(keyLog, log))
	for number := j.first; number < first; number++ {
		operations = append(operations, storage.DeleteOperation(segmentKey(number)))
	}
	return j.client.Batch(ctx, operations...)
}

// stored notes that a segment was written. The caller holds the lock of the
// engine.
func (j *journal) stored(s segment) {
	if len(s.bytes) == 0 {
		return
	}
	j.due = nil
	j.first = min(j.obsolete, j.first+maxDeletions)
	j.next++
	j.written += len(s.bytes)
	if j.sweep.last {
		j.obsolete = j.sweep.first
		j.sweep = sweep{former: j.sweep.size}
	}
}

// failed keeps what could not be written for the next segment. The caller holds
// the lock of the engine.
func (j *journal) failed(s segment) {
	if len(s.bytes) > 0 {
		j.due = s.bytes[sealSize:]
	}
}

var checksums = crc32.MakeTable(crc32.Castagnoli)

// seal fills in the head of a value whose content is behind it.
func seal(value []byte) {
	value[0] = formatVersion
	binary.BigEndian.PutUint32(value[1:], crc32.Checksum(value[sealSize:], checksums))
}

var (
	errMissing = errors.New("it is missing")
	errCut     = errors.New("it is cut")
	errVersion = errors.New("it was written by a newer release")
	errDamaged = errors.New("it is damaged")
)

// unseal returns the content of a value.
func unseal(value []byte) ([]byte, error) {
	switch {
	case value == nil:
		return nil, errMissing
	case len(value) < sealSize:
		return nil, errCut
	case value[0] == 0 || value[0] > formatVersion:
		return nil, errVersion
	case binary.BigEndian.Uint32(value[1:]) != crc32.Checksum(value[sealSize:], checksums):
		return nil, errDamaged
	}
	return value[sealSize:], nil
}
