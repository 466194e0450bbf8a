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

// batch is the part of a posted body that belongs to one session, while the receiver
// accepts it. A body of several sessions uses one batch after the other.
type batch struct {
	acceptor *acceptor
	decoder  cdr.Decoder
	decoded  *cdr.Batch
	request  webhook.Request
	resource resource // of the log records, set if a part is new

	// ledgerID is the id of the ledger session to which the indices belong. It is ""
	// if the body has no usable session: its indices identify nothing.
	ledgerID       string
	legacySuffix   string          // suffix of ledgerID if the indices are recordIndex
	statedIdentity ledger.Identity // identity of the Call Bridge in this body
	session        *ledger.Session // nil without ledgerID
	lockedSession  *ledger.Session // session, or a common one for bodies without ledgerID
	sessionInfo    ledger.RequestInfo
	isKnownSession bool // an earlier body had records of the session and named its bridge

	records       []part // parallel to decoded.Records
	malformed     []part // parallel to decoded.Malformed
	entries       []ledger.Entry
	results       []ledger.CheckResult // parallel to entries
	entryParts    []*part              // parallel to entries
	contentHashes []ledger.ContentHash // of new parts without an index

	pendingParts int // new parts that are not yet marked as accepted
	// startSent reports that the consumer accepted the session.start event, in a chunk
	// that is not yet marked.
	startSent bool

	changedSessions []string // sessions of the body that are not yet stored
	evictedSessions []string // sessions that the ledger evicted for them

	bodySize  int // of the whole body, in bytes
	expansion outbox.Expansion
}

// part is one record or malformed part of a batch.
type part struct {
	isDuplicate bool
	// missing is how many records directly before this part are lost.
	missing uint64
	// isImplausible reports that missing cannot be right. Metrics leave it out.
	isImplausible bool
	// gapSent reports that the consumer accepted the record.gap event of this part,
	// before the part itself is marked.
	gapSent bool
	// firstEntry and firstHash are the positions in the batch's entries and
	// contentHashes at which those of this part begin.
	firstEntry, firstHash int
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
	in, ok := p.pool.Get().(*batch)
	if !ok {
		in = &batch{acceptor: a}
	}
	in.decode(request)
	return in
}

// maxPooledBody bounds the pooled buffers: the pool drops those of a longer body.
const maxPooledBody = 1 << 20

func (p *batchPool) put(in *batch) {
	if in.bodySize <= maxPooledBody {
		p.pool.Put(in)
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
func (in *batch) decode(request webhook.Request) {
	in.request, in.bodySize, in.expansion = request, len(request.Body), outbox.Expansion{}
	in.changedSessions, in.evictedSessions = in.changedSessions[:0], nil
	in.setDecoded(in.decoder.Decode(request.Body))
}

// decodeNext decodes the body's next batch, which is of another session. It returns
// false if there is none.
func (in *batch) decodeNext() bool {
	decoded := in.decoder.DecodeNext()
	if decoded != nil {
		in.setDecoded(decoded)
	}
	return decoded != nil
}

func (in *batch) setDecoded(decoded *cdr.Batch) {
	request := &in.request
	in.decoded, request.Body = decoded, decoded.Body
	in.session, in.lockedSession, in.isKnownSession, in.startSent = nil, nil, false, false
	in.statedIdentity = ledger.Identity{Bridge: clipName(decoded.CallBridge), System: clipName(request.Query.Get(systemIDParameter))}
	in.sessionInfo = ledger.RequestInfo{Identity: in.statedIdentity}
	in.ledgerID, in.legacySuffix = decoded.Session, ""
	switch {
	case in.ledgerID == "" || len(in.ledgerID) > maxNameLength:
		in.ledgerID = ""
	case in.hasOnlyLegacyIndices():
		// A bridge counts recordIndex for each of its receivers, so the URI is part of
		// the id. The URI may contain a token: only its hash is kept.
		hash := sha256.Sum256([]byte(request.URI))
		in.legacySuffix = "/" + hex.EncodeToString(hash[:8])
		in.ledgerID += in.legacySuffix
		in.statedIdentity.Stream = in.legacySuffix
	}
}

func (in *batch) hasOnlyLegacyIndices() bool {
	hasLegacy := false
	for i := range in.decoded.Records {
		if in.decoded.Records[i].Index.Valid {
			return false
		}
		hasLegacy = hasLegacy || in.decoded.Records[i].LegacyIndex.Valid
	}
	for i := range in.decoded.Malformed {
		m := &in.decoded.Malformed[i]
		if m.Header.Index.Valid || slices.ContainsFunc(m.Indices, func(r cdr.IndexRange) bool { return !r.Legacy }) {
			return false
		}
		hasLegacy = hasLegacy || m.Header.LegacyIndex.Valid || len(m.Indices) > 0
	}
	return hasLegacy
}

// lockSession locks the batch's session in the ledger. All bodies without a ledgerID
// share one lock, so that a repeated body waits for its first delivery.
func (in *batch) lockSession(ctx context.Context, l *ledger.Ledger) error {
	session, err := l.Lock(ctx, in.ledgerID)
	if err != nil {
		return err
	}
	in.lockedSession = session
	if in.ledgerID == "" {
		return nil
	}
	in.session = session
	if in.decoded.Unreadable {
		return nil // its session is a guess: the ledger learns no identity from it
	}
	in.sessionInfo = l.BeginRequest(session, in.statedIdentity)
	in.isKnownSession = !session.IsNew() && in.sessionInfo.Identity.Named()
	return nil
}

func (in *batch) unlockSession(l *ledger.Ledger) { l.Unlock(in.lockedSession) }

// findNewParts finds the parts that are no duplicates, and the gaps before them. It
// changes neither the ledger nor the content hashes.
func (in *batch) findNewParts(accepted *ledger.ContentHashes) {
	in.entries, in.entryParts, in.contentHashes, in.pendingParts = in.entries[:0], in.entryParts[:0], in.contentHashes[:0], 0
	in.records = resetParts(in.records, len(in.decoded.Records))
	in.malformed = resetParts(in.malformed, len(in.decoded.Malformed))
	for i := range in.decoded.Records {
		r := &in.decoded.Records[i]
		in.addPart(&in.records[i], &r.Header, r.Raw, accepted)
	}
	for i := range in.decoded.Malformed {
		m := &in.decoded.Malformed[i]
		in.addPart(&in.malformed[i], &m.Header, m.Raw, accepted)
		in.addUnreadable(&in.malformed[i], m.Indices)
	}
	if len(in.entries) == 0 {
		in.sessionInfo.SessionStart = ledger.SessionStart{} // the session begins with its first numbered record
	}
	if in.session == nil {
		return
	}
	in.results = in.session.Check(in.entries, in.results[:0])
	for i, result := range in.results {
		p := in.entryParts[i]
		p.addGap(result)
		if in.entries[i].IsUnreadable {
			continue // the part's own index, or its content, shows whether it is new
		}
		p.isDuplicate = result.IsDuplicate
		if !result.IsDuplicate {
			in.pendingParts++
		}
	}
}

// addPart adds a part to the entries if it has an index. Otherwise its content tells
// whether it is new.
func (in *batch) addPart(p *part, header *cdr.Header, raw string, accepted *ledger.ContentHashes) {
	p.firstEntry, p.firstHash = len(in.entries), len(in.contentHashes)
	index := header.Index
	if in.legacySuffix != "" {
		index = header.LegacyIndex
	}
	if in.session != nil && index.Valid {
		entry := ledger.Entry{Index: index.Value, DiscardsUnnumbered: in.legacySuffix != ""}
		if header.Missing.Valid {
			entry.Discarded = header.Missing.Value
		}
		in.entries = append(in.entries, entry)
		in.entryParts = append(in.entryParts, p)
		return
	}
	hash := ledger.HashContent(in.decoded.Session, raw)
	if p.isDuplicate = accepted.Contains(hash); !p.isDuplicate {
		in.contentHashes = append(in.contentHashes, hash)
		in.pendingParts++
	}
}

// addUnreadable adds the records within a malformed part whose index alone is readable, so
// that the ledger does not report them as missing.
func (in *batch) addUnreadable(p *part, indices []cdr.IndexRange) {
	if in.session == nil {
		return
	}
	for _, r := range indices {
		if r.Legacy == (in.legacySuffix != "") {
			entry := ledger.Entry{Index: r.First, Following: r.Last - r.First, DiscardsUnnumbered: r.Legacy, IsUnreadable: true}
			in.entries = append(in.entries, entry)
			in.entryParts = append(in.entryParts, p)
		}
	}
}

// markInLedger marks the parts of a chunk as accepted.
func (in *batch) markInLedger(l *ledger.Ledger, c *outbox.Chunk) ledger.AcceptResult {
	entries, results, hashes := in.ledgerEntriesOf(c)
	l.ContentHashes.MarkAccepted(hashes, in.isKnownSession)
	if in.session == nil || len(entries) == 0 {
		return ledger.AcceptResult{}
	}
	accepted := l.MarkAccepted(in.session, in.sessionInfo, entries, results)
	in.sessionInfo.SessionStart = ledger.SessionStart{} // it is reported once
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
