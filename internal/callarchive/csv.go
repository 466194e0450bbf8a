// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package callarchive

import (
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"
)

// CSVFilter says which legs are in a [Store.WriteCSV]. Zero values do not filter.
type CSVFilter struct {
	Filter
	// Tag is exact. A leg's tag is its own, else its call's.
	Tag string
}

// CSVHeader is the first line.
func CSVHeader() []string {
	return []string{
		"conference", "room", "room_id", "tenant_id", "tag", "owner", "owner_id", "participant", "remote_party", "local_address", "direction", "type",
		"started_at", "ended_at", "seconds", "ivr_seconds", "lobby_seconds", "activated_seconds", "reason", "call_id", "leg_id", "participant_id", "bridge",
	}
}

// csvPage is how many legs are read at a time, so that a client who is slow
// holds no connection and no old version of the data.
const csvPage = 1000

// csvQuery reads one page: what comes behind a start and an id.
const csvQuery = `
SELECT l.trace_id, l.room_name, l.room_id, l.tenant_id, COALESCE(l.cdr_tag, l.call_cdr_tag), c.owner_name, l.owner_id, l.display_name,
  l.remote_party, l.local_address, l.direction, l.type, l.started_at, l.ended_at, l.duration_seconds, l.ivr_seconds, l.lobby_seconds,
  l.activated_seconds, l.reason, l.call_id, l.id, l.participant_id, l.bridge
FROM (SELECT * FROM call_legs%s ORDER BY started_at, id LIMIT %d) AS l LEFT JOIN conferences AS c ON c.trace_id = l.trace_id
ORDER BY l.started_at, l.id`

// WriteCSV writes a line for every leg of a participant that is over, by start,
// as billing wants it: RFC 4180, UTF-8, times in UTC as RFC 3339. A text that a
// spreadsheet would take for a formula has an apostrophe before it.
func (s *Store) WriteCSV(ctx context.Context, to io.Writer, filter CSVFilter) error {
	out := csv.NewWriter(to)
	out.UseCRLF = true
	if err := out.Write(CSVHeader()); err != nil {
		return err
	}
	// Behind the last millisecond before it.
	after := Cursor{At: filter.From.Add(-time.Millisecond), ID: highest}
	if filter.From.IsZero() {
		after.At = startOfTime
	}
	for {
		var c conditions
		// The first condition is the one that the index of time answers.
		c.and("started_at >= ?", after.At)
		c.and("(started_at > ? OR id > ?)", after.At, after.ID)
		c.and("role = 'participant' AND state = 'ended'")
		filter.conditions(&c)
		query := fmt.Sprintf(csvQuery, c.where(), csvPage)
		n, last, id, err := s.csvPage(ctx, out, query, c.args)
		if err != nil {
			return err
		}
		out.Flush()
		if err := out.Error(); err != nil || n < csvPage {
			return err
		}
		after = Cursor{last, id}
	}
}

// startOfTime is before any start, and a time that both databases can hold.
var startOfTime = time.Date(1, 1, 1, 0, 0, 0, 0, time.UTC)

func (f *CSVFilter) conditions(c *conditions) {
	if !f.To.IsZero() {
		c.and("started_at < ?", f.To)
	}
	c.leg(&f.Filter)
	c.over(&f.Filter)
	c.room(&f.Filter, false)
	if f.Tag != "" {
		c.and("COALESCE(cdr_tag, call_cdr_tag) = ?", f.Tag)
	}
}

// csvPage writes one page. It returns how many lines it has, and what the last
// one is sorted by.
func (s *Store) csvPage(ctx context.Context, out *csv.Writer, query string, args []any) (n int, last time.Time, id string, err error) {
	found, err := s.Query(ctx, query, args...)
	if err != nil {
		return 0, last, "", err
	}
	defer func() { err = errors.Join(err, found.Close()) }()
	for found.Next() {
		var texts [17]string
		var seconds [4]*float64
		var start, end time.Time
		into := make([]any, 0, len(CSVHeader()))
		for i := range 12 {
			into = append(into, target(&texts[i]))
		}
		into = append(into, target(&start), target(&end), &seconds[0], &seconds[1], &seconds[2], &seconds[3])
		for i := range 5 {
			into = append(into, target(&texts[12+i]))
		}
		if err := found.Scan(into...); err != nil {
			return n, last, id, err
		}
		line := make([]string, 0, len(CSVHeader()))
		for _, text := range texts[:12] {
			line = append(line, harmless(text))
		}
		line = append(line, moment(start), moment(end))
		for _, v := range seconds {
			line = append(line, decimal(v))
		}
		for _, text := range texts[12:] {
			line = append(line, harmless(text))
		}
		if err := out.Write(line); err != nil {
			return n, last, id, err
		}
		n, last, id = n+1, start, texts[14]
	}
	return n, last, id, found.Err()
}

// harmless keeps a spreadsheet from running what a stranger typed as a formula:
// where a text begins, and where one goes on behind what a spreadsheet of another
// country, or one that is told so, takes for the end of a cell.
func harmless(text string) string {
	if !strings.ContainsAny(text, formulaStarts+cellEnds) {
		return text
	}
	var b strings.Builder
	begins := true
	for i, c := range text {
		if begins && strings.ContainsRune(formulaStarts, c) || i == 0 && c != ';' && strings.ContainsRune(cellEnds, c) {
			b.WriteByte('\'')
		}
		// Behind a quotation mark and spaces a cell still begins.
		begins = strings.ContainsRune(cellEnds, c) || begins && (c == '"' || c == ' ')
		b.WriteRune(c)
	}
	return b.String()
}

const (
	// formulaStarts have their wide forms with them, which are the same in some
	// countries.
	formulaStarts = "=+-@\uff1d\uff0b\uff0d\uff20"
	cellEnds      = ";\t\r\n"
)

func moment(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format("2006-01-02T15:04:05.000Z")
}

func decimal(v *float64) string {
	if v == nil {
		return ""
	}
	return strconv.FormatFloat(*v, 'f', -1, 64)
}
