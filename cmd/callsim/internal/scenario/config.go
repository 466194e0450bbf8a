// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package scenario

import "time"

// Config configures a scenario. The same Config gives the same events.
type Config struct {
	// Seed determines every identifier, name, duration and random event.
	Seed uint64
	// Estate determines the ids of the bridges; 0 means that Seed does. Bridges keep their
	// ids over restarts.
	Estate uint64
	// Bridges is the number of Call Bridges, at least 1.
	Bridges int
	// Unclustered makes the last bridge a stand-alone one: it has no
	// callBridge identifier and shares no coSpace with the others.
	Unclustered bool
	// Meetings is the number of meetings; 0 means without end.
	Meetings int
	// Start is the time the first meeting convenes, on a whole second.
	Start time.Time
	// Short makes calls last 5 to 60 seconds, for demonstrations.
	Short bool
	// Restarts is how many times a bridge restarts while it hosts a meeting.
	Restarts int
	// ScanBurst is how many legs a SIP scanner sends in one burst; 0 leaves
	// only the few strays of everyday life.
	ScanBurst int
	// Crowds is the number of meetings of CrowdSize people in the first hour, beside the
	// others. Each person who leaves one is replaced by another.
	Crowds, CrowdSize int
	// PacketLoss is the share of legs whose packets are lost, 0 to 1.
	PacketLoss float64
	// Skew bounds the offset of each bridge's clock, in either direction.
	Skew time.Duration
}

// timing holds the durations of a scenario, in seconds.
type timing struct {
	meeting  [2]int // life of a meeting
	pause    [2]int // from one meeting's start to the next one's
	menu     [2]int // time spent in the interactive voice menu
	lobby    [2]int // time spent waiting for an activator
	ring     [2]int // an outgoing call rings
	opening  int    // meetings that convene a second apart at first, and are soon over
	patience int    // longest wait before the bridge ends a leg that does not connect
	rest     int    // quiet time of a coSpace, and of a bridge that restarts
}

// timings by Config.Short. rest is far above the clock tolerance of a stitcher, so that two
// meetings in one coSpace never look like one.
var timings = map[bool]timing{
	false: {
		meeting: [2]int{300, 3600}, pause: [2]int{20, 240}, menu: [2]int{3, 25},
		lobby: [2]int{5, 120}, ring: [2]int{2, 20}, patience: 60, rest: 90,
	},
	true: {
		meeting: [2]int{5, 50}, pause: [2]int{4, 12}, menu: [2]int{1, 4},
		lobby: [2]int{2, 6}, ring: [2]int{1, 3}, opening: 3, patience: 8, rest: 20,
	},
}
