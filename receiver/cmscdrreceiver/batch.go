// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package cmscdrreceiver

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strings"
	"sync"

	"github.com/legato-otel/legato/internal/ingest/ledger"
	"github.com/legato-otel/legato/internal/ingest/outbox"
	"github.com/legato-otel/legato/internal/ingest/webhook"
	"github.com/legato-otel/legato/internal/meetingserver/cdr"
)

// batch holds the records and malformed pieces of one session in a posted body, while the
// receiver accepts them. A body of several sessions uses one batch after the other.
type batch struct {
	acceptor *acceptor
	decoder  cdr.Decoder
	decoded  *cdr.Batch
	request  webhook.Request
	resource resource // of the log records; only valid if the batch has a new part

	// ledgerID is the id of the ledger session that numbers the batch's records. It is "" if
	// the body has no usable session: record indices then identify no record.
	ledgerID       string
	legacySuffix   string          // suffix of ledgerID if the batch has only legacy indices (recordIndex)
	statedIdentity ledger.Identity // identity of the Call Bridge in this body
	session        *ledger.Session // nil without ledgerID
	lockedSession  *ledger.Session // session, or a common one for bodies without ledgerID
	// requestInfo is statedIdentity completed from the session, and whether a session.start is
	// due.
	requestInfo    ledger.RequestInfo
	isKnownSession bool // an earlier body had records of the session, and this or an earlier one named its bridge

	records    []part // parallel to decoded.Records
	malformed  []part // parallel to decoded.Malformed
	entries    []ledger.Entry
	results    []ledger.CheckResult // parallel to entries
	entryParts []*part              // parallel to entries
	newHashes  []ledger.ContentHash // of new parts without an index

	pendingParts int // new parts that are not yet marked as accepted
	// startSent reports that the consumer accepted the session.start event, in a chunk
	// that is not yet marked.
	startSent bool

	changedSessions []string // sessions of the body that are not yet stored
	evictedSessions []string // sessions that the ledger evicted for them

	bodySize  int              // of the whole body, in bytes
	expansion outbox.Expansion // sums of the OTLP bytes and the posted bytes of the body's chunks; it bounds their ratio
}

// part is the state of one record or malformed piece of a batch.
type part struct {
	isDuplicate bool
	// missing is how many records directly before this part are lost.
	missing uint64
	// isImplausible reports that missing cannot be right. Metrics leave it out.
	isImplausible bool
	// gapSent reports that the consumer accepted the record.gap event of this part,
	// before the part itself is marked.
	gapSent bool
	// firstEntry and firstNewHash are the positions in the batch's entries and
	// newHashes at which those of this part begin.
	firstEntry, firstNewHash int
}

// addGap adds the gap before one of the part's records. A plausible gap replaces an
// implausible one.
func (p *part) addGap(result ledger.CheckResult) {
	switch {
	case result.IsImplausible && p.missing > 0:
	case result.IsImplausible || p.isImplausible && result.Missing > 0:
		p.missing, p.isImplausible = result.Missing, result.IsImplausible
	default:
		p.missing += result.Missing
	}
}

// countableMissing returns how many missing records metrics count.
func (p *part) countableMissing() uint64 {
	if p.isImplausible {
		return 0
	}
	return p.missing
}

// batchPool reuses the buffers of batches.
type batchPool struct{ pool sync.Pool }

func (p *batchPool) get(a *acceptor, request webhook.Request) *batch {
	b, ok := p.pool.Get().(*batch)
	if !ok {
		b = &batch{acceptor: a}
	}
	b.decode(request)
	return b
}

// maxPooledBody bounds the pooled buffers: the pool drops those of a longer body.
const maxPooledBody = 1 << 20

func (p *batchPool) put(b *batch) {
	if b.bodySize <= maxPooledBody {
		p.pool.Put(b)
	}
}

// maxNameLength bounds the stored name of a session, a bridge or a system, in bytes. A
// GUID has 36.
const maxNameLength = 128

// clipName returns a name from a request as it is stored: short, and valid UTF-8.
func clipName(name string) string { return clipText(name, maxNameLength) }

// clipText returns at most limit bytes of text, as valid UTF-8.
func clipText(text string, limit int) string {
	return strings.ToValidUTF8(text[:min(len(text), limit)], "")
}

// decode decodes the first batch of a body.
func (b *batch) decode(request webhook.Request) {
	b.request, b.bodySize, b.expansion = request, len(request.Body), outbox.Expansion{}
	b.changedSessions, b.evictedSessions = b.changedSessions[:0], nil
	b.setDecoded(b.decoder.Decode(request.Body))
}

// decodeNext decodes the body's next batch, which is of another session. It returns
// false if there is none.
func (b *batch) decodeNext() bool {
	decoded := b.decoder.DecodeNext()
	if decoded != nil {
		b.setDecoded(decoded)
	}
	return decoded != nil
}

func (b *batch) setDecoded(decoded *cdr.Batch) {
	request := &b.request
	b.decoded, request.Body = decoded, decoded.Body
	b.session, b.lockedSession, b.isKnownSession, b.startSent = nil, nil, false, false
	b.statedIdentity = ledger.Identity{Bridge: clipName(decoded.CallBridge), System: clipName(request.Query.Get(systemIDParameter))}
	b.requestInfo = ledger.RequestInfo{Identity: b.statedIdentity}
	b.ledgerID, b.legacySuffix = decoded.Session, ""
	switch {
	case b.ledgerID == "" || len(b.ledgerID) > maxNameLength:
		b.ledgerID = ""
	case b.hasOnlyLegacyIndices():
		// A bridge numbers recordIndex separately for each receiver URI, so the URI is part
		// of the id. The URI may contain a token: only its hash is kept.
		hash := sha256.Sum256([]byte(request.URI))
		b.legacySuffix = "/" + hex.EncodeToString(hash[:8])
		b.ledgerID += b.legacySuffix
		b.statedIdentity.Numbering = b.legacySuffix
	}
}

func (b *batch) hasOnlyLegacyIndices() bool {
	hasLegacy := false
	for i := range b.decoded.Records {
		if b.decoded.Records[i].Index.Valid {
			return false
		}
		hasLegacy = hasLegacy || b.decoded.Records[i].LegacyIndex.Valid
	}
	for i := range b.decoded.Malformed {
		m := &b.decoded.Malformed[i]
		if m.Header.Index.Valid || slices.ContainsFunc(m.Indices, func(r cdr.IndexRange) bool { return !r.Legacy }) {
			return false
		}
		hasLegacy = hasLegacy || m.Header.LegacyIndex.Valid || len(m.Indices) > 0
	}
	return hasLegacy
}

// lockSession locks the batch's session in the ledger. All bodies without a ledgerID
// share one lock, so that a repeated body waits for its first delivery.
func (b *batch) lockSession(ctx context.Context, l *ledger.Ledger) error {
	session, err := l.Lock(ctx, b.ledgerID)
	if err != nil {
		return err
	}
	b.lockedSession = session
	if b.ledgerID == "" {
		return nil
	}
	b.session = session
	if b.decoded.Unreadable {
		return nil // its session is a guess: the ledger learns no identity from it
	}
	b.requestInfo = l.BeginRequest(session, b.statedIdentity)
	b.isKnownSession = !session.IsNew() && b.requestInfo.Identity.Named()
	return nil
}

func (b *batch) unlockSession(l *ledger.Ledger) { l.Unlock(b.lockedSession) }

// findNewParts finds the parts that are no duplicates, and the gaps before them. It changes
// neither the ledger nor acceptedHashes.
func (b *batch) findNewParts(acceptedHashes *ledger.ContentHashes) {
	b.entries, b.entryParts, b.newHashes, b.pendingParts = b.entries[:0], b.entryParts[:0], b.newHashes[:0], 0
	b.records = resetParts(b.records, len(b.decoded.Records))
	b.malformed = resetParts(b.malformed, len(b.decoded.Malformed))
	for i := range b.decoded.Records {
		r := &b.decoded.Records[i]
		b.addPart(&b.records[i], &r.Header, r.Raw, acceptedHashes)
	}
	for i := range b.decoded.Malformed {
		m := &b.decoded.Malformed[i]
		b.addPart(&b.malformed[i], &m.Header, m.Raw, acceptedHashes)
		b.addUnreadableEntries(&b.malformed[i], m.Indices)
	}
	if len(b.entries) == 0 {
		b.requestInfo.SessionStart = ledger.SessionStart{} // the session begins with its first numbered record
	}
	if b.session == nil {
		return
	}
	b.results = b.session.Check(b.entries, b.results[:0])
	for i, result := range b.results {
		p := b.entryParts[i]
		p.addGap(result)
		if b.entries[i].IsUnreadable {
			continue // the part's own index, or its content, shows whether it is new
		}
		p.isDuplicate = result.IsDuplicate
		if !result.IsDuplicate {
			b.pendingParts++
		}
	}
}

// addPart adds a part to the entries if it has an index. Otherwise its content shows
// whether it is new.
func (b *batch) addPart(p *part, header *cdr.Header, raw string, acceptedHashes *ledger.ContentHashes) {
	p.firstEntry, p.firstNewHash = len(b.entries), len(b.newHashes)
	index := header.Index
	if b.legacySuffix != "" {
		index = header.LegacyIndex
	}
	if b.session != nil && index.Valid {
		entry := ledger.Entry{Index: index.Value, DiscardedHaveNoIndex: b.legacySuffix != ""}
		if header.Missing.Valid {
			entry.Discarded = header.Missing.Value
		}
		b.entries = append(b.entries, entry)
		b.entryParts = append(b.entryParts, p)
		return
	}
	hash := ledger.HashContent(b.decoded.Session, raw)
	if p.isDuplicate = acceptedHashes.Contains(hash); !p.isDuplicate {
		b.newHashes = append(b.newHashes, hash)
		b.pendingParts++
	}
}

// addUnreadableEntries adds one entry for each range of indices that could be read from a
// malformed part, so that the ledger does not report these records as missing.
func (b *batch) addUnreadableEntries(p *part, indices []cdr.IndexRange) {
	if b.session == nil {
		return
	}
	for _, r := range indices {
		if r.Legacy == (b.legacySuffix != "") {
			entry := ledger.Entry{Index: r.First, Following: r.Last - r.First, DiscardedHaveNoIndex: r.Legacy, IsUnreadable: true}
			b.entries = append(b.entries, entry)
			b.entryParts = append(b.entryParts, p)
		}
	}
}

// markInLedger marks the parts of a chunk as accepted.
func (b *batch) markInLedger(l *ledger.Ledger, c *outbox.Chunk) ledger.AcceptResult {
	entries, results, hashes := b.ledgerEntriesOf(c)
	l.ContentHashes.MarkAccepted(hashes, b.isKnownSession)
	if b.session == nil || len(entries) == 0 {
		return ledger.AcceptResult{}
	}
	accepted := l.MarkAccepted(b.session, b.requestInfo, entries, results)
	b.requestInfo.SessionStart = ledger.SessionStart{} // it is reported once
	return accepted
}

// resetParts returns n zero parts, in the memory of parts if they fit.
func resetParts(parts []part, n int) []part {
	if cap(parts) < n {
		return make([]part, n)
	}
	parts = parts[:n]
	clear(parts)
	return parts
}
