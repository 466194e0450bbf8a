// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package scenario

import (
	"iter"
	"time"

	"github.com/legato-otel/legato/cmd/callsim/internal/chance"
)

// World is the state of a simulated cluster.
type World struct {
	cfg    Config
	timing timing
	dice   chance.Dice
	now    time.Time

	schedule chance.Schedule
	emitted  []Event // events of the current action

	hosts           []*host
	spaces          map[bool][]*coSpace // by whether they belong to the cluster
	meetingsStarted int
	links           int // distribution links so far, numbers their SIP calls
	calls           int // SIP calls so far
	restarts        []int

	scenes        chance.Deck[scene]
	failures      chance.Deck[failure]
	hangUpReasons chance.Deck[Reason]
	devices       chance.Deck[device]
	entries       chance.Deck[entrance]
	people        chance.Deck[person]
}

// New returns the world before its first event.
func New(cfg Config) *World {
	w := &World{
		cfg:           cfg,
		timing:        timings[cfg.Short],
		dice:          chance.NewDice(cfg.Seed, streamEvents),
		now:           cfg.Start.UTC().Truncate(time.Second),
		spaces:        map[bool][]*coSpace{},
		scenes:        chance.Deck[scene]{Cards: scenes},
		failures:      chance.Deck[failure]{Cards: failures},
		hangUpReasons: chance.Deck[Reason]{Cards: hangUpReasons},
		devices:       chance.Deck[device]{Cards: devices},
		entries:       chance.Deck[entrance]{Cards: entrances},
		people:        chance.Deck[person]{Cards: people},
	}
	w.hosts = w.newHosts()
	w.restarts = w.meetingsWithRestart()
	return w
}

// Bridges lists the bridges in the order of [Event.Bridge].
func (w *World) Bridges() []Bridge {
	list := make([]Bridge, len(w.hosts))
	for i, h := range w.hosts {
		list[i] = h.Bridge
	}
	return list
}

// Sessions lists the present session of every bridge.
func (w *World) Sessions() []string {
	list := make([]string, len(w.hosts))
	for i, h := range w.hosts {
		list[i] = h.session
	}
	return list
}

// Events runs the scenario and yields its events, once. It ends after the last leg of the
// last meeting, or never if Config.Meetings is 0.
func (w *World) Events() iter.Seq[Event] {
	return func(yield func(Event) bool) {
		w.schedule.Add(w.now, w.startMeeting)
		w.startCrowds()
		for w.schedule.Len() > 0 {
			next := w.schedule.Next()
			w.now = next.At
			next.Do()
			for _, ev := range w.emitted {
				if !yield(ev) {
					return
				}
			}
			w.emitted = w.emitted[:0]
		}
	}
}

// scheduleAfter schedules an action after a delay.
func (w *World) scheduleAfter(wait time.Duration, do func()) { w.schedule.Add(w.now.Add(wait), do) }

// scheduleAt schedules an action at a time, now at the earliest.
func (w *World) scheduleAt(at time.Time, do func()) {
	if at.Before(w.now) {
		at = w.now
	}
	w.schedule.Add(at, do)
}

// emit appends an event of h at the current time.
func (w *World) emit(h *host, payload Payload) {
	w.emitted = append(w.emitted, Event{
		At: w.now, Time: w.now.Add(h.skew), Bridge: h.index, Session: h.session, Payload: payload,
	})
}

// drawBriefly draws one or two seconds.
func (w *World) drawBriefly() time.Duration { return w.dice.Seconds([2]int{1, 2}) }
