// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package event

import (
	"slices"
	"time"
)

// Level is the storage level of a partition, as MediaSense defines it.
type Level uint8

// The levels. A partition without events is normal.
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

// crossing is a threshold event: the threshold, and whether it was entered or left.
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

// NoPercentage is the percentage of an event without one.
const NoPercentage = -1

// appliedCrossing is an applied event.
type appliedCrossing struct {
	crossing
	percentage float64
}

// Usage is the state of a partition. Its zero value is a partition without events, with the
// level Normal.
//
// Threshold events have no time and no number, and arrive in any order. A partition enters and
// leaves each threshold in turns. The level before some events and the net number of entries
// of each threshold therefore give the level after them, in any order, as long as no event is
// missing. If the events contradict the level before them, earlier events were lost: Apply
// infers that level from the events. If they contradict every level, the last event decides.
type Usage struct {
	// Level after the events.
	Level Level
	// Percentage of the event that led to the level, or NoPercentage.
	Percentage float64
	// Changed is the time of receipt of the last event.
	Changed time.Time

	levelBeforeRecent Level // before the recent events
	recent            []appliedCrossing
}

// maxRecentEvents bounds the events that are examined together. Earlier ones only determine
// the level before them.
const maxRecentEvents = 64

// Apply applies a threshold event that was received now. Events within window of the one
// before belong together: the order in which they are applied does not matter. percentage is
// 0 to 100, or NoPercentage.
func (u *Usage) Apply(t Type, percentage float64, now time.Time, window time.Duration) {
	last := appliedCrossing{crossings[t], percentage}
	if last.threshold == Normal {
		return // no threshold event
	}
	elapsed := now.Sub(u.Changed)
	if elapsed.Abs() >= window || len(u.recent) >= maxRecentEvents {
		u.levelBeforeRecent, u.recent = u.Level, u.recent[:0]
	} else if elapsed < 0 {
		now = u.Changed // the later of two concurrent events was applied first
	}
	u.Changed = now
	u.recent = append(u.recent, last)
	level, ok := u.levelFrom(u.levelBeforeRecent)
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

// levelFrom returns the level to which the recent events lead from the level base. ok is
// false if no order of these events is possible, so that one is missing.
func (u *Usage) levelFrom(base Level) (level Level, ok bool) {
	return u.highestEntered(func(threshold Level, net int) int {
		if base >= threshold {
			net++
		}
		return net
	})
}

// inferLevel is levelFrom without a known level before the events. A threshold that was left
// more often than entered was entered before them, and so were the thresholds below it. A
// threshold without events, below one with events, was entered before them, or by a lost
// event.
func (u *Usage) inferLevel() (level Level, ok bool) {
	net, seen := u.netEntries()
	base, highest := Normal, Normal
	for threshold := Low; threshold < LevelCount; threshold++ {
		if net[threshold] < 0 {
			base = threshold
		}
		if seen[threshold] {
			highest = threshold
		}
	}
	return u.highestEntered(func(threshold Level, net int) int {
		if base >= threshold || !seen[threshold] && threshold < highest {
			net++
		}
		return net
	})
}

// highestEntered returns the highest entered threshold. entered gets a threshold and its net
// number of entries, and returns 1 if it is entered and 0 if not. ok is false for any other
// number, or if no event leads to the result.
func (u *Usage) highestEntered(entered func(threshold Level, net int) int) (level Level, ok bool) {
	net, _ := u.netEntries()
	above := true // the threshold below is entered
	for threshold := Low; threshold < LevelCount; threshold++ {
		side := entered(threshold, net[threshold])
		if side < 0 || side > 1 || side == 1 && !above {
			return 0, false
		}
		if above = side == 1; above {
			level = threshold
		}
	}
	// One of the events must be the last one.
	for _, c := range u.recent {
		if c.target() == level {
			return level, true
		}
	}
	return 0, false
}

// netEntries returns how often each threshold was entered minus how often it was left, and
// which thresholds have events.
func (u *Usage) netEntries() (net [LevelCount]int, seen [LevelCount]bool) {
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

// Crossing is a threshold event for storage.
type Crossing struct {
	// Threshold that was entered or left: Low, Critical or Emergency.
	Threshold Level
	Enter     bool
	// Percentage of the event, or NoPercentage.
	Percentage float64
}

// Recent returns the state that Apply needs besides the level: the level before the recent
// events, and these events, the oldest first, at most 64.
func (u *Usage) Recent() (base Level, events []Crossing) {
	for _, c := range u.recent {
		events = append(events, Crossing{c.threshold, c.enter, c.percentage})
	}
	return u.levelBeforeRecent, events
}

// Restore returns a stored partition without recent events.
func Restore(level Level, percentage float64, changed time.Time) Usage {
	return Usage{Level: level, Percentage: percentage, Changed: changed, levelBeforeRecent: level}
}

// RestoreRecent restores the result of Recent. It returns false and changes nothing if these
// cannot be recent events.
func (u *Usage) RestoreRecent(base Level, events []Crossing) bool {
	if base >= LevelCount || len(events) > maxRecentEvents {
		return false
	}
	recent := make([]appliedCrossing, 0, len(events))
	for _, c := range events {
		if c.Threshold <= Normal || c.Threshold >= LevelCount {
			return false
		}
		recent = append(recent, appliedCrossing{crossing{c.Threshold, c.Enter}, c.Percentage})
	}
	u.levelBeforeRecent, u.recent = base, recent
	return true
}

// LevelOf returns the level with a name.
func LevelOf(name string) (Level, bool) {
	for level, known := range levelNames {
		if known == name {
			return Level(level), true
		}
	}
	return Normal, false
}
