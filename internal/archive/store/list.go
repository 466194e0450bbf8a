// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package store

import (
	"context"
	"database/sql"
	"errors"
	"strings"
	"time"
)

// A list is found in one of two ways, so that none takes long however many rows
// there are.
//
// By an index of the filter's values, if it finds few rows: these are read, filtered and
// sorted.
//
// Else by time: the rows are walked through from the newest one on, those of an index where
// there is one, until the page is full or as many were looked at as fit into the time a reader
// waits. Then the list ends early and reports how far it got (List.SearchedTo), and the next
// page continues there.
//
// The limits are variables for tests.
var (
	// fewEnough is how many rows an index may find to be read at once.
	fewEnough = 1500
	// walkConferences, walkLegs and walkSessions are how many rows a page looks at.
	walkConferences = 10000
	walkLegs        = 5000
	walkSessions    = 5000
	// walkByLegs is how many conferences are looked at if the legs of each are.
	walkByLegs = 1000
	// walkAnywhere likewise, for a text that may be anywhere in a name, if no index of
	// trigrams finds it or if too many names have it.
	walkAnywhere = 3000
)

// MaxLimit of a list's rows.
const MaxLimit = 500

// Cursor is a place in a list that is sorted by start, newest first, and id.
type Cursor struct {
	At time.Time
	ID string
}

// Page of a list.
type Page struct {
	// After is where the page before ended; zero for the first one.
	After Cursor
	// Limit is how many rows it has at most: 1 to MaxLimit.
	Limit int
	// Sort is the order, by start if it is zero.
	Sort Sort
}

// List is a page of a list.
type List[T Row] struct {
	Rows []T
	// Next is where the next page begins, nil if there is nothing more.
	Next *Cursor
	// More is set if there are more rows than the page takes.
	More bool
	// SearchedTo is set if the page ended because enough rows were looked at: what
	// is older was not.
	SearchedTo time.Time
}

// endOfTime is where the first page begins: later than any start, and a time that
// both databases can hold.
var endOfTime = time.Date(9999, 12, 31, 0, 0, 0, 0, time.UTC)

var (
	errLimit = errors.New("callarchive: the limit of a page is out of range")
	errSort  = errors.New("callarchive: a list cannot be sorted so")
)

// walk through a table by time.
type walk[T Row] struct {
	key   string // the column behind started_at in the order
	index string // in the order of started_at, by which the rows are found
	rows  int    // to look at
	at    func(*T) Cursor
	// indexed are conditions that an index of time holds; the others are tested on
	// each row.
	indexed, others func(*conditions)
}

// run finds a page.
func (w *walk[T]) run(ctx context.Context, v *View, f *Filter, page Page) (l List[T], err error) {
	if page.Limit < 1 || page.Limit > MaxLimit {
		return l, errLimit
	}
	order, ok := page.Sort.order(tableOf[T]().name, w.key)
	if !ok {
		return l, errSort
	}
	// One bound above and one below: an index takes no more, and would walk through
	// what lies beyond the narrower one.
	after := page.After
	if after.At.IsZero() {
		after = Cursor{At: endOfTime}
	}
	if !f.To.IsZero() && !after.At.Before(f.To) {
		after = Cursor{At: f.To}
	}
	span := func(c *conditions, from time.Time) {
		c.and("started_at <= ?", after.At)
		if !from.IsZero() {
			c.and("started_at >= ?", from)
		}
		w.indexed(c)
	}
	var c conditions
	span(&c, f.From)
	var end time.Time
	if err := v.each(ctx, func(found *sql.Rows) error { return found.Scan(scanTarget(&end)) },
		c.fill("SELECT started_at FROM "+w.from(v)+c.where()+" ORDER BY started_at DESC LIMIT 1 OFFSET ?", w.rows), c.args...); err != nil {
		return l, err
	}
	c = conditions{}
	if end.IsZero() {
		span(&c, f.From)
	} else {
		span(&c, end)
	}
	c.and("(started_at < ? OR "+w.key+" < ?)", after.At, after.ID)
	w.others(&c)
	tail := c.fill(c.where()+" ORDER BY "+order+" LIMIT ?", page.Limit+1)
	l.Rows, err = collect(eachFrom[T](ctx, v, w.from(v), tail, c.args...))
	if err != nil {
		return l, err
	}
	w.cut(&l, page)
	switch {
	case end.IsZero():
	case page.Sort != Sort{}:
		l.SearchedTo = end.In(v.zone)
	case l.Next == nil:
		l.Next, l.SearchedTo = &Cursor{At: end}, end.In(v.zone)
	}
	return l, nil
}

// newest finds a page of the rows that the index holds, however many there are.
func (w *walk[T]) newest(ctx context.Context, v *View, page Page) (l List[T], err error) {
	if page.Limit < 1 || page.Limit > MaxLimit {
		return l, errLimit
	}
	var c conditions
	w.indexed(&c)
	if after := page.After; !after.At.IsZero() {
		c.and("started_at <= ? AND (started_at < ? OR "+w.key+" < ?)", after.At, after.At, after.ID)
	}
	l.Rows, err = collect(eachFrom[T](ctx, v, w.from(v), c.fill(c.where()+" ORDER BY started_at DESC, "+w.key+" DESC LIMIT ?", page.Limit+1), c.args...))
	if err == nil {
		w.cut(&l, page)
	}
	return l, err
}

// from is the table. SQLite has no statistics, so the query names the
// index: SQLite may choose a longer one otherwise.
func (w *walk[T]) from(v *View) string {
	name := tableOf[T]().name
	if v.d.name() == SQLite {
		return name + " INDEXED BY " + w.index
	}
	return name
}

// cut takes off the row that was asked for to know whether there is one more.
func (w *walk[T]) cut(l *List[T], page Page) {
	if len(l.Rows) <= page.Limit {
		return
	}
	l.Rows, l.More = l.Rows[:page.Limit], true
	if page.Sort == (Sort{}) {
		next := w.at(&l.Rows[page.Limit-1])
		l.Next = &next
	}
}

// matched finds a page among the few rows whose key is among those that queries
// find: the first column of each.
func (w *walk[T]) matched(ctx context.Context, v *View, f *Filter, page Page, queries func(*conditions) []string) (l List[T], err error) {
	if page.Limit < 1 || page.Limit > MaxLimit {
		return l, errLimit
	}
	order, ok := page.Sort.order(tableOf[T]().name, w.key)
	if !ok {
		return l, errSort
	}
	var c conditions
	// What is left of a cross join comes first on SQLite too.
	from := "(" + strings.Join(queries(&c), " UNION ") + ") AS matched CROSS JOIN " + tableOf[T]().name
	c.and(w.key + " = matched.found")
	if !f.From.IsZero() {
		c.and("started_at >= ?", f.From)
	}
	if !f.To.IsZero() {
		c.and("started_at < ?", f.To)
	}
	if after := page.After; !after.At.IsZero() {
		c.and("(started_at < ? OR started_at = ? AND "+w.key+" < ?)", after.At, after.At, after.ID)
	}
	w.indexed(&c)
	w.others(&c)
	// No index has the order of an expression. Else PostgreSQL walks through that of the
	// start, looking up the match of each row, until it has a page: of a rare room, most of
	// the table.
	order = strings.Replace(order, "started_at ", "COALESCE(started_at, started_at) ", 1)
	tail := c.fill(c.where()+" ORDER BY "+order+" LIMIT ?", page.Limit+1)
	l.Rows, err = collect(eachFrom[T](ctx, v, from, tail, c.args...))
	if err != nil {
		return l, err
	}
	w.cut(&l, page)
	return l, nil
}
