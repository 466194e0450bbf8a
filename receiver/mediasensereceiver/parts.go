// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package mediasensereceiver

import (
	"github.com/legato-otel/legato/internal/ingest/dedup"
	"github.com/legato-otel/legato/internal/ingest/outbox"
)

// Parts implements outbox.Body. The events come first, then the malformed parts.
func (in *batch) Parts() int { return len(in.events) + len(in.malformed) }

// Part implements outbox.Body.
func (in *batch) Part(number int) (raw string, isNew bool) {
	p, raw := in.partAt(number)
	return raw, !p.isDuplicate
}

func (in *batch) partAt(number int) (p *part, raw string) {
	if n := len(in.events); number >= n {
		return &in.malformed[number-n], in.decoded.Malformed[number-n].Raw
	}
	return &in.events[number], in.decoded.Events[number].Raw
}

// eventsOf and malformedOf return the positions of a chunk's parts in the two slices.
func (in *batch) eventsOf(c *outbox.Chunk) (from, to int) {
	return c.Within(0, len(in.events))
}

func (in *batch) malformedOf(c *outbox.Chunk) (from, to int) {
	return c.Within(len(in.events), len(in.malformed))
}

// entriesOf returns the deduplication entries of a chunk's parts.
func (in *batch) entriesOf(c *outbox.Chunk) []dedup.Entry {
	first, _ := in.partAt(c.From)
	end := len(in.entries)
	if c.To < in.Parts() {
		next, _ := in.partAt(c.To)
		end = next.firstEntry
	}
	return in.entries[first.firstEntry:end]
}

// rawText returns the new parts of a chunk as posted.
func (in *batch) rawText(c *outbox.Chunk) string {
	const maxEnvelope = 1 << 10 // brackets, and blanks
	return outbox.RawText(in, c, in.request.Body, maxEnvelope)
}
