// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package page

import (
	"context"
	"net/http"
	"sync"
	"time"

	"github.com/legato-otel/legato/internal/archive/store"
)

// ranges of the overview.
var ranges = []overviewRange{
	{"24h", "24 hours", 24 * time.Hour, time.Hour},
	{"7d", "7 days", 7 * 24 * time.Hour, 6 * time.Hour},
	{"30d", "30 days", 30 * 24 * time.Hour, 24 * time.Hour},
	{"90d", "90 days", 90 * 24 * time.Hour, 24 * time.Hour},
}

type overviewRange struct {
	Value, Words string
	span, step   time.Duration
}

// freshFor is how old an overview may be: it counts many rows, and a range says
// the same for some time.
const freshFor = 15 * time.Second

// overviewCache keeps the newest overview of each range and zone. One request counts at a
// time, and one more waits for its result. More would take up all the pages that may be
// made at once.
type overviewCache struct {
	counting chan struct{} // has an element while a request counts
	waiting  chan struct{} // has an element while a request waits
	mu       sync.Mutex    // guards results
	results  map[overviewKey]cachedOverview
}

// overviewKey of a result: its days and its times are those of a zone.
type overviewKey struct{ span, zone string }

// mostOverviews bounds the results that are kept.
const mostOverviews = 64

func newOverviewCache() overviewCache {
	return overviewCache{counting: make(chan struct{}, 1), waiting: make(chan struct{}, 1), results: map[overviewKey]cachedOverview{}}
}

type cachedOverview struct {
	at       time.Time
	overview store.Overview
}

// known returns an overview, if there is a fresh one.
func (c *overviewCache) known(key overviewKey, now time.Time) (store.Overview, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	have, ok := c.results[key]
	return have.overview, ok && !now.Before(have.at) && now.Sub(have.at) < freshFor
}

// keepResult keeps an overview for those who ask next.
func (c *overviewCache) keepResult(key overviewKey, now time.Time, o store.Overview) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.results) >= mostOverviews {
		clear(c.results)
	}
	c.results[key] = cachedOverview{now, o}
}

// get returns the overview of a range in the zone of now, which is the view's.
func (c *overviewCache) get(ctx context.Context, v *store.View, of overviewRange, now time.Time) (o store.Overview, err error) {
	key := overviewKey{of.Value, now.Location().String()}
	o, fresh := c.known(key, now)
	if fresh {
		return o, nil
	}
	select {
	case c.counting <- struct{}{}:
	default:
		if err := c.wait(ctx); err != nil {
			return o, err
		}
	}
	defer func() { <-c.counting }()
	if o, fresh = c.known(key, now); fresh {
		return o, nil
	}
	if o, err = v.Overview(ctx, now.Add(-of.span), now, of.step); err == nil {
		c.keepResult(key, now, o)
	}
	return o, err
}

// wait waits until no other request counts. It returns errBusy if another one waits
// already.
func (c *overviewCache) wait(ctx context.Context) error {
	select {
	case c.waiting <- struct{}{}:
		defer func() { <-c.waiting }()
	default:
		return errBusy
	}
	select {
	case c.counting <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

type overviewPage struct {
	frame
	Ranges  []overviewRange
	Range   overviewRange
	Running store.Running
	Sum     store.Bucket
	Chart   chart
	Ends    []endRow
	Storage []storageRow
	Lossy   int64 // had a packetLoss alarm of any length
}

// column of a chart: legs that started in one step.
type column struct {
	store.Bucket
	Start, End localTime
	Label      string // below it, of some
	x, width   float64
	height     float64
	failed     float64
}

// chartHeight is that of the chart's drawing, in its units.
const chartHeight = 100

// X and Width of the column.
func (c column) X() string     { return coordinate(c.x) }
func (c column) Width() string { return coordinate(c.width) }

// LabelX is where its label begins.
func (c column) LabelX() string { return coordinate(c.x) }

// Y and Height of all legs.
func (c column) Y() string { return coordinate(chartHeight - c.height) }

// Height of all legs.
func (c column) Height() string { return coordinate(c.height) }

// FailedY and FailedHeight are those of the failed legs' part of the bar, from the ground.
func (c column) FailedY() string { return coordinate(chartHeight - c.failed) }

// FailedHeight is that of the failed ones.
func (c column) FailedHeight() string { return coordinate(c.failed) }

type storageRow struct {
	store.StorageEvent
	When    localTime
	Words   string
	Percent string
	Width   string
	Class   string
}

func (h *handler) overviewPage(ctx context.Context, v *store.View, r *http.Request) (answer, error) {
	p := &overviewPage{frame: h.frame(r, "Overview", "overview"), Ranges: ranges, Range: ranges[0]}
	for _, of := range ranges {
		if r.URL.Query().Get(paramRange) == of.Value {
			p.Range = of
		}
	}
	o, err := h.overview.get(ctx, v, p.Range, p.Now.Time)
	if err != nil {
		return answer{}, err
	}
	if p.Running, err = v.Running(ctx); err != nil {
		return answer{}, err
	}
	p.Sum, p.Lossy = o.Sum, o.Sum.Slight+o.Sum.Bad
	p.Chart = newChart("Legs over time", "legs", o.Buckets, o.Step, func(b store.Bucket) int64 { return b.Failed })
	p.Ends = endRows(o.Ends)
	for i := range p.Ends {
		if p.Ends[i].Why.Cisco == "" {
			p.Ends[i].Why.Words = "Runs, or its end was not seen"
		}
	}
	for i := range o.Storage {
		p.Storage = append(p.Storage, storageRowOf(&o.Storage[i]))
	}
	return answer{template: "overview.html", data: p}, nil
}

// labels of a chart, about as many.
const labels = 6

func storageRowOf(e *store.StorageEvent) storageRow {
	row := storageRow{StorageEvent: *e, When: localTime{e.At}, Words: levelWords[e.Level], Class: "ok"}
	if row.Words == "" {
		row.Words = e.Level
	}
	switch e.Level {
	case "low":
		row.Class = "slight"
	case "critical", "emergency":
		row.Class = "bad"
	}
	if e.UtilizationPercent != nil {
		row.Percent, row.Width = percent(*e.UtilizationPercent), coordinate(min(100, max(0, *e.UtilizationPercent)))
	}
	return row
}
