// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/legato-otel/legato/internal/archive/page"
	"github.com/legato-otel/legato/internal/archive/store"
)

// The page part: how long the pages of a full archive take, from the request to
// the last byte of the answer, one after the other. Not the first time, when the
// file is not in the system's memory yet, but each with other things asked for.

const (
	// slowestPage is the goal.
	slowestPage = 100 * time.Millisecond
	// pageRequests of each kind.
	pageRequests = 100
)

type pagePlan struct {
	legs      int
	directory string
}

func newPagePlan(o options) pagePlan { return pagePlan{legs: o.mostOpen, directory: o.directory} }

// pageKind is one kind of page, asked for with ever other things.
type pageKind struct {
	name, address string
	goal          bool
}

var pageKinds = []pageKind{
	{"list", "/", true},
	{"list, an older page", "/?to=%[1]s", true},
	{"list, what runs", "/?live=1", true},
	{"list, one person", "/?party=%[2]s", true},
	{"list, a name that 50 persons have", "/?party=%[9]s", true},
	{"list, one in twenty persons", "/?party=%[3]s", true},
	{"list, one room", "/?room=%[4]s", true},
	{"list, all rooms of a kind", "/?room=%[5]s", true},
	{"list, a frequent reason", "/?reason=callEnded&to=%[1]s", true},
	{"list, a rare reason", "/?reason=dnsFailure&to=%[1]s", true},
	{"list, any failure", "/?reason=failure&to=%[1]s", true},
	{"list, packet loss from 15 %", "/?loss=15&to=%[1]s", true},
	{"list, longer than two hours", "/?min=120&to=%[1]s", true},
	{"list, a tenant's bad lines", "/?loss=10&tenant=%[6]s", true},
	{"list, nobody", "/?party=nobody", true},
	{"list, anywhere in a name", "/?party=%[7]s&anywhere=1&to=%[1]s", true},
	{"list, anywhere, nobody", "/?party=nobody&anywhere=1&to=%[1]s", true},
	{"list, the longest first", "/?sort=-duration_seconds&to=%[1]s", true},
	{"search", "/search?q=%[7]s", true},
	{"search, two words", "/search?q=%[7]s+%[3]s", true},
	{"person", "/people?address=%[2]s", true},
	{"room", "/rooms?name=%[4]s", true},
	{"capacity, 7 days", "/capacity?range=7d", true},
	{"capacity, 90 days", "/capacity?range=90d", true},
	{"API, legs of a person", "/api/v1/people/legs?address=%[2]s", true},
	{"legs", "/legs?to=%[1]s", true},
	{"legs, one in twenty persons' failures", "/legs?party=%[3]s&reason=failure", true},
	{"timeline", "/conferences/%[8]s", true},
	{"overview, 24 hours", "/overview?range=24h", false},
	{"overview, 30 days", "/overview?range=30d", false},
}

type pageTimes struct {
	legs  int
	bytes int64
	fill  time.Duration
	ms    [][]float64 // by kind
	cpu   []float64   // ms of the processors for one
	size  []int       // bytes of the last answer
}

func (p pagePlan) bench(ctx context.Context, _ *corpus) (t pageTimes, err error) {
	directory, err := os.MkdirTemp(p.directory, "bench")
	if err != nil {
		return t, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(directory)) }()
	file := filepath.Join(directory, "calls.db")
	random := rand.New(rand.NewPCG(1, 2)) //nolint:gosec // chance that is the same each time
	fill := &archiveFill{random: random, end: time.Now().UTC().Truncate(time.Minute)}
	begun := time.Now()
	if t.legs, err = fill.into(ctx, file, p.legs); err != nil {
		return t, err
	}
	t.fill = time.Since(begun)
	if t.bytes, err = sizeOf(directory); err != nil {
		return t, err
	}
	archive, err := store.Open(ctx, store.SQLite, file)
	if err != nil {
		return t, err
	}
	defer func() { err = errors.Join(err, archive.Close()) }()
	now := fill.end
	for more := true; more; {
		if more, err = archive.AddUpUsage(ctx, now); err != nil {
			return t, err
		}
	}
	h := page.New(page.Config{Store: archive, Now: func() time.Time { now = now.Add(time.Hour / 60); return now }})
	for _, k := range pageKinds {
		progress("page: %s", k.name)
		var times []float64
		var size int
		var before time.Duration
		for i := range pageRequests + 1 {
			ms, n, err := request(ctx, h, fill.ask(k.address))
			if err != nil {
				return t, fmt.Errorf("%s: %w", k.name, err)
			}
			if i > 0 { // the first one reads the file
				times = append(times, ms)
			} else if before, err = cpuTime(); err != nil {
				return t, err
			}
			size = n
		}
		after, err := cpuTime()
		if err != nil {
			return t, err
		}
		t.cpu = append(t.cpu, (after-before).Seconds()*1e3/pageRequests)
		t.ms, t.size = append(t.ms, times), append(t.size, size)
	}
	return t, nil
}

// ask fills in an address with what there is.
func (a *archiveFill) ask(address string) string {
	person := a.random.IntN(archivePeople)
	first, last := nameOf(person)
	to := a.end.Add(-time.Duration(a.random.Int64N(int64(archiveSpan / 2))))
	text := fmt.Sprintf(address, to.Format("2006-01-02T15:04"), strings.ToLower(addressOf(person)), strings.ToLower(first),
		strings.ReplaceAll(roomName(a.random.IntN(archiveRooms)), " ", "+"), strings.ToLower(rooms[a.random.IntN(len(rooms))])[:4],
		tenantID(a.random.IntN(archiveTenants)), strings.ToLower(last[1:]), a.traces[a.random.IntN(len(a.traces))], strings.ToLower(first+"."+last))
	text, _, _ = strings.Cut(text, "%!(EXTRA")
	return text
}

func request(ctx context.Context, h http.Handler, address string) (ms float64, size int, err error) {
	r := httptest.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	w := httptest.NewRecorder()
	begun := time.Now()
	h.ServeHTTP(w, r)
	ms = time.Since(begun).Seconds() * 1e3
	if w.Code != http.StatusOK {
		return ms, 0, fmt.Errorf("%s: %d", address, w.Code)
	}
	return ms, w.Body.Len(), nil
}

// into fills a new archive. What is only for readers is indexed when all is there,
// which takes a third of the time.
func (a *archiveFill) into(ctx context.Context, file string, legs int) (written int, err error) {
	archive, err := store.Open(ctx, store.SQLite, file)
	if err != nil {
		return 0, err
	}
	if err := archive.Close(); err != nil {
		return 0, err
	}
	db, err := sql.Open("sqlite", file)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	var made []string
	found, err := db.QueryContext(ctx, `SELECT name, sql FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL AND name NOT LIKE '%\_by\_trace' ESCAPE '\' AND sql NOT LIKE 'CREATE UNIQUE%'`)
	if err != nil {
		return 0, err
	}
	var names []string
	for found.Next() {
		var name, text string
		if err := found.Scan(&name, &text); err != nil {
			return 0, errors.Join(err, found.Close())
		}
		names, made = append(names, name), append(made, text)
	}
	if err := errors.Join(found.Err(), found.Close()); err != nil {
		return 0, err
	}
	for _, name := range names {
		if _, err := db.ExecContext(ctx, "DROP INDEX "+name); err != nil {
			return 0, err
		}
	}
	if archive, err = store.Open(ctx, store.SQLite, file); err != nil {
		return 0, err
	}
	written, err = a.fill(ctx, archive, legs)
	if err = errors.Join(err, archive.Close()); err != nil {
		return written, err
	}
	for i, text := range made {
		progress("index %s", names[i])
		if _, err := db.ExecContext(ctx, text); err != nil {
			return written, err
		}
	}
	return written, nil
}

// pageVerdict on the goal, of a page as a rule and of one in a hundred.
func pageVerdict(half, most float64) string {
	limit := float64(slowestPage.Milliseconds())
	if half <= limit && most > limit {
		return "met, p99 not"
	}
	return verdict(half <= limit)
}

func percentile(sorted []float64, p int) float64 {
	return sorted[min(len(sorted)-1, len(sorted)*p/100)]
}

func (p pagePlan) report(t pageTimes) string {
	var b strings.Builder
	b.WriteString("| page | goal ms | p50 ms | p99 ms | CPU ms | KB | |\n|---|---|---|---|---|---|---|\n")
	for i, k := range pageKinds {
		slices.Sort(t.ms[i])
		half, most := percentile(t.ms[i], 50), percentile(t.ms[i], 99)
		goal, met := "", ""
		if k.goal {
			goal, met = fmt.Sprintf("<= %d", slowestPage.Milliseconds()), pageVerdict(half, most)
		}
		fmt.Fprintf(&b, "| %s | %s | %.1f | %.1f | %.1f | %d | %s |\n", k.name, goal, half, most, t.cpu[i], t.size[i]/1000, met)
	}
	fmt.Fprintf(&b, "\n%s legs in SQLite, %s, filled in %s. %d requests of each, by the clock on the wall; CPU is the mean, garbage collection included.\n", thousands(t.legs), megabytes(t.bytes), t.fill.Round(time.Second), pageRequests)
	return b.String()
}
