// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package outbox

import (
	"errors"
	"fmt"
	"math"
)

// Limits of one chunk.
type Limits struct {
	// Bytes of the new parts, as posted. A single part may be longer.
	Bytes int
	// Records is the number of new parts.
	Records int
}

// Validate returns an error that names the configuration key of each invalid limit.
func (l Limits) Validate() error {
	var errs []error
	if l.Bytes <= 0 {
		errs = append(errs, fmt.Errorf("max_batch_bytes must be positive, got %d", l.Bytes))
	}
	if l.Records <= 0 {
		errs = append(errs, fmt.Errorf("max_batch_records must be positive, got %d", l.Records))
	}
	return errors.Join(errs...)
}

// Chunk is a run of consecutive parts of a body that are delivered together, in one payload or, if
// their log records are large, in several. Chunks bound the payloads, because some consumers
// refuse payloads above a size.
type Chunk struct {
	// From is the number of the first part, and To that of the part after the last.
	From, To int
	// NewParts is the number of parts that are no duplicates. A chunk includes
	// duplicates, but does not send them.
	NewParts int
	// Bytes of the new parts, as posted.
	Bytes int
	// QuarantineReason is nil unless the chunk is quarantined.
	QuarantineReason error
	// Lost reports that the consumer refused the quarantined chunk too.
	Lost bool
}

// NextChunk returns the chunk that begins with part from of a body with so many parts.
// size returns a part's length in bytes, and whether the part is new.
func (l Limits) NextChunk(from, parts int, size func(part int) (bytes int, isNew bool)) Chunk {
	c := Chunk{From: from, To: from}
	for ; c.To < parts; c.To++ {
		bytes, isNew := size(c.To)
		if !isNew {
			continue
		}
		if c.NewParts > 0 && (c.NewParts >= l.Records || c.Bytes+bytes > l.Bytes) {
			break
		}
		c.NewParts++
		c.Bytes += bytes
	}
	return c
}

// chunkOf returns the parts from up to, not including, to as one chunk without limits.
func chunkOf(from, to int, size func(part int) (bytes int, isNew bool)) Chunk {
	return Limits{Bytes: math.MaxInt, Records: math.MaxInt}.NextChunk(from, to, size)
}

// Within returns the positions of the chunk's parts in a run of length parts that
// begins with part first. It returns an empty interval if no part lies in the run.
func (c *Chunk) Within(first, length int) (from, to int) {
	return min(max(c.From-first, 0), length), min(max(c.To-first, 0), length)
}

// Bounds of the OTLP size of a body. An XML element of four bytes becomes an attribute
// of forty. The bodies of real servers at most double; a few very short records may
// exceed that.
const (
	// MaxExpansion is the largest ratio of OTLP bytes to posted bytes.
	MaxExpansion = 3
	// expansionAllowance is added to the bound of each body, in bytes.
	expansionAllowance = 64 << 10
)

// ErrRecordsTooLarge is the reason to quarantine a chunk whose log records would exceed
// MaxExpansion.
var ErrRecordsTooLarge = errors.New("as events, the records would be more than three times their bytes")

// Expansion adds up the posted bytes and the OTLP bytes of a body's chunks.
type Expansion struct{ posted, expanded int }

// Allow adds a chunk and reports whether the body stays within MaxExpansion. The caller
// quarantines a chunk that is not allowed: its posted bytes count then.
func (e *Expansion) Allow(posted, expanded int) bool {
	e.posted += posted
	if e.expanded+expanded > MaxExpansion*e.posted+expansionAllowance {
		e.expanded += posted
		return false
	}
	e.expanded += expanded
	return true
}

// SmallBody is the length, in bytes, up to which no body can exceed its bound.
const SmallBody = 4 << 10
