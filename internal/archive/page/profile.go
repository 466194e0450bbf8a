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
	// paramRoomName of a CSV is a room's whole name.
	paramRoomName = "room_name"
	// maxLinked is the longest value that has a page, in bytes.
	maxLinked = 300
)

// profilePage is the page of a person or of a room: what their calls or meetings have in
// common, and a list of these.
type profilePage struct {
	frame
	Name, Address string
	// Noun names the listed objects. More is set if the newest of them were looked at, and
	// Since is when the oldest of these started.
	Noun        string
	More        bool
	Since       localTime
	Figures     []figure
	Facts       []fact
	Chart       chart
	Ends        []endRow
	Seen        []seenList
	Next, First string // addresses of other pages of the list
	Exports     []choice
}

// setNewest sets how many calls or meetings were looked at.
func (p *profilePage) setNewest(n int64, more bool, since time.Time, one, many string) {
	p.Noun, p.More, p.Since = many, more, localTime{since}
	number := count(n)
	if more {
		number = "newest " + number
	}
	p.Figures = append(p.Figures, figure{Value: number, Name: noun(n, one, many)})
}

// setPages sets the addresses of the other pages of the list.
func (p *profilePage) setPages(here string, after store.Cursor, next *store.Cursor) {
	if next != nil {
		p.Next = here + "&" + paramAfter + "=" + cursorText(*next)
	}
	if !after.At.IsZero() {
		p.First = here
	}
}

// addSeen adds a list of values of the calls or meetings; link returns the page of a value, ""
// if there is none.
func (p *profilePage) addSeen(id, words string, seen []store.Seen, link func(*store.Seen) string) {
	if len(seen) == 0 {
		return
	}
	l := seenList{ID: id, Words: words}
	for i := range seen {
		l.Rows = append(l.Rows, seenRow{Seen: seen[i], URL: link(&seen[i]), When: localTime{seen[i].LastSeenAt}})
	}
	p.Seen = append(p.Seen, l)
}

// csvExports are the addresses of the forms of a CSV.
func csvExports(file string, query url.Values) (exports []choice) {
	for _, form := range csvChoices {
		if form.Value != "" {
			query.Set(paramForm, form.Value)
		}
		exports = append(exports, choice{file + "?" + query.Encode(), form.Words})
	}
	return exports
}

// csvChoices are the forms of a CSV.
var csvChoices = []choice{{"", "CSV"}, {"excel", "CSV for Excel"}, {"machine", "CSV for programs"}}

// partyOf reads the person or endpoint that a query is about; zero if there is none.
func partyOf(query url.Values) store.Party {
	return store.Party{Address: asked(query, paramAddress), Name: asked(query, paramName)}
}

// partyQuery is a query for the party with an address or, if that is empty, a name.
func partyQuery(address, name string) url.Values {
	if address != "" {
		return url.Values{paramAddress: {address}}
	}
	return url.Values{paramName: {name}}
}

// personURL returns the page of the party with an address or, if that is empty, a name;
// "" if both are empty.
func personURL(address, name string) string {
	if text := cmp.Or(address, name); text == "" || len(text) > maxLinked {
		return ""
	}
	return "people?" + partyQuery(address, name).Encode()
}

// roomOf reads the room that a query is about; zero if there is none.
func roomOf(query url.Values) store.RoomKey {
	return store.RoomKey{ID: asked(query, paramID), Name: asked(query, paramName)}
}

// roomURL is the page of a room by its id or, if that is empty, by its name; "" if
// it has none.
func roomURL(id, name string) string {
	text := cmp.Or(id, name)
	if text == "" || len(text) > maxLinked {
		return ""
	}
	if id != "" {
		return "rooms?" + url.Values{paramID: {id}}.Encode()
	}
	return "rooms?" + url.Values{paramName: {name}}.Encode()
}

// roomQuery is the query of a CSV for a room.
func roomQuery(room store.RoomKey) url.Values {
	if room.ID != "" {
		return url.Values{paramRoom: {room.ID}}
	}
	return url.Values{paramRoomName: {room.Name}}
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

// seenList holds the values of one kind that the calls had.
type seenList struct {
	ID, Words string
	Rows      []seenRow
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

// withTrouble is how many of a bucket failed or had packet loss, whichever is more.
func withTrouble(b store.Bucket) int64 { return max(b.Failed, b.Lossy()) }

// newChart draws buckets of equal steps; striped is how much of a column has stripes.
func newChart(title, noun string, buckets []store.Bucket, step time.Duration, striped func(store.Bucket) int64) chart {
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
			col.failed = chartHeight * float64(striped(b)) / float64(c.Most)
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
