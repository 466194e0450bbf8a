// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package mediasense

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

// Usage is what is known of a partition. Its zero value is a partition nobody
// told of.
//
// Threshold events carry no time and no number, and come in any order. Each
// threshold is entered and left in turns, so of events that come close together
// the order does not matter as long as none is missing: how often a threshold
// was entered less how often it was left says on which side of it the partition
// is. Where that makes no sense something was lost, and the last event counts.
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
	level, ok := u.settle()
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

// settle finds the level that the recent events lead to in the order in which
// they happened; false if they cannot be all that happened.
func (u *Usage) settle() (level Level, ok bool) {
	var net [LevelCount]int
	for _, c := range u.recent {
		if c.enter {
			net[c.threshold]++
		} else {
			net[c.threshold]--
		}
	}
	above := true // the threshold below
	for threshold := Low; threshold < LevelCount; threshold++ {
		side := net[threshold]
		if u.base >= threshold {
			side++
		}
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

// Restore is a partition as it was stored.
func Restore(level Level, percentage float64, changed time.Time) Usage {
	return Usage{Level: level, Percentage: percentage, Changed: changed, base: level}
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
