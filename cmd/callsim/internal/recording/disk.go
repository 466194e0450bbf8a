// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package recording

import (
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/legato-otel/legato/cmd/callsim/internal/chance"
)

// Disk is a partition for recordings on a node.
type Disk struct {
	Node      int
	Address   string
	Partition string
}

// Usage is how a disk is.
type Usage struct {
	Disk  Disk
	Level Level
	// Ratio of the disk in use, 0 to 1.
	Ratio float64
}

// Level is the state of a disk.
type Level int

// The levels, by rising use.
const (
	Normal Level = iota
	Low
	Critical
	Emergency
)

func (l Level) String() string { return [...]string{"NORMAL", "LOW", "CRITICAL", "EMERGENCY"}[l] }

// Threshold is a step from one level to the next, up or down.
type Threshold struct {
	// Level entered, or left.
	Level Level
	// Enter is a step up.
	Enter bool
}

// Action is the name on the wire.
func (t Threshold) Action() string {
	if t.Enter {
		return "ENTER_" + t.Level.String() + "_STORAGE_SPACE"
	}
	return "EXIT_" + t.Level.String() + "_STORAGE_SPACE"
}

// bounds are the ratios above which a level is entered and below which it is
// left.
var bounds = map[Level]struct{ enter, exit float64 }{
	Low: {0.75, 0.70}, Critical: {0.90, 0.85}, Emergency: {0.99, 0.97},
}

// disk is a disk with its recordings.
type disk struct {
	Disk
	server int
	size   int64
	files  []*file // oldest first
	stored int64   // bytes of the recordings that are not open
	level  Level

	cleanUntil       float64 // ratio a cleaning continues to, 0 when there is none
	cleaningPlanned  bool    // a cleaning
	cleaningLevels   []Level // levels at which the next cleanings are scheduled
	checksSinceBatch int     // disk checks since the last batch
	dice             chance.Dice
}

// file is a recording.
type file struct {
	session string
	disk    *disk
	bytes   int64 // without the part that is being written
	began   time.Time
	open    bool
	rate    int64 // bytes a millisecond while open
	removed bool  // deleted or pruned
}

// bytesPerMillisecond returns the rate at which tracks fill the disk.
func bytesPerMillisecond(tracks []Track) int64 {
	sum := int64(0)
	for _, t := range tracks {
		if t.Media == Video {
			sum += 24
		} else {
			sum += 8
		}
	}
	return sum
}

func (f *file) size(now time.Time) int64 {
	if f.open {
		return f.bytes + f.rate*now.Sub(f.began).Milliseconds()
	}
	return f.bytes
}

func (f *file) close(now time.Time) {
	f.bytes = f.size(now)
	f.open = false
	f.disk.stored += f.bytes
}

// partitions of a node, with the ratio in use at first.
var partitions = []struct {
	name   string
	lo, hi float64
}{{"/common", 0.58, 0.66}, {"/recordedMedia1", 0.2, 0.5}}

// newDisks returns the disks with recordings from before the scenario.
func (w *World) newDisks() []*disk {
	size := w.cfg.Disk
	if size == 0 {
		size = w.timing.disk
	}
	dice := chance.NewDice(w.cfg.Seed, streamDisks)
	var list []*disk
	for server := range w.cfg.Servers {
		for _, p := range partitions {
			d := &disk{
				Disk:   Disk{Node: server + 1, Address: fmt.Sprintf("192.0.2.%d", 60+server), Partition: p.name},
				server: server, size: size, dice: dice,
				cleaningLevels: []Level{Emergency}, // the first cleaning is always late
			}
			for want := p.lo + (p.hi-p.lo)*dice.Float64(); w.usedRatio(d) < want; {
				f := &file{
					session: fmt.Sprintf("5f%08x%02x", dice.Uint32(), len(list)), disk: d,
					bytes: max(1, int64(float64(size)*(0.005+0.01*dice.Float64()))),
				}
				d.files = append(d.files, f)
				d.stored += f.bytes
			}
			list = append(list, d)
		}
	}
	return list
}

// usedRatio returns the used part of a disk.
func (w *World) usedRatio(d *disk) float64 {
	sum := d.stored
	for _, c := range w.running {
		if c.file.disk == d {
			sum += c.file.size(w.now)
		}
	}
	return min(1, float64(sum)/float64(d.size))
}

// diskWithRoom returns a disk for a new recording, on the wanted server if possible. A disk
// at the level Emergency accepts none.
func (w *World) diskWithRoom(server int) *disk {
	var here, there []*disk
	for _, d := range w.disks {
		switch {
		case d.level == Emergency:
		case d.server == server:
			here = append(here, d)
		default:
			there = append(there, d)
		}
	}
	if len(here) == 0 {
		here = there
	}
	if len(here) == 0 {
		return nil
	}
	return chance.Pick(w.dice, here)
}

// checkDisks checks all disks, as the servers do periodically.
func (w *World) checkDisks() {
	if !w.closed || len(w.running) > 0 {
		w.scheduleAfter(w.timing.diskCheck, w.checkDisks)
	}
	for _, d := range w.disks {
		w.emitThresholds(d)
		w.scheduleCleaning(d)
	}
}

// emitThresholds emits the thresholds that a disk has crossed, one after the other.
func (w *World) emitThresholds(d *disk) {
	ratio := w.usedRatio(d)
	for {
		t := d.stepLevel(ratio)
		if t == (Threshold{}) {
			return
		}
		w.emit(d.server, Crossed{Disk: d.Disk, Threshold: t, Percent: int(math.Round(100 * ratio))})
		if t == (Threshold{Level: Emergency, Enter: true}) {
			w.abortRecordings(d)
		}
	}
}

// stepLevel moves the level of the disk by one towards its usage.
func (d *disk) stepLevel(ratio float64) Threshold {
	if up := d.level + 1; up <= Emergency && ratio > bounds[up].enter {
		d.level = up
		return Threshold{Level: up, Enter: true}
	}
	if here := d.level; here > Normal && ratio < bounds[here].exit {
		d.level--
		return Threshold{Level: here}
	}
	return Threshold{}
}

// abortRecordings ends the recordings to a disk at the level Emergency.
func (w *World) abortRecordings(d *disk) {
	for _, c := range slices.Clone(w.running) {
		if c.file.disk == d {
			c.end(ClosedError)
		}
	}
}

// scheduleCleaning schedules pruning of the oldest recordings of a disk, one batch at a
// time, at a random time after a random level was reached.
func (w *World) scheduleCleaning(d *disk) {
	if d.cleanUntil == 0 {
		if len(d.cleaningLevels) == 0 {
			d.cleaningLevels = []Level{chance.Pick(d.dice, []Level{Low, Critical, Emergency, Emergency})}
		}
		if d.level >= d.cleaningLevels[0] && !d.cleaningPlanned {
			d.cleaningPlanned = true
			w.scheduleAfter(w.drawDuration(w.timing.patience), func() {
				d.cleanUntil, d.checksSinceBatch = 0.4+0.2*d.dice.Float64(), w.timing.checksPerBatch
			})
		}
		return
	}
	if d.checksSinceBatch++; d.checksSinceBatch < w.timing.checksPerBatch {
		return
	}
	d.checksSinceBatch = 0
	var batch []*file
	goal := max(d.cleanUntil, w.usedRatio(d)-0.03)
	for size, i := w.usedRatio(d), 0; size > goal && i < len(d.files); i++ {
		if f := d.files[i]; !f.open {
			batch = append(batch, f)
			size -= float64(f.bytes) / float64(d.size)
		}
	}
	if len(batch) > 0 {
		w.pruneBatch(d, batch)
	}
	if len(batch) == 0 || w.usedRatio(d) <= d.cleanUntil {
		d.cleanUntil, d.cleaningPlanned, d.cleaningLevels = 0, false, d.cleaningLevels[1:]
	}
}

func (w *World) pruneBatch(d *disk, batch []*file) {
	w.emit(d.server, Removed{IDs: w.removeFiles(batch), Pruned: true})
}

// deleteBatch makes a client delete recordings.
func (w *World) deleteBatch(server int, batch []*file) {
	if ids := w.removeFiles(batch); len(ids) > 0 {
		w.emit(server, Removed{IDs: ids})
	}
}

// removeFiles removes recordings from their disks and returns the ids of the recordings that
// still existed.
func (w *World) removeFiles(batch []*file) []string {
	var ids []string
	for _, f := range batch {
		if !f.removed && !f.open {
			f.removed = true
			f.disk.stored -= f.bytes
			ids = append(ids, f.session)
			f.disk.files = slices.DeleteFunc(f.disk.files, func(x *file) bool { return x == f })
		}
	}
	w.finished = slices.DeleteFunc(w.finished, func(f *file) bool { return f.removed })
	return ids
}

// oldest lists up to n recordings of the scenario.
func (w *World) oldest(n int) []*file { return w.finished[:min(n, len(w.finished))] }
