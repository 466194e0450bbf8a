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

// intake is the work on one body, or one batch of it after the other: what is in
// it, and what of it is new.
type intake struct {
	decoder cdr.Decoder
	batch   *cdr.Batch
	request webhook.Request

	// ledgerID names the numbering the body's indices belong to, "" if they
	// cannot be told apart from others'.
	ledgerID string
	legacy   string          // suffix of ledgerID if the indices are recordIndex
	said     ledger.Identity // what this body says of its bridge
	session  *ledger.Session
	locked   *ledger.Session // session, or what stands in for none
	post     ledger.Post     // what is known of the bridge, and the session's start
	known    bool            // the ledger knows the session and its bridge from former bodies

	records   []judged // of batch.Records
	malformed []judged // of batch.Malformed
	entries   []ledger.Entry
	verdicts  []ledger.Verdict
	places    []*judged // of each entry
	prints    []ledger.Fingerprint

	fresh int // records and malformed parts that are new and not marked yet
	// startSent: the session's start is with the next consumer, and its piece is
	// not marked yet.
	startSent bool

	touched []string // sessions of the body that changed and are not stored
	evicted []string // sessions that had to go for them

	size      int              // of the whole body
	expansion outbox.Expansion // of its pieces so far
}

// judged is what is to be done with one record or malformed part.
type judged struct {
	duplicate bool
	// missing records before it will never come.
	missing uint64
	// implausible: missing is no number that can be right, and is not added up.
	implausible bool
	// gapSent: the event of that hole is with the next consumer, and the part is not
	// marked yet.
	gapSent bool
	// entries and prints are how many of either belong to the parts before.
	entries, prints int
}

// add takes in the hole before one of the part's records.
func (j *judged) add(v ledger.Verdict) {
	switch {
	case v.Implausible && j.missing > 0:
		// The part has a hole that can be counted.
	case v.Implausible || j.implausible && v.Missing > 0:
		j.missing, j.implausible = v.Missing, v.Implausible
	default:
		j.missing += v.Missing
	}
}

// countable returns how many missing records metrics count.
func (j *judged) countable() uint64 {
	if j.implausible {
		return 0
	}
	return j.missing
}

// intakePool keeps intakes for their buffers.
type intakePool struct{ pool sync.Pool }

func (p *intakePool) get(req webhook.Request) *intake {
	in, ok := p.pool.Get().(*intake)
	if !ok {
		in = new(intake)
	}
	in.read(req)
	return in
}

// maxPooledBody bounds the buffers that are kept: what an unusually large body
// needed is given back.
const maxPooledBody = 1 << 20

func (p *intakePool) put(in *intake) {
	if in.size <= maxPooledBody {
		p.pool.Put(in)
	}
}

// maxNameLength bounds what is kept of the name of a session, a bridge or a
// system; a GUID has 36.
const maxNameLength = 128

// clip makes a name from a request fit to be kept: short, and UTF-8.
func clip(name string) string { return clipTo(name, maxNameLength) }

// clipTo returns at most limit bytes of text, as UTF-8.
func clipTo(text string, limit int) string {
	return strings.ToValidUTF8(text[:min(len(text), limit)], "")
}

func (in *intake) read(req webhook.Request) {
	in.request, in.size, in.expansion = req, len(req.Body), outbox.Expansion{}
	in.touched, in.evicted = in.touched[:0], nil
	in.open(in.decoder.Decode(req.Body))
}

// readNext reads the next batch of the body, which is of another session. It
// returns false if there is none.
func (in *intake) readNext() bool {
	batch := in.decoder.DecodeNext()
	if batch != nil {
		in.open(batch)
	}
	return batch != nil
}

// open makes the intake ready for a batch.
func (in *intake) open(batch *cdr.Batch) {
	req := &in.request
	in.batch, req.Body = batch, batch.Body
	in.session, in.locked, in.known, in.startSent = nil, nil, false, false
	in.said = ledger.Identity{Bridge: clip(in.batch.CallBridge), System: clip(req.Query.Get(systemIDParameter))}
	in.post = ledger.Post{Identity: in.said}
	in.ledgerID, in.legacy = in.batch.Session, ""
	switch {
	case in.ledgerID == "" || len(in.ledgerID) > maxNameLength:
		in.ledgerID = ""
	case in.onlyLegacyIndices():
		// recordIndex is counted for each receiver a bridge has, so the URI
		// tells them apart. It may hold a token: only its hash is kept.
		hash := sha256.Sum256([]byte(req.URI))
		in.legacy = "/" + hex.EncodeToString(hash[:8])
		in.ledgerID += in.legacy
		in.said.Stream = in.legacy
	}
}

// lock takes the body's session for this intake alone, if it has one.
func (in *intake) lock(ctx context.Context, of *ledger.Ledger) error {
	if in.ledgerID == "" {
		// Bodies that cannot be told apart are taken one at a time, so that a
		// resend does not overtake its own first try.
		var err error
		in.locked, err = of.Lock(ctx, "")
		return err
	}
	session, err := of.Lock(ctx, in.ledgerID)
	if err != nil {
		return err
	}
	in.session, in.locked = session, session
	if in.batch.Unreadable {
		return nil // its session is a guess: nothing begins, and nothing is learnt
	}
	in.post = of.Post(session, in.said)
	in.known = !session.Fresh() && in.post.Identity.Named()
	return nil
}

func (in *intake) unlock(of *ledger.Ledger) { of.Unlock(in.locked) }

func (in *intake) onlyLegacyIndices() bool {
	legacy := false
	for i := range in.batch.Records {
		if in.batch.Records[i].Index.Valid {
			return false
		}
		legacy = legacy || in.batch.Records[i].LegacyIndex.Valid
	}
	for i := range in.batch.Malformed {
		m := &in.batch.Malformed[i]
		if m.Header.Index.Valid || slices.ContainsFunc(m.Indices, func(r cdr.IndexRange) bool { return !r.Legacy }) {
			return false
		}
		legacy = legacy || m.Header.LegacyIndex.Valid || len(m.Indices) > 0
	}
	return legacy
}

// judge finds out what of the body is new. It changes neither ledger nor
// fingerprints.
func (in *intake) judge(known *ledger.Fingerprints) {
	in.entries, in.places, in.prints, in.fresh = in.entries[:0], in.places[:0], in.prints[:0], 0
	in.records = sized(in.records, len(in.batch.Records))
	in.malformed = sized(in.malformed, len(in.batch.Malformed))
	for i := range in.batch.Records {
		r := &in.batch.Records[i]
		in.enter(&in.records[i], &r.Header, r.Raw, known)
	}
	for i := range in.batch.Malformed {
		m := &in.batch.Malformed[i]
		in.enter(&in.malformed[i], &m.Header, m.Raw, known)
		in.enterUnread(&in.malformed[i], m.Indices)
	}
	if len(in.entries) == 0 {
		in.post.Start = ledger.Start{} // the session begins with its first numbered record
	}
	if in.session != nil {
		in.verdicts = in.session.Judge(in.entries, in.verdicts[:0])
		for i, v := range in.verdicts {
			place := in.places[i]
			place.add(v)
			if in.entries[i].Unread {
				continue // the part is judged by its other index, or its content
			}
			place.duplicate = v.Duplicate
			if !v.Duplicate {
				in.fresh++
			}
		}
	}
}

// enter puts one part up for judgement: by its index if it has one, by its
// content otherwise.
func (in *intake) enter(place *judged, header *cdr.Header, raw string, known *ledger.Fingerprints) {
	place.entries, place.prints = len(in.entries), len(in.prints)
	index := header.Index
	if in.legacy != "" {
		index = header.LegacyIndex
	}
	if in.session != nil && index.Valid {
		entry := ledger.Entry{Index: index.Value, DiscardsUnnumbered: in.legacy != ""}
		if header.Missing.Valid {
			entry.Missing = header.Missing.Value
		}
		in.entries = append(in.entries, entry)
		in.places = append(in.places, place)
		return
	}
	print := ledger.FingerprintOf(in.batch.Session, raw)
	if place.duplicate = known.Contains(print); !place.duplicate {
		in.prints = append(in.prints, print)
		in.fresh++
	}
}

// enterUnread puts up the records in a malformed part of which no more than the
// index could be read: they are not lost.
func (in *intake) enterUnread(place *judged, indices []cdr.IndexRange) {
	if in.session == nil {
		return
	}
	for _, r := range indices {
		if r.Legacy == (in.legacy != "") {
			entry := ledger.Entry{Index: r.First, More: r.Last - r.First, DiscardsUnnumbered: r.Legacy, Unread: true}
			in.entries = append(in.entries, entry)
			in.places = append(in.places, place)
		}
	}
}

// accept marks the parts of a piece as accepted.
func (in *intake) accept(into *ledger.Ledger, p *outbox.Piece) ledger.Accepted {
	entries, verdicts, prints := in.marksOf(p)
	into.Fingerprints.Accept(prints, in.known)
	if in.session == nil || len(entries) == 0 {
		return ledger.Accepted{}
	}
	accepted := into.Accept(in.session, in.post, entries, verdicts)
	in.post.Start = ledger.Start{} // it is reported
	return accepted
}

// sized returns n zero values, in s if they fit.
func sized(s []judged, n int) []judged {
	if cap(s) < n {
		return make([]judged, n)
	}
	s = s[:n]
	clear(s)
	return s
}
