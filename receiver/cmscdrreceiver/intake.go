// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package cmscdrreceiver

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"strings"
	"sync"

	"github.com/legato-otel/legato/internal/cdr"
	"github.com/legato-otel/legato/internal/ingest"
	"github.com/legato-otel/legato/internal/ledger"
)

// intake is the work on one body: what is in it, and what of it is new.
type intake struct {
	decoder cdr.Decoder
	batch   *cdr.Batch
	request ingest.Request

	// ledgerID names the numbering the body's indices belong to, "" if they
	// cannot be told apart from others'.
	ledgerID string
	legacy   string // suffix of ledgerID if the indices are recordIndex
	bridge   string // the bridge's name, "" if it has none
	session  *ledger.Session
	locked   *ledger.Session // session, or what stands in for none
	previous string          // the session this one follows

	records   []judged // of batch.Records
	malformed []judged // of batch.Malformed
	entries   []ledger.Entry
	verdicts  []ledger.Verdict
	places    []*judged // of each entry
	prints    []ledger.Fingerprint

	fresh int // records and malformed parts that are new

	expansion ingest.Expansion // of the pieces so far
}

// judged is what is to be done with one record or malformed part.
type judged struct {
	duplicate bool
	missing   uint64
	// entries and prints are how many of either belong to the parts before.
	entries, prints int
}

// intakePool keeps intakes for their buffers.
type intakePool struct{ pool sync.Pool }

func (p *intakePool) get(req ingest.Request) *intake {
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
	if len(in.request.Body) <= maxPooledBody {
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

func (in *intake) read(req ingest.Request) {
	in.batch = in.decoder.Decode(req.Body)
	in.request = req
	in.session, in.locked, in.previous = nil, nil, ""
	in.expansion = ingest.Expansion{}
	in.bridge = in.batch.CallBridge
	if in.bridge == "" {
		in.bridge = req.Query.Get(systemIDParameter)
	}
	in.bridge = clip(in.bridge)
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
	}
}

// lock takes the body's session for this intake alone, if it has one.
func (in *intake) lock(ctx context.Context, of *ledger.Ledger) error {
	if in.ledgerID == "" {
		// Bodies that cannot be told apart are taken one at a time, so that a
		// resend does not overtake its own first try.
		var err error
		in.locked, err = of.Lock(ctx, "", "")
		return err
	}
	bridge := in.bridge
	if bridge != "" {
		bridge += in.legacy
	}
	session, err := of.Lock(ctx, in.ledgerID, bridge)
	if err != nil {
		return err
	}
	in.session, in.locked = session, session
	in.previous = strings.TrimSuffix(of.Previous(session), in.legacy)
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
	}
	if len(in.entries) == 0 {
		in.previous = "" // the session begins with its first numbered record
	}
	if in.session != nil {
		in.verdicts = in.session.Judge(in.entries, in.verdicts[:0])
		for i, v := range in.verdicts {
			in.places[i].duplicate, in.places[i].missing = v.Duplicate, v.Missing
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
		entry := ledger.Entry{Index: index.Value, Unnumbered: in.legacy != ""}
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

// accept marks the parts of a piece as accepted and returns the sessions that
// the ledger dropped to make room for this one.
func (in *intake) accept(into *ledger.Ledger, p *ingest.Piece) (evicted []string) {
	entries, prints := in.marksOf(p)
	into.Fingerprints.Accept(prints)
	if in.session == nil || len(entries) == 0 {
		return nil
	}
	begins := in.session.Fresh()
	in.session.Accept(entries)
	if begins {
		evicted = into.Begin(in.session)
	}
	return evicted
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
