// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
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
	"github.com/legato-otel/legato/internal/testkit/postgres"
)

// The page part: how long the pages of a full archive take, from the request to
// the last byte of the answer, one after the other, in both databases. The first request
// of a kind is not measured: it reads the file into the system's memory. Each asks for
// other things. Between them a yardstick, one query that reads yardstickLegs legs, shows
// how busy the machine is meanwhile.

const (
	// slowestPage is the goal.
	slowestPage = 100 * time.Millisecond
	// pageRequests of each kind.
	pageRequests = 100
	// yardstickLegs are the legs that the yardstick reads.
	yardstickLegs = 1000
)

type pagePlan struct {
	legs      int
	directory string
	drivers   []string
}

func newPagePlan(o options) pagePlan {
	p := pagePlan{legs: o.mostOpen, directory: o.directory, drivers: store.Drivers()}
	if o.driver != "" {
		p.drivers = []string{o.driver}
	}
	return p
}

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
	{"list, anywhere in all names, nobody", "/?party=e&anywhere=1&dialled=nobody&to=%[1]s", true},
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
	{"overview, 24 hours", "/overview?range=24h", true},
	{"overview, 30 days", "/overview?range=30d", true},
	{"overview, 90 days", "/overview?range=90d", true},
}

// pageTimes are those of one archive.
type pageTimes struct {
	driver    string
	legs      int
	bytes     int64
	fill      time.Duration
	ms        [][]float64 // by kind
	cpu       []float64   // ms of the processors for one
	size      []int       // bytes of the last answer
	yardstick []float64   // ms
}

type pageResults struct {
	archives []pageTimes
	note     string
}

func (p pagePlan) bench(ctx context.Context, _ *corpus) (results pageResults, err error) {
	for _, driver := range p.drivers {
		t, err := p.archive(ctx, driver)
		if errors.Is(err, postgres.ErrNotInstalled) {
			results.note = "\nWithout PostgreSQL, whose server is not installed.\n"
			continue
		}
		if err != nil {
			return results, fmt.Errorf("%s: %w", driver, err)
		}
		results.archives = append(results.archives, t)
	}
	return results, nil
}

// archive measures the pages of a new archive.
func (p pagePlan) archive(ctx context.Context, driver string) (t pageTimes, err error) {
	t.driver = driver
	directory, err := os.MkdirTemp(p.directory, "bench")
	if err != nil {
		return t, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(directory)) }()
	source := filepath.Join(directory, "calls.db")
	if driver == store.PostgreSQL {
		server, err := postgres.Launch() //nolint:contextcheck // it is stopped in the end, whatever becomes of ctx
		if err != nil {
			return t, err
		}
		defer server.Stop() //nolint:contextcheck // likewise
		if source, err = server.Create(ctx); err != nil {
			return t, err
		}
	}
	random := rand.New(rand.NewPCG(1, 2)) //nolint:gosec // chance that is the same each time
	fill := &archiveFill{random: random, end: time.Now().UTC().Truncate(time.Minute)}
	begun := time.Now()
	if t.legs, err = fill.into(ctx, driver, source, p.legs); err != nil {
		return t, err
	}
	t.fill = time.Since(begun)
	archive, err := store.Open(ctx, driver, source)
	if err != nil {
		return t, err
	}
	defer func() { err = errors.Join(err, archive.Close()) }()
	if t.bytes, err = sizeOfArchive(ctx, archive, directory); err != nil {
		return t, err
	}
	now := fill.end
	for more := true; more; {
		if more, err = archive.AddUpUsage(ctx, now); err != nil {
			return t, err
		}
	}
	h := page.New(page.Config{Store: archive, Now: func() time.Time { now = now.Add(time.Hour / 60); return now }})
	for _, k := range pageKinds {
		progress("page in %s: %s", driver, k.name)
		if err := t.kind(ctx, archive, h, fill, k); err != nil {
			return t, fmt.Errorf("%s: %w", k.name, err)
		}
	}
	return t, nil
}

// kind measures one kind of page.
func (t *pageTimes) kind(ctx context.Context, archive *store.Store, h http.Handler, fill *archiveFill, k pageKind) error {
	var times []float64
	var size int
	var cpu time.Duration
	for i := range pageRequests + 1 {
		if i%10 == 1 {
			took, err := timed(func() error { return yardstick(ctx, archive, fill.end) })
			if err != nil {
				return err
			}
			t.yardstick = append(t.yardstick, took.Seconds()*1e3)
		}
		before, err := cpuTime()
		if err != nil {
			return err
		}
		ms, n, err := request(ctx, h, fill.ask(k.address))
		if err != nil {
			return err
		}
		after, err := cpuTime()
		if err != nil {
			return err
		}
		if i > 0 { // the first one reads the file
			times = append(times, ms)
			cpu += after - before
		}
		size = n
	}
	t.cpu = append(t.cpu, cpu.Seconds()*1e3/pageRequests)
	t.ms, t.size = append(t.ms, times), append(t.size, size)
	return nil
}

// yardstick reads legs from the middle of the archive by an index.
func yardstick(ctx context.Context, archive *store.Store, end time.Time) error {
	legs, err := store.Select[store.Leg](ctx, archive, fmt.Sprintf("WHERE started_at < $1 ORDER BY started_at DESC LIMIT %d", yardstickLegs), end.Add(-archiveSpan/2))
	if err == nil && len(legs) == 0 {
		err = errors.New("no leg is older than half of the archive")
	}
	return err
}

func sizeOfArchive(ctx context.Context, archive *store.Store, directory string) (bytes int64, err error) {
	if archive.Driver() == store.PostgreSQL {
		return bytes, archive.Reader().QueryRowContext(ctx, "SELECT pg_database_size(current_database())").Scan(&bytes)
	}
	return sizeOf(directory)
}

// ask fills in an address with values of the archive.
func (a *archiveFill) ask(address string) string {
	person := a.people[a.random.IntN(len(a.people))]
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

func (pagePlan) report(results pageResults) string {
	var b strings.Builder
	for i := range results.archives {
		results.archives[i].report(&b)
	}
	return b.String() + results.note
}

func (t *pageTimes) report(b *strings.Builder) {
	fmt.Fprintf(b, "| page, %s | goal ms | p50 ms | p99 ms | CPU ms | KB | |\n|---|---|---|---|---|---|---|\n", t.driver)
	for i, k := range pageKinds {
		slices.Sort(t.ms[i])
		half, most := percentile(t.ms[i], 50), percentile(t.ms[i], 99)
		goal, met := "", ""
		if k.goal {
			goal, met = fmt.Sprintf("<= %d", slowestPage.Milliseconds()), pageVerdict(half, most)
		}
		fmt.Fprintf(b, "| %s | %s | %.1f | %.1f | %.1f | %d | %s |\n", k.name, goal, half, most, t.cpu[i], t.size[i]/1000, met)
	}
	slices.Sort(t.yardstick)
	fmt.Fprintf(b, "| yardstick: %d legs by one query | | %.1f | %.1f | | | |\n", yardstickLegs, percentile(t.yardstick, 50), percentile(t.yardstick, 99))
	fmt.Fprintf(b, "\n%s legs, %s, filled in %s. %d requests of each, by the clock on the wall; CPU is the mean of this process (not of PostgreSQL's), garbage collection included.\n\n",
		thousands(t.legs), megabytes(t.bytes), t.fill.Round(time.Second), pageRequests)
}
