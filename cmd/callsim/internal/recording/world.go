// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package recording

import (
	"fmt"
	"time"

	"github.com/legato-otel/legato/cmd/callsim/internal/chance"
)

// World is the state of a pair of servers.
type World struct {
	cfg      Config
	timing   timing
	dice     chance.Dice
	now      time.Time
	schedule chance.Schedule
	emitted  []Event // events of the current action
	closed   bool    // no further calls begin

	disks    []*disk
	running  []*call
	finished []*file // recordings somebody may delete
	sessions int
	calls    int
	refused  int

	scenes  chance.Deck[scene]
	styles  chance.Deck[style]
	remarks chance.Deck[string]
	agents  chance.Deck[phone]
	callers chance.Deck[phone]
}

// New builds the world before anything has happened.
func New(cfg Config) *World {
	w := &World{
		cfg: cfg, timing: timings[cfg.Short], dice: chance.NewDice(cfg.Seed, streamRecordings),
		now:     cfg.Start.UTC().Truncate(time.Millisecond),
		scenes:  chance.Deck[scene]{Cards: scenes},
		styles:  chance.Deck[style]{Cards: styles},
		remarks: chance.Deck[string]{Cards: remarks},
		agents:  chance.Deck[phone]{Cards: agents},
		callers: chance.Deck[phone]{Cards: callers},
	}
	w.disks = w.newDisks()
	w.scheduleAfter(w.drawDuration(w.timing.pause), w.scheduleNextCall)
	w.scheduleAfter(w.timing.diskCheck, w.checkDisks)
	return w
}

// When is the time of the next action; false when the scenario has ended.
func (w *World) When() (time.Time, bool) {
	if w.schedule.Len() == 0 {
		return time.Time{}, false
	}
	return w.schedule.When(), true
}

// Step runs the next action and returns its events, often none. The slice is valid until
// the next call.
func (w *World) Step() []Event {
	next := w.schedule.Next()
	w.now = next.At
	w.emitted = w.emitted[:0]
	next.Do()
	return w.emitted
}

// Close prevents further calls; Step continues until all recordings have ended.
func (w *World) Close() { w.closed = true }

// Refused returns the number of calls without a disk to record to.
func (w *World) Refused() int { return w.refused }

// Disks returns the current usage of all disks.
func (w *World) Disks() []Usage {
	list := make([]Usage, len(w.disks))
	for i, d := range w.disks {
		list[i] = Usage{Disk: d.Disk, Level: d.level, Ratio: w.usedRatio(d)}
	}
	return list
}

// scheduleAfter schedules an action after a delay, on a whole millisecond.
func (w *World) scheduleAfter(wait time.Duration, do func()) {
	w.schedule.Add(w.now.Add(wait.Truncate(time.Millisecond)), do)
}

// emit appends an event of a server at the current time.
func (w *World) emit(server int, payload Payload) {
	w.emitted = append(w.emitted, Event{At: w.now, Server: server, Payload: payload})
}

// drawDuration draws a duration within bounds in milliseconds.
func (w *World) drawDuration(bounds [2]int) time.Duration {
	return time.Duration(w.dice.Between(bounds)) * time.Millisecond
}

// drawPart draws a part of a duration between two fractions of it.
func (w *World) drawPart(whole time.Duration, lo, hi float64) time.Duration {
	part := float64(whole) * (lo + (hi-lo)*w.dice.Float64())
	return time.Duration(part).Truncate(time.Millisecond)
}

// hexID makes an identifier in the recorder's format: a running number, the time, and the
// node.
func (w *World) hexID(number, server int) string {
	return fmt.Sprintf("%02x%x%x", number, w.now.UnixMilli(), server+1)
}
