// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package page

import (
	"cmp"
	"net/url"
	"strings"
	"time"

	"github.com/legato-otel/legato/internal/archive/store"
)

const (
	paramAddress = "address"
	paramName    = "name"
	paramSearch  = "q"
	// maxLinked is the longest value that has a page, in bytes.
	maxLinked = 300
)

// personURL returns the page of the party with an address or, if that is empty, a name;
// "" if both are empty.
func personURL(address, name string) string {
	switch {
	case address != "" && len(address) <= maxLinked:
		return "people?" + url.Values{paramAddress: {address}}.Encode()
	case address == "" && name != "" && len(name) <= maxLinked:
		return "people?" + url.Values{paramName: {name}}.Encode()
	default:
		return ""
	}
}

// roomURL is the page of a room by its id or, if that is empty, by its name; "" if
// it has none.
func roomURL(id, name string) string {
	switch {
	case id != "" && len(id) <= maxLinked:
		return "rooms?" + url.Values{paramID: {id}}.Encode()
	case id == "" && name != "" && len(name) <= maxLinked:
		return "rooms?" + url.Values{paramName: {name}}.Encode()
	default:
		return ""
	}
}

// legsURL is the list of legs with a filter: pairs of names and values.
func legsURL(pairs ...string) string {
	query := url.Values{}
	for i := 0; i+1 < len(pairs); i += 2 {
		query.Set(pairs[i], pairs[i+1])
	}
	return "legs?" + query.Encode()
}

// seenRow is a value that calls had.
type seenRow struct {
	store.Seen
	URL  string
	When localTime
}

// Name is the value as people call it.
func (s *seenRow) Name() string { return cmp.Or(s.Text, s.ID) }

// seenList is what calls had of one kind.
type seenList struct {
	ID, Words string
	Rows      []seenRow
}

// newSeenList makes the rows of a list; link returns the page of a value, "" if there is
// none.
func newSeenList(id, words string, seen []store.Seen, link func(*store.Seen) string) seenList {
	l := seenList{ID: id, Words: words}
	for i := range seen {
		l.Rows = append(l.Rows, seenRow{Seen: seen[i], URL: link(&seen[i]), When: localTime{seen[i].LastSeenAt}})
	}
	return l
}

func noLink(*store.Seen) string { return "" }

func roomLink(s *store.Seen) string { return roomURL(s.ID, s.Text) }

func bridgeLink(s *store.Seen) string { return legsURL(paramBridge, s.ID) }

// chart of columns: what happened in each step of a time.
type chart struct {
	// Title names the objects that a column counts, Noun is their plural.
	Title, Noun string
	Columns     []column
	Most        int64
	Days        bool
}

// newChart draws buckets of equal steps.
func newChart(title, noun string, buckets []store.Bucket, step time.Duration) chart {
	c := chart{Title: title, Noun: noun, Days: step >= 24*time.Hour}
	for _, b := range buckets {
		c.Most = max(c.Most, b.Legs)
	}
	n := len(buckets)
	layout := "01-02"
	if step < 6*time.Hour {
		layout = "15:04"
	}
	if time.Duration(n)*step > 48*time.Hour {
		layout = "01-02"
	}
	every := max(1, n/labels)
	for i, b := range buckets {
		col := column{Bucket: b, Start: localTime{b.At}, End: localTime{b.At.Add(step)}, x: 100 * float64(i) / float64(n), width: 82 / float64(n)}
		if c.Most > 0 {
			col.height = chartHeight * float64(b.Legs) / float64(c.Most)
			col.failed = chartHeight * float64(max(b.Failed, b.Slight+b.Bad)) / float64(c.Most)
		}
		if i%every == 0 && i < n-every/2 {
			col.Label = b.At.Format(layout)
		}
		c.Columns = append(c.Columns, col)
	}
	return c
}

// share of a whole, as people write it.
func share(part, whole int64) string {
	if whole == 0 {
		return "–"
	}
	return percent(100 * float64(part) / float64(whole))
}

// troubleFigure is a figure that is red if it is not 0.
func troubleFigure(part, whole int64, name, class string) figure {
	f := figure{Value: count(part), Name: name}
	if part > 0 {
		f.Class = class
		f.Value += " (" + share(part, whole) + ")"
	}
	return f
}

// asked is a parameter of a page that is about one thing; "" if it cannot be.
func asked(query url.Values, name string) string {
	text := strings.TrimSpace(query.Get(name))
	if len(text) > maxValue || strings.ToValidUTF8(text, "") != text || strings.ContainsRune(text, 0) {
		return ""
	}
	return text
}
