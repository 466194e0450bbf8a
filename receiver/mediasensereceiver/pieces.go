// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package mediasensereceiver

import (
	"strings"

	"github.com/legato-otel/legato/internal/ingest/dedup"
	"github.com/legato-otel/legato/internal/ingest/outbox"
	"github.com/legato-otel/legato/internal/otel/logrecord"
)

// parts is how many there are in the body. They are numbered: the events first,
// the malformed ones behind them.
func (in *intake) parts() int { return len(in.events) + len(in.malformed) }

// part returns what was found out about a part, and its bytes.
func (in *intake) part(i int) (*judged, string) {
	if n := len(in.events); i >= n {
		return &in.malformed[i-n], in.batch.Malformed[i-n].Raw
	}
	return &in.events[i], in.batch.Events[i].Raw
}

// sizeOfPart returns how long a part is, and whether it is new.
func (in *intake) sizeOfPart(i int) (bytes int, fresh bool) {
	j, raw := in.part(i)
	return len(raw), !j.duplicate
}

// eventsOf and malformedOf return the ends of a piece in the batch's slices.
func (in *intake) eventsOf(p *outbox.Piece) (from, to int) {
	n := len(in.events)
	return min(p.From, n), min(p.To, n)
}

func (in *intake) malformedOf(p *outbox.Piece) (from, to int) {
	n := len(in.events)
	return max(p.From, n) - n, max(p.To, n) - n
}

// entriesOf returns what makes a piece's parts known.
func (in *intake) entriesOf(p *outbox.Piece) []dedup.Entry {
	first, _ := in.part(p.From)
	end := len(in.entries)
	if p.To < in.parts() {
		next, _ := in.part(p.To)
		end = next.entries
	}
	return in.entries[first.entries:end]
}

// text returns the bytes of what is new in a piece: all of the body where the
// piece is all there is to it, and one payload or one part.
func (in *intake) text(p *outbox.Piece) string {
	const envelope = 1 << 10 // brackets, and blanks
	if body := in.request.Body; p.Fresh == in.parts() && len(body) <= 2*p.Bytes+envelope && (len(body) <= logrecord.MaxRaw || p.Fresh == 1) {
		return body
	}
	var text strings.Builder
	text.Grow(p.Bytes + p.Fresh)
	for i := p.From; i < p.To; i++ {
		j, raw := in.part(i)
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
