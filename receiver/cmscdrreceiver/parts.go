// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package cmscdrreceiver

import (
	"github.com/legato-otel/legato/internal/ingest/ledger"
	"github.com/legato-otel/legato/internal/ingest/outbox"
	"github.com/legato-otel/legato/internal/meetingserver/cdr"
)

// Parts implements outbox.Body. The records come first, then the malformed parts.
func (b *batch) Parts() int { return len(b.records) + len(b.malformed) }

// Part implements outbox.Body.
func (b *batch) Part(number int) (raw string, isNew bool) {
	p, _, raw := b.partAt(number)
	return raw, !p.isDuplicate
}

func (b *batch) partAt(number int) (p *part, header *cdr.Header, raw string) {
	if n := len(b.records); number >= n {
		m := &b.decoded.Malformed[number-n]
		return &b.malformed[number-n], &m.Header, m.Raw
	}
	r := &b.decoded.Records[number]
	return &b.records[number], &r.Header, r.Raw
}

// recordsOf and malformedOf return the positions of a chunk's parts in the two slices.
func (b *batch) recordsOf(c *outbox.Chunk) (from, to int) {
	return c.Within(0, len(b.records))
}

func (b *batch) malformedOf(c *outbox.Chunk) (from, to int) {
	return c.Within(len(b.records), len(b.malformed))
}

// MarkSent implements outbox.Body. It remembers which session.start and record.gap
// events the consumer accepted, so that a later chunk does not send them again.
func (b *batch) MarkSent(c *outbox.Chunk, sent outbox.Progress) {
	b.startSent = b.startSent || b.reportsSessionStart(c)
	if sent.NextPartStarted {
		p, _, _ := b.partAt(sent.NextPart)
		p.gapSent = true
	}
}

// ledgerEntriesOf returns the ledger entries of a chunk's parts with their check
// results, and the content hashes, in the order of the parts.
func (b *batch) ledgerEntriesOf(c *outbox.Chunk) (entries []ledger.Entry, results []ledger.CheckResult, hashes []ledger.ContentHash) {
	entriesEnd, hashesEnd := len(b.entries), len(b.newHashes)
	if c.To < b.Parts() {
		next, _, _ := b.partAt(c.To)
		entriesEnd, hashesEnd = next.firstEntry, next.firstNewHash
	}
	first, _, _ := b.partAt(c.From)
	entries, hashes = b.entries[first.firstEntry:entriesEnd], b.newHashes[first.firstNewHash:hashesEnd]
	if len(entries) > 0 {
		results = b.results[first.firstEntry:entriesEnd]
	}
	return entries, results, hashes
}

// reportsSessionStart reports whether the chunk carries the session.start event: it is the
// first new chunk with numbered records.
func (b *batch) reportsSessionStart(c *outbox.Chunk) bool {
	if !b.requestInfo.SessionStart.MustReport || b.startSent {
		return false
	}
	entries, _, _ := b.ledgerEntriesOf(c)
	return len(entries) > 0
}

// rawText returns the new parts of a chunk as posted.
func (b *batch) rawText(c *outbox.Chunk) string {
	const maxEnvelope = 4 << 10 // the root element, and blanks
	return outbox.RawText(b, c, b.request.Body, maxEnvelope)
}
