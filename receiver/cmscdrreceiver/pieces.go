// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package cmscdrreceiver

import (
	"strings"

	"github.com/legato-otel/legato/internal/ingest/ledger"
	"github.com/legato-otel/legato/internal/ingest/outbox"
	"github.com/legato-otel/legato/internal/meetingserver/cdr"
	"github.com/legato-otel/legato/internal/otel/logrecord"
)

// parts is how many there are in the body. They are numbered: the records first,
// the malformed ones behind them.
func (in *intake) parts() int { return len(in.records) + len(in.malformed) }

// part returns what was found out about a part, its header and its bytes.
func (in *intake) part(i int) (*judged, *cdr.Header, string) {
	if n := len(in.records); i >= n {
		m := &in.batch.Malformed[i-n]
		return &in.malformed[i-n], &m.Header, m.Raw
	}
	r := &in.batch.Records[i]
	return &in.records[i], &r.Header, r.Raw
}

// sizeOfPart returns how long a part is, and whether it is new.
func (in *intake) sizeOfPart(i int) (bytes int, fresh bool) {
	j, _, raw := in.part(i)
	return len(raw), !j.duplicate
}

// markSent marks the events about the session and its gaps that are in payloads of a
// piece that were taken, although their part is not marked as accepted.
func (in *intake) markSent(p *outbox.Piece, taken outbox.Taken) {
	in.startSent = in.startSent || in.begins(p)
	if taken.Partly {
		j, _, _ := in.part(taken.Parts)
		j.gapSent = true
	}
}

// recordsOf and malformedOf return the ends of a piece in the batch's slices.
func (in *intake) recordsOf(p *outbox.Piece) (from, to int) {
	n := len(in.records)
	return min(p.From, n), min(p.To, n)
}

func (in *intake) malformedOf(p *outbox.Piece) (from, to int) {
	n := len(in.records)
	return max(p.From, n) - n, max(p.To, n) - n
}

// marksOf returns what stands for a piece's parts in the ledger: entries with
// their verdicts, and fingerprints, in the order of the parts.
func (in *intake) marksOf(p *outbox.Piece) (entries []ledger.Entry, verdicts []ledger.Verdict, prints []ledger.Fingerprint) {
	entriesEnd, printsEnd := len(in.entries), len(in.prints)
	if p.To < in.parts() {
		next, _, _ := in.part(p.To)
		entriesEnd, printsEnd = next.entries, next.prints
	}
	first, _, _ := in.part(p.From)
	entries, prints = in.entries[first.entries:entriesEnd], in.prints[first.prints:printsEnd]
	if len(entries) > 0 {
		verdicts = in.verdicts[first.entries:entriesEnd]
	}
	return entries, verdicts, prints
}

// begins tells whether the session's start is reported with this piece: the first
// new one that has numbered records.
func (in *intake) begins(p *outbox.Piece) bool {
	if !in.post.Start.Begins || in.startSent {
		return false
	}
	entries, _, _ := in.marksOf(p)
	return len(entries) > 0
}

// text returns the bytes of what is new in a piece: all of the body where the
// piece is all there is to it, and one payload or one part.
func (in *intake) text(p *outbox.Piece) string {
	const envelope = 4 << 10 // a root element, and blanks
	if body := in.request.Body; p.Fresh == in.parts() && len(body) <= 2*p.Bytes+envelope && (len(body) <= logrecord.MaxRaw || p.Fresh == 1) {
		return body
	}
	var text strings.Builder
	text.Grow(p.Bytes + p.Fresh)
	for i := p.From; i < p.To; i++ {
		j, _, raw := in.part(i)
		if j.duplicate {
			continue
		}
		if text.Len() > 0 {
			text.WriteByte('\n')
		}
		text.WriteString(raw)
	}
	return text.String()
}

// expands tells whether the records of a piece must be kept as bytes.
func (in *intake) expands(p *outbox.Piece) bool {
	if in.size <= outbox.SmallBody {
		return false
	}
	becomes := 0
	from, end := in.recordsOf(p)
	for i := from; i < end; i++ {
		if !in.records[i].duplicate {
			becomes += sizeOf(&in.batch.Records[i]) + sizeOfGap(&in.records[i])
		}
	}
	from, end = in.malformedOf(p)
	for i := from; i < end; i++ {
		if !in.malformed[i].duplicate {
			becomes += len(in.batch.Malformed[i].Raw) + sizeOfOthers + sizeOfGap(&in.malformed[i])
		}
	}
	return !in.expansion.Add(p.Bytes, becomes)
}

// What OTLP needs, in bytes, besides the values of a record's fields.
const (
	// sizeOfOthers bounds times, severity, event name and what the record's start
	// tag says.
	sizeOfOthers = 400
	// sizeOfAttribute is that of an attribute besides its key and value.
	sizeOfAttribute = 10
	// sizeOfAlarm is that of an alarm besides its type, which stands in the
	// attribute's name and in the line.
	sizeOfAlarm = 100
	// sizeOfPrefix bounds what stands before the name of an undocumented value.
	sizeOfPrefix = 40
)

// sizeOf bounds the size of a record's event from above. The line for
// people shows some of the values, with escapes.
func sizeOf(r *cdr.Record) int {
	if len(r.Raw) > maxRecord {
		return len(r.Raw) + sizeOfOthers
	}
	size := sizeOfOthers
	for i := range r.Fields {
		f := &r.Fields[i]
		size += len(fieldKeys[f.ID]) + len(f.Text) + sizeOfAttribute
		if f.ID == cdr.Unknown {
			size += sizeOfPrefix + 2*len(f.Path)
		} else {
			size += 2 * min(len(f.Text), maxShown)
		}
	}
	for i := range r.Alarms {
		size += sizeOfAlarm + 3*len(r.Alarms[i].Type)
	}
	if r.Type == cdr.TypeUnknown {
		size += len(r.Raw)
	}
	return size
}

// sizeOfGap bounds the event of a hole before a part.
func sizeOfGap(j *judged) int {
	if j.missing == 0 {
		return 0
	}
	return sizeOfOthers
}
