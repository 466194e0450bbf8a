// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package scenario

import "time"

// Config says which story is played. The same Config gives the same events.
type Config struct {
	// Seed chooses every identifier, name, duration and coincidence.
	Seed uint64
	// Estate chooses the ids of the bridges; 0 means that Seed does. Bridges keep their ids
	// over restarts, whatever happens on them.
	Estate uint64
	// Bridges is the number of Call Bridges, at least 1.
	Bridges int
	// Unclustered makes the last bridge a stand-alone one: it has no
	// callBridge identifier and shares no coSpace with the others.
	Unclustered bool
	// Meetings is how many meetings convene; 0 means without end.
	Meetings int
	// Start is the moment the first meeting convenes, on a whole second.
	Start time.Time
	// Short makes calls last 5 to 60 seconds, for demonstrations.
	Short bool
	// Restarts is how many times a bridge restarts while it hosts a meeting.
	Restarts int
	// ScanBurst is how many legs a SIP scanner sends in one burst; 0 leaves
	// only the few strays of everyday life.
	ScanBurst int
	// Crowds is how many meetings of CrowdSize people go on from the start for
	// an hour, beside the others. Whoever leaves one is followed by another.
	Crowds, CrowdSize int
	// PacketLoss is the share of legs whose packets are lost, 0 to 1.
	PacketLoss float64
	// Skew bounds how far each bridge's clock may be off, either way.
	Skew time.Duration
}

// tempo holds the durations, in seconds, that make a story long or short.
type timing struct {
	meeting  [2]int // life of a meeting
	pause    [2]int // from one meeting's start to the next one's
	menu     [2]int // time spent in the interactive voice menu
	lobby    [2]int // time spent waiting for an activator
	ring     [2]int // an outgoing call rings
	opening  int    // meetings that convene a second apart at first, and are soon over
	patience int    // longest wait before the bridge gives up on a leg
	rest     int    // quiet time of a coSpace, and of a bridge that restarts
}

// tempos by Config.Short. The rest is far above the clock tolerance a stitcher
// may have: two meetings in one coSpace must never look like one.
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
