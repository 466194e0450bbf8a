// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package completeness_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/legato-otel/legato/internal/ingest/ledger"
	"github.com/legato-otel/legato/internal/meetingserver/completeness"
)

// day plays a Call Bridge, the receivers of a Collector with their ledgers, and the
// scrapes of its API, second by second.
type day struct {
	*rand.Rand
	tb  testing.TB
	now time.Time

	// The bridge.
	start   time.Time
	down    time.Time // it is away until then
	session int
	created uint64
	paths   []*path

	// The Collector.
	away    time.Time // likewise
	stored  bool      // its ledgers survive a restart
	watch   *completeness.Watch
	scrape  time.Time // the next
	scrapes int
	failing int // per cent of the scrapes that fail

	rings []ring
	gaps  int
}

type ring struct {
	at time.Time
	completeness.Change
}

// path is the way of the records to one receiver.
type path struct {
	ledger *ledger.Ledger
	queue  []uint64
	from   time.Time // registered from then on
	try    time.Time // not before
	busy   time.Time // posts are refused until then
	fault  fault
	since  time.Time // of the fault
	lost   time.Time // when the first record was made that it took
}

type fault string

const (
	none      fault = ""
	lossy     fault = "lossy"     // posts are answered by something else now and then
	silent    fault = "silent"    // nothing is posted any more
	elsewhere fault = "elsewhere" // another server has the registration: a bridge posts to it what is queued
	refused   fault = "refused"   // posts are answered 503
)

func newDay(tb testing.TB, seed uint64, receivers int) *day {
	tb.Helper()
	d := &day{Rand: rand.New(rand.NewPCG(seed, 15)), tb: tb, now: time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC), watch: new(completeness.Watch)}
	d.start = d.now.Add(-time.Duration(d.IntN(100)) * time.Hour)
	d.created = uint64(d.IntN(10_000))
	d.scrape = d.now.Add(time.Second)
	d.stored = d.IntN(3) > 0
	d.failing = 2
	for range receivers {
		d.paths = append(d.paths, &path{ledger: d.newLedger()})
	}
	return d
}

func (d *day) newLedger() *ledger.Ledger {
	return ledger.New(ledger.DefaultLimits, func() time.Time { return d.now })
}

// oneIn is true about once in so many seconds.
func (d *day) oneIn(span time.Duration) bool { return d.IntN(int(span/time.Second)) == 0 }

// play lets time pass.
func (d *day) play(span time.Duration, restarts bool) {
	for end := d.now.Add(span); d.now.Before(end); d.now = d.now.Add(time.Second) {
		if restarts && d.oneIn(12*time.Hour) {
			d.restartBridge()
		}
		if restarts && d.oneIn(8*time.Hour) && !d.now.Before(d.away) {
			d.restartCollector()
		}
		if !d.now.Before(d.down) {
			d.create()
			for _, p := range d.paths {
				d.post(p)
			}
		}
		if !d.now.Before(d.scrape) {
			d.look()
			d.scrape = d.now.Add(time.Minute + time.Duration(d.IntN(3)-1)*time.Second)
		}
	}
}

func (d *day) restartBridge() {
	d.down = d.now.Add(time.Duration(30+d.IntN(300)) * time.Second)
	d.start, d.created = d.down, 0
	d.session++
	for _, p := range d.paths {
		p.queue = nil
	}
}

func (d *day) restartCollector() {
	d.away = d.now.Add(time.Duration(5+d.IntN(1200)) * time.Second)
	d.watch = new(completeness.Watch)
	d.scrape = d.away.Add(time.Second)
	if d.stored {
		return
	}
	for _, p := range d.paths {
		p.ledger = d.newLedger()
	}
}

// create makes records: many by day, in bursts, few by night.
func (d *day) create() {
	quiet := 4 * time.Minute
	if hour := d.now.Hour(); hour > 7 && hour < 19 {
		quiet = 9 * time.Second
	}
	if !d.oneIn(quiet) {
		return
	}
	for range 1 + d.IntN(8) {
		for _, p := range d.paths {
			if d.now.Before(p.from) {
				continue
			}
			if p.fault != none && !d.now.Before(p.since) {
				if p.lost.IsZero() {
					p.lost = d.now
				}
				if p.fault == silent || p.fault == elsewhere {
					continue
				}
			}
			p.queue = append(p.queue, d.created)
		}
		d.created++
	}
}

// post posts what waits, one post at a time: most are taken within a moment, some
// after a while, and after an error the bridge waits.
func (d *day) post(p *path) {
	if len(p.queue) == 0 || d.now.Before(p.try) {
		return
	}
	hasFault := p.fault != none && !d.now.Before(p.since)
	switch {
	case d.now.Before(d.away), d.now.Before(p.busy), hasFault && p.fault == refused:
		p.try = d.now.Add(time.Duration(1+d.IntN(15)) * time.Second)
		return
	case d.oneIn(20 * time.Minute): // of posts
		p.busy = d.now.Add(time.Duration(d.IntN(10)) * time.Second)
		return
	}
	p.try = d.now.Add(time.Duration(d.IntN(3)) * time.Second)
	n := 1 + d.IntN(len(p.queue))
	entries := make([]ledger.Entry, n)
	for i, index := range p.queue[:n] {
		entries[i].Index = index
	}
	p.queue = p.queue[n:]
	if hasFault && p.fault == lossy && d.IntN(3) == 0 {
		return
	}
	s, err := p.ledger.Lock(d.tb.Context(), fmt.Sprint("session ", d.session))
	require.NoError(d.tb, err)
	defer p.ledger.Unlock(s)
	request := p.ledger.BeginRequest(s, ledger.Identity{Bridge: "b"})
	results := s.Check(entries, nil)
	for i := range results {
		d.gaps += int(results[i].Missing)
	}
	p.ledger.MarkAccepted(s, request, entries, results)
}

// look scrapes the API.
func (d *day) look() {
	if d.now.Before(d.away) || d.now.Before(d.down) || d.IntN(100) < d.failing {
		return
	}
	d.scrapes++
	l := completeness.Observation{At: d.now, Start: d.start, Created: d.created, Positions: map[string]uint64{}, Receivers: len(d.paths)}
	for i, p := range d.paths {
		for _, position := range p.ledger.Positions() {
			l.Positions[fmt.Sprint("cmscdr/", i)] = position.Next
		}
	}
	for _, c := range d.watch.Observe(l) {
		d.rings = append(d.rings, ring{d.now, c})
	}
}

// TestFaultlessDays: nothing rings on days on which all records arrive, with restarts
// of both sides, late starts, posts that take their time and two receivers.
// COMPLETENESS_DAYS plays more of them.
func TestFaultlessDays(t *testing.T) {
	days := 100
	if more, err := strconv.Atoi(os.Getenv("COMPLETENESS_DAYS")); err == nil {
		days = more
	} else if testing.Short() {
		days = 10
	}
	scrapes := 0
	for seed := range uint64(days) {
		d := newDay(t, seed, 1+int(seed%2))
		if seed%5 == 0 { // a receiver that is registered late, and a Collector that is new
			d.paths[0].from = d.now.Add(time.Duration(d.IntN(24)) * time.Hour)
			if len(d.paths) == 1 {
				d.away, d.scrape = d.paths[0].from, d.paths[0].from
			}
		}
		d.play(24*time.Hour, true)
		assert.Empty(t, d.rings, "day %d", seed)
		assert.Zero(t, d.gaps)
		scrapes += d.scrapes
	}
	assert.Greater(t, scrapes, days*1000)
}

// TestFaultyDays: each fault rings, within two scrapes of the first record that it took,
// at the receiver that it is of, and not at the other one.
func TestFaultyDays(t *testing.T) {
	days := 100
	if testing.Short() {
		days = 20
	}
	for _, f := range []fault{lossy, silent, elsewhere, refused} {
		for seed := range uint64(days) {
			d := newDay(t, seed, 2)
			d.failing = 0
			d.play(9*time.Hour, seed%2 == 0)
			d.play(30*time.Minute, false)
			require.Empty(t, d.rings)
			p := d.paths[1]
			p.fault, p.since = f, d.now
			for d.gaps == 0 && len(d.rings) == 0 && d.now.Sub(p.since) < 2*time.Hour {
				d.play(time.Second, false)
			}
			if f == lossy {
				require.True(t, d.gaps > 0 || len(d.rings) > 0, "day %d", seed)
				continue
			}
			require.Len(t, d.rings, 1, "%s, day %d", f, seed)
			assert.Equal(t, "cmscdr/1", d.rings[0].Receiver)
			assert.Equal(t, completeness.Behind, d.rings[0].Problem)
			assert.LessOrEqual(t, d.rings[0].at.Sub(p.lost), 2*time.Minute+2*time.Second, "%s, day %d", f, seed)

			p.fault = none // mended
			d.play(30*time.Minute, false)
			require.Len(t, d.rings, 2, "%s, day %d", f, seed)
			assert.Empty(t, d.rings[1].Problem)
		}
	}
}

// TestNeverRegistered: a bridge of which nothing ever came rings too.
func TestNeverRegistered(t *testing.T) {
	d := newDay(t, 1, 1)
	d.paths[0].from = d.now.Add(48 * time.Hour)
	d.play(9*time.Hour, false)
	require.Len(t, d.rings, 1)
	assert.Equal(t, completeness.Silent, d.rings[0].Problem)
	assert.Empty(t, d.rings[0].Receiver)
}

// TestLostByARestart: so does one that lost its registration by a restart.
func TestLostByARestart(t *testing.T) {
	for seed := range uint64(20) {
		d := newDay(t, seed, 1)
		d.play(9*time.Hour, false)
		d.restartBridge()
		d.paths[0].fault, d.paths[0].since = silent, d.now
		d.play(time.Hour, false)
		require.Len(t, d.rings, 1, "day %d", seed)
		assert.Equal(t, "cmscdr/0", d.rings[0].Receiver)
	}
}
