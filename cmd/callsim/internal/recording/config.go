// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package recording

import "time"

// Config says which scenario is run. The same Config gives the same events.
type Config struct {
	// Seed chooses everything that is left to chance.
	Seed uint64
	// Servers is the number of MediaSense servers, each a node with its disks.
	Servers int
	// Start is when the first recording begins.
	Start time.Time
	// Short makes calls and cleaning quick, for demonstrations.
	Short bool
	// Disk is the size of each disk in bytes; 0 is one that is full soon.
	Disk int64
}

// timing holds the durations of a recording scenario; bounds are in milliseconds.
type timing struct {
	length         [2]int        // of a session
	pause          [2]int        // from one call to the next
	remark         [2]int        // from the end of a session to a tag somebody adds
	patience       [2]int        // from a threshold to the cleaning
	diskCheck      time.Duration // from one look at the disks to the next
	checksPerBatch int           // looks from one batch of a cleaning to the next
	disk           int64         // bytes of a disk
}

// timings by Config.Short. A disk goes through all its states within some
// minutes of a demonstration, and within an hour otherwise.
var timings = map[bool]timing{
	false: {
		length: [2]int{20_000, 600_000}, pause: [2]int{8_000, 50_000}, remark: [2]int{2_000, 60_000},
		patience: [2]int{60_000, 180_000}, diskCheck: 10 * time.Second, checksPerBatch: 3, disk: 120e6,
	},
	true: {
		length: [2]int{4_000, 30_000}, pause: [2]int{1_000, 3_500}, remark: [2]int{500, 4_000},
		patience: [2]int{10_000, 20_000}, diskCheck: 500 * time.Millisecond, checksPerBatch: 4, disk: 7e6,
	},
}

// streamRecordings is far from the streams of the other scenarios.
const (
	streamRecordings uint64 = iota + 3000
	streamDisks
)
