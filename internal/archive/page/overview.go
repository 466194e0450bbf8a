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

// overviewCache keeps the newest overview of each range. One request counts at a time,
// and one more waits for its result. More would take up all the pages that may be made
// at once.
type overviewCache struct {
	counting chan struct{} // has an element while a request counts
	waiting  chan struct{} // has an element while a request waits
	mu       sync.Mutex    // guards results
	results  map[string]cachedOverview
}

func newOverviewCache() overviewCache {
	return overviewCache{counting: make(chan struct{}, 1), waiting: make(chan struct{}, 1), results: map[string]cachedOverview{}}
}

type cachedOverview struct {
	at       time.Time
	overview store.Overview
}

// known returns the overview of a range, if there is a fresh one.
func (c *overviewCache) known(of overviewRange, now time.Time) (store.Overview, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	have, ok := c.results[of.Value]
	return have.overview, ok && !now.Before(have.at) && now.Sub(have.at) < freshFor
}

func (c *overviewCache) get(ctx context.Context, v *store.View, of overviewRange, now time.Time) (o store.Overview, err error) {
	o, fresh := c.known(of, now)
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
	if o, fresh = c.known(of, now); fresh {
		return o, nil
	}
	if o, err = v.Overview(ctx, now.Add(-of.span), now, of.step); err == nil {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.results[of.Value] = cachedOverview{now, o}
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
	Columns []column
	Most    int64 // legs of the highest column
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

// FailedY and FailedHeight are of those that failed, from the ground.
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
		if r.URL.Query().Get("range") == of.Value {
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
	p.columns(&o)
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

func (p *overviewPage) columns(o *store.Overview) {
	for _, b := range o.Buckets {
		p.Most = max(p.Most, b.Legs)
	}
	n := len(o.Buckets)
	layout := "01-02"
	if o.Step < 6*time.Hour {
		layout = "15:04"
	}
	every := max(1, n/labels)
	for i, b := range o.Buckets {
		c := column{Bucket: b, Start: localTime{b.At}, End: localTime{b.At.Add(o.Step)}, x: 100 * float64(i) / float64(n), width: 82 / float64(n)}
		if p.Most > 0 {
			c.height = chartHeight * float64(b.Legs) / float64(p.Most)
			c.failed = chartHeight * float64(b.Failed) / float64(p.Most)
		}
		if i%every == 0 && i < n-every/2 {
			c.Label = b.At.Format(layout)
		}
		p.Columns = append(p.Columns, c)
	}
}

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
