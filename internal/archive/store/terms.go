// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package store

import (
	"context"
	"strings"
	"time"
	"unicode/utf8"
)

// TermKind is the kind of a [Term].
type TermKind string

// Kinds of terms.
const (
	TermName    TermKind = "name"    // display name of a far end
	TermAddress TermKind = "address" // address of a far end
	TermDialled TermKind = "dialled" // address that was dialled
	TermRoom    TermKind = "room"    // name of a room
	TermOwner   TermKind = "owner"   // owner of a meeting
	TermBridge  TermKind = "bridge"  // id or name of a Call Bridge
)

// Term is a text that people search for, once however many rows have it.
type Term struct {
	Kind TermKind `json:"kind"`
	Text string   `json:"text"`
	// LastSeenAt is behind by up to termFreshness.
	LastSeenAt time.Time `json:"last_seen_at"`
}

const (
	// maxTerm bounds a term, in bytes. Of a longer text only its beginning is found.
	maxTerm = 256
	// termFreshness is how much newer a term's time must be to be written: a term is
	// written once a day, not once for each leg.
	termFreshness = 24 * time.Hour
	// maxRememberedTerms bounds the memory of written terms.
	maxRememberedTerms = 50_000
)

type termKey struct {
	kind TermKind
	key  string
}

// termMemory keeps when each term was last written, so that a batch without a new
// one costs no statement. It belongs to the writer whose turn it is.
type termMemory map[termKey]time.Time

// remember terms that are in the database now.
func (m termMemory) remember(terms map[termKey]Term) {
	if len(m)+len(terms) > maxRememberedTerms {
		clear(m)
	}
	for key, term := range terms {
		m[key] = term.LastSeenAt
	}
}

// termSet holds the terms of a batch that are not written yet.
type termSet struct {
	written termMemory
	terms   map[termKey]Term
}

func (s *termSet) add(kind TermKind, text string, at time.Time) {
	if text == "" || at.IsZero() {
		return
	}
	if len(text) > maxTerm {
		text = text[:maxTerm]
		for !utf8.ValidString(text) {
			text = text[:len(text)-1]
		}
	}
	key := termKey{kind, asciiLower(text)}
	if written, ok := s.written[key]; ok && at.Sub(written) < termFreshness {
		return
	}
	if have, ok := s.terms[key]; ok && !at.After(have.LastSeenAt) {
		return
	}
	s.terms[key] = Term{kind, text, at}
}

// newTerms returns the terms of a batch that are to be written.
func newTerms(written termMemory, b *Batch) map[termKey]Term {
	s := termSet{written, map[termKey]Term{}}
	for i := range b.Calls {
		c := &b.Calls[i]
		s.add(TermRoom, c.RoomName, c.LastHeardAt)
		s.add(TermOwner, c.OwnerName, c.LastHeardAt)
		s.add(TermBridge, c.Bridge, c.LastHeardAt)
		s.add(TermBridge, c.System, c.LastHeardAt)
	}
	for i := range b.Legs {
		l := &b.Legs[i]
		s.add(TermName, l.DisplayName, l.LastHeardAt)
		s.add(TermAddress, l.RemoteParty, l.LastHeardAt)
		s.add(TermDialled, l.LocalAddress, l.LastHeardAt)
		s.add(TermRoom, l.RoomName, l.LastHeardAt)
		s.add(TermBridge, l.Bridge, l.LastHeardAt)
		s.add(TermBridge, l.System, l.LastHeardAt)
	}
	for i := range b.Dialogs {
		d := &b.Dialogs[i]
		s.add(TermName, d.FromName, d.LastHeardAt)
		s.add(TermName, d.ToName, d.LastHeardAt)
		s.add(TermAddress, d.FromParty, d.LastHeardAt)
		s.add(TermAddress, d.ToParty, d.LastHeardAt)
	}
	return s.terms
}

// writeTerms puts terms into the table, or makes those that are there newer.
func writeTerms(ctx context.Context, d dialect, tx transaction, terms map[termKey]Term) error {
	if len(terms) == 0 {
		return nil
	}
	rows := make([][]any, 0, len(terms))
	for key, term := range terms {
		rows = append(rows, []any{key.kind, term.Text, key.key, strings.ToLower(term.Text), instantText(term.LastSeenAt)})
	}
	return insertJSON(ctx, d, tx, "search_terms (kind, term, term_key, folded, last_seen_at)", []jsonType{jsonText, jsonText, jsonText, jsonText, jsonInstant}, rows,
		"ON CONFLICT (kind, term_key) DO UPDATE SET term = excluded.term, last_seen_at = excluded.last_seen_at WHERE excluded.last_seen_at > search_terms.last_seen_at")
}

// mostOldTerms bounds how many terms of each kind are taken from an archive that
// has none yet: the newest.
const mostOldTerms = 200_000

// termSources are where an archive's terms are.
var termSources = []struct {
	kind          TermKind
	table, column string
}{
	{TermName, "call_legs", "display_name"},
	{TermAddress, "call_legs", "remote_party"},
	{TermDialled, "call_legs", "local_address"},
	{TermRoom, "conferences", "room_name"},
	{TermOwner, "conferences", "owner_name"},
	{TermBridge, "calls", "bridge"},
	{TermBridge, "calls", "system"},
	{TermName, "dialogs", "from_name"},
	{TermName, "dialogs", "to_name"},
	{TermAddress, "dialogs", "from_party"},
	{TermAddress, "dialogs", "to_party"},
}

// collectTerms makes the terms of an archive that an older release wrote.
func collectTerms(ctx context.Context, d dialect, tx transaction) error {
	for _, source := range termSources {
		s := termSet{terms: map[termKey]Term{}}
		found, err := tx.query(ctx, "SELECT MIN("+source.column+"), MAX(last_heard_at) AS seen FROM "+source.table+
			" WHERE "+source.column+" IS NOT NULL GROUP BY lower("+source.column+") ORDER BY seen DESC LIMIT $1", mostOldTerms)
		if err != nil {
			return err
		}
		for found.Next() {
			var text string
			var at time.Time
			if err := found.Scan(&text, scanTarget(&at)); err != nil {
				_ = found.Close()
				return err
			}
			s.add(source.kind, text, at)
		}
		if err := found.Err(); err != nil {
			_ = found.Close()
			return err
		}
		if err := found.Close(); err != nil {
			return err
		}
		if err := writeTerms(ctx, d, tx, s.terms); err != nil {
			return err
		}
	}
	return nil
}

// expireTerms deletes terms that were last seen before the rows that are kept.
func (w *write) expireTerms(ctx context.Context, before time.Time, _ map[string]int64) (int, error) {
	n, err := w.tx.exec(ctx, "DELETE FROM search_terms WHERE id IN (SELECT id FROM search_terms WHERE last_seen_at < $1 ORDER BY last_seen_at"+limit+")",
		w.dialect.instant(before.Add(-2*termFreshness)))
	return int(n), err
}
