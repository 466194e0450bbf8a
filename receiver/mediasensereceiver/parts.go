// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package mediasensereceiver

import (
	"github.com/legato-otel/legato/internal/ingest/dedup"
	"github.com/legato-otel/legato/internal/ingest/outbox"
)

// Parts implements outbox.Body. The events come first, then the malformed parts.
func (b *batch) Parts() int { return len(b.events) + len(b.malformed) }

// Part implements outbox.Body.
func (b *batch) Part(number int) (raw string, isNew bool) {
	p, raw := b.partAt(number)
	return raw, !p.isDuplicate
}

func (b *batch) partAt(number int) (p *part, raw string) {
	if n := len(b.events); number >= n {
		return &b.malformed[number-n], b.decoded.Malformed[number-n].Raw
	}
	return &b.events[number], b.decoded.Events[number].Raw
}

// eventsOf and malformedOf return the positions of a chunk's parts in the two slices.
func (b *batch) eventsOf(c *outbox.Chunk) (from, to int) {
	return c.Within(0, len(b.events))
}

func (b *batch) malformedOf(c *outbox.Chunk) (from, to int) {
	return c.Within(len(b.events), len(b.malformed))
}

// entriesOf returns the deduplication entries of a chunk's parts.
func (b *batch) entriesOf(c *outbox.Chunk) []dedup.Entry {
	first, _ := b.partAt(c.From)
	end := len(b.entries)
	if c.To < b.Parts() {
		next, _ := b.partAt(c.To)
		end = next.firstEntry
	}
	return b.entries[first.firstEntry:end]
}

// rawText returns the new parts of a chunk as posted.
func (b *batch) rawText(c *outbox.Chunk) string {
	const maxEnvelope = 1 << 10 // brackets, and blanks
	return outbox.RawText(b, c, b.request.Body, maxEnvelope)
}
