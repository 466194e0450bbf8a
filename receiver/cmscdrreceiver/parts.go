// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package cmscdrreceiver

import (
	"github.com/legato-otel/legato/internal/ingest/ledger"
	"github.com/legato-otel/legato/internal/ingest/outbox"
	"github.com/legato-otel/legato/internal/meetingserver/cdr"
)

// Parts implements outbox.Body. The records come first, then the malformed parts.
func (in *batch) Parts() int { return len(in.records) + len(in.malformed) }

// Part implements outbox.Body.
func (in *batch) Part(number int) (raw string, isNew bool) {
	p, _, raw := in.partAt(number)
	return raw, !p.isDuplicate
}

func (in *batch) partAt(number int) (p *part, header *cdr.Header, raw string) {
	if n := len(in.records); number >= n {
		m := &in.decoded.Malformed[number-n]
		return &in.malformed[number-n], &m.Header, m.Raw
	}
	r := &in.decoded.Records[number]
	return &in.records[number], &r.Header, r.Raw
}

// recordsOf and malformedOf return the positions of a chunk's parts in the two slices.
func (in *batch) recordsOf(c *outbox.Chunk) (from, to int) {
	return c.Within(0, len(in.records))
}

func (in *batch) malformedOf(c *outbox.Chunk) (from, to int) {
	return c.Within(len(in.records), len(in.malformed))
}

// MarkSent implements outbox.Body. It remembers which session.start and record.gap
// events the consumer accepted, so that a later chunk does not send them again.
func (in *batch) MarkSent(c *outbox.Chunk, sent outbox.Progress) {
	in.startSent = in.startSent || in.reportsSessionStart(c)
	if sent.NextPartStarted {
		p, _, _ := in.partAt(sent.NextPart)
		p.gapSent = true
	}
}

// ledgerEntriesOf returns the ledger entries of a chunk's parts with their check
// results, and the content hashes, in the order of the parts.
func (in *batch) ledgerEntriesOf(c *outbox.Chunk) (entries []ledger.Entry, results []ledger.CheckResult, hashes []ledger.ContentHash) {
	entriesEnd, hashesEnd := len(in.entries), len(in.contentHashes)
	if c.To < in.Parts() {
		next, _, _ := in.partAt(c.To)
		entriesEnd, hashesEnd = next.firstEntry, next.firstHash
	}
	first, _, _ := in.partAt(c.From)
	entries, hashes = in.entries[first.firstEntry:entriesEnd], in.contentHashes[first.firstHash:hashesEnd]
	if len(entries) > 0 {
		results = in.results[first.firstEntry:entriesEnd]
	}
	return entries, results, hashes
}

// reportsSessionStart reports whether the chunk carries the session.start event: it is the
// first new chunk with numbered records.
func (in *batch) reportsSessionStart(c *outbox.Chunk) bool {
	if !in.sessionInfo.SessionStart.MustReport || in.startSent {
		return false
	}
	entries, _, _ := in.ledgerEntriesOf(c)
	return len(entries) > 0
}

// rawText returns the new parts of a chunk as posted.
func (in *batch) rawText(c *outbox.Chunk) string {
	const maxEnvelope = 4 << 10 // the root element, and blanks
	return outbox.RawText(in, c, in.request.Body, maxEnvelope)
}
