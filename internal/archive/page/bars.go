// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package page

import (
	"strconv"
	"time"

	"github.com/legato-otel/legato/internal/archive/store"
)

// alarm of a line: for how much of its time a leg had it.
type alarm struct {
	Percent float64
	// Kind in a word, and Words in full.
	Kind, Words string
	// Bad from store.BadLoss percent on.
	Bad bool
}

// Text is the share; a share below the wire's precision is shown as such.
func (a *alarm) Text() string {
	if a.Percent < 0.05 {
		return "< 0.1 %"
	}
	return percent(a.Percent)
}

func alarmsOf(loss, jitter, roundTrip *float64) (all []alarm) {
	for _, a := range []struct {
		v           *float64
		kind, words string
	}{
		{loss, "loss", "Packet loss alarm"}, {jitter, "jitter", "Jitter alarm"}, {roundTrip, "delay", "Round trip time alarm"},
	} {
		if a.v != nil {
			all = append(all, alarm{*a.v, a.kind, a.words, *a.v >= store.BadLoss})
		}
	}
	return all
}

// worstAlarm is the one that lasted longest, nil if there was none.
func worstAlarm(loss, jitter, roundTrip *float64) (worst *alarm) {
	for _, a := range alarmsOf(loss, jitter, roundTrip) {
		if worst == nil || a.Percent > worst.Percent {
			worst = &a
		}
	}
	return worst
}

// scale is the time that a timeline shows.
type scale struct{ start, end time.Time }

// place of a time, in percent of the width.
func (s scale) place(t time.Time) float64 {
	whole := s.end.Sub(s.start).Seconds()
	if whole <= 0 {
		return 0
	}
	return min(100, max(0, t.Sub(s.start).Seconds()/whole*100))
}

// bar is a piece of a row, in percent of the width.
type bar struct{ x, width float64 }

// narrowest is the least width of a bar: a short call is still visible.
const narrowest = 0.35

func (s scale) bar(from, to time.Time) bar {
	x, end := s.place(from), s.place(to)
	if end-x < narrowest {
		x = min(x, 100-narrowest)
		end = x + narrowest
	}
	return bar{x, end - x}
}

func coordinate(v float64) string { return strconv.FormatFloat(v, 'f', 2, 64) + "%" }

// piece of a bar, with its class in the style.
type piece struct {
	Class string
	bar   bar
	Bad   bool // has a pattern over it, so that not colour alone tells
	Open  bool // runs on
}

// X and Width for an SVG.
func (p piece) X() string { return coordinate(p.bar.x) }

// Width for an SVG.
func (p piece) Width() string { return coordinate(p.bar.width) }

// tick of the time axis.
type tick struct {
	at    float64
	Label string
	// Last is too near to the end for a label to its right.
	Last bool
}

// X of a tick.
func (t tick) X() string { return coordinate(t.at) }

// steps of a time axis.
var steps = []time.Duration{
	time.Second, 2 * time.Second, 5 * time.Second, 10 * time.Second, 15 * time.Second, 30 * time.Second,
	time.Minute, 2 * time.Minute, 5 * time.Minute, 10 * time.Minute, 15 * time.Minute, 30 * time.Minute,
	time.Hour, 2 * time.Hour, 3 * time.Hour, 6 * time.Hour, 12 * time.Hour, 24 * time.Hour, 48 * time.Hour, 7 * 24 * time.Hour,
}

// mostTicks of an axis.
const mostTicks = 6

func (s scale) ticks() (all []tick) {
	whole := s.end.Sub(s.start)
	step := steps[len(steps)-1]
	for _, candidate := range steps {
		if whole/candidate <= mostTicks {
			step = candidate
			break
		}
	}
	layout := "15:04"
	switch {
	case step < time.Minute:
		layout = "15:04:05"
	case step >= 24*time.Hour:
		layout = "01-02"
	case whole > 24*time.Hour:
		layout = "01-02 15:04"
	}
	for at := truncate(s.start, step); !at.After(s.end) && len(all) < 4*mostTicks; at = at.Add(step) {
		if !at.Before(s.start) {
			place := s.place(at)
			all = append(all, tick{place, at.Format(layout), place > 92})
		}
	}
	return all
}
