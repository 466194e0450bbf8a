// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package event

import (
	"slices"
	"time"
)

// Level is how full a partition is, as MediaSense judges it.
type Level uint8

// The levels. A partition nobody told of is normal.
const (
	Normal    Level = iota
	Low             // entered above 75 %, left below 70 %
	Critical        // entered above 90 %, left below 85 %
	Emergency       // entered above 99 %, left below 97 %
	LevelCount
)

var levelNames = [LevelCount]string{"normal", "low", "critical", "emergency"}

// String returns the level's name ("critical").
func (l Level) String() string { return levelNames[l] }

// crossing is a threshold event: which threshold, and which way.
type crossing struct {
	threshold Level
	enter     bool
}

// target is the level after the crossing.
func (c crossing) target() Level {
	if c.enter {
		return c.threshold
	}
	return c.threshold - 1
}

var crossings = [TypeCount]crossing{
	EnterLow: {Low, true}, ExitLow: {Low, false},
	EnterCritical: {Critical, true}, ExitCritical: {Critical, false},
	EnterEmergency: {Emergency, true}, ExitEmergency: {Emergency, false},
}

// NoPercentage stands for an event that does not say how full the partition is.
const NoPercentage = -1

// crossed is one event that was applied.
type crossed struct {
	crossing
	percentage float64
}

// Usage is the state of a partition. Its zero value is a partition without
// events, which is taken to be normal.
//
// Threshold events carry no time and no number, and come in any order. Each
// threshold is entered and left in turns, so of events that come close together
// the order does not matter as long as none is missing: the level before them,
// and how often each threshold was entered less how often it was left, give the
// level after them. Where the events contradict the level before, some before
// them were lost or never seen, and the level before is inferred from them. If
// they contradict every level, the last event counts.
type Usage struct {
	// Level as the events say.
	Level Level
	// Percentage is that of the event that brought the level about, or
	// NoPercentage.
	Percentage float64
	// Changed is when the last event came.
	Changed time.Time

	base   Level // before the recent events
	recent []crossed
}

// maxRecent events are looked at together; of more, the former ones count as
// what was before.
const maxRecent = 64

// Apply takes a threshold event that came now. Events that come within window
// of the one before belong together, in whichever order they are applied. percentage is 0 to 100, or NoPercentage.
func (u *Usage) Apply(t Type, percentage float64, now time.Time, window time.Duration) {
	last := crossed{crossings[t], percentage}
	if last.threshold == Normal {
		return // no threshold event
	}
	quiet := now.Sub(u.Changed)
	if quiet.Abs() >= window || len(u.recent) >= maxRecent {
		u.base, u.recent = u.Level, u.recent[:0]
	} else if quiet < 0 {
		now = u.Changed // of two that came together the later one was taken first
	}
	u.Changed = now
	u.recent = append(u.recent, last)
	level, ok := u.levelFrom(u.base)
	if !ok {
		level, ok = u.inferLevel()
	}
	if !ok {
		level = last.target()
	}
	u.Level = level
	for _, c := range slices.Backward(u.recent) {
		if c.target() == level {
			u.Percentage = c.percentage
			break
		}
	}
}

// levelFrom is the level that the recent events lead to from a level before
// them, in the order in which they happened; false if they cannot be all that
// happened.
func (u *Usage) levelFrom(base Level) (level Level, ok bool) {
	return u.levelOf(func(threshold Level, net int) int {
		if base >= threshold {
			net++
		}
		return net
	})
}

// inferLevel is levelFrom without a level before the events. A threshold that
// was left more often than entered was entered before them, and so were those
// below it. A threshold without events, below one with events, was entered
// unseen: before them, or by an event that was lost.
func (u *Usage) inferLevel() (level Level, ok bool) {
	net, seen := u.net()
	base, highest := Normal, Normal
	for threshold := Low; threshold < LevelCount; threshold++ {
		if net[threshold] < 0 {
			base = threshold
		}
		if seen[threshold] {
			highest = threshold
		}
	}
	return u.levelOf(func(threshold Level, net int) int {
		if base >= threshold || !seen[threshold] && threshold < highest {
			net++
		}
		return net
	})
}

// levelOf is the highest threshold that is entered, where entered returns 1 for
// one that is and 0 for one that is not, from its number of entries less exits;
// false if the events do not lead there.
func (u *Usage) levelOf(entered func(threshold Level, net int) int) (level Level, ok bool) {
	net, _ := u.net()
	above := true // the threshold below
	for threshold := Low; threshold < LevelCount; threshold++ {
		side := entered(threshold, net[threshold])
		if side < 0 || side > 1 || side == 1 && !above {
			return 0, false
		}
		if above = side == 1; above {
			level = threshold
		}
	}
	// One of the events was the last to happen.
	for _, c := range u.recent {
		if c.target() == level {
			return level, true
		}
	}
	return 0, false
}

// net is how often each threshold was entered less how often it was left, and
// which have events.
func (u *Usage) net() (net [LevelCount]int, seen [LevelCount]bool) {
	for _, c := range u.recent {
		seen[c.threshold] = true
		if c.enter {
			net[c.threshold]++
		} else {
			net[c.threshold]--
		}
	}
	return net, seen
}

// Crossing is a threshold event as it is stored.
type Crossing struct {
	// Threshold that was entered or left: Low, Critical or Emergency.
	Threshold Level
	Enter     bool
	// Percentage of the event, or NoPercentage.
	Percentage float64
}

// Recent returns what the next event is judged by besides the level: the level
// before the recent events, and these, the oldest first, at most 64.
func (u *Usage) Recent() (base Level, events []Crossing) {
	for _, c := range u.recent {
		events = append(events, Crossing{c.threshold, c.enter, c.percentage})
	}
	return u.base, events
}

// Restore is a partition as it was stored, whose events are yet to come.
func Restore(level Level, percentage float64, changed time.Time) Usage {
	return Usage{Level: level, Percentage: percentage, Changed: changed, base: level}
}

// RestoreRecent puts back what Recent returned. It returns false, and changes
// nothing, if that cannot have been recent events.
func (u *Usage) RestoreRecent(base Level, events []Crossing) bool {
	if base >= LevelCount || len(events) > maxRecent {
		return false
	}
	recent := make([]crossed, 0, len(events))
	for _, c := range events {
		if c.Threshold <= Normal || c.Threshold >= LevelCount {
			return false
		}
		recent = append(recent, crossed{crossing{c.Threshold, c.Enter}, c.Percentage})
	}
	u.base, u.recent = base, recent
	return true
}

// LevelOf returns the level of a name.
func LevelOf(name string) (Level, bool) {
	for level, known := range levelNames {
		if known == name {
			return Level(level), true
		}
	}
	return Normal, false
}
