// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package scenario

import (
	"iter"
	"time"
)

// World is a cluster in the middle of its story.
type World struct {
	cfg   Config
	tempo tempo
	dice  dice
	now   time.Time

	agenda agenda
	told   []Event // what the current appointment made happen

	hosts    []*host
	spaces   map[bool][]*coSpace // by whether they belong to the cluster
	convened int
	links    int // distribution links so far, numbers their SIP calls
	calls    int // SIP calls so far
	restarts []int

	scenes   deck[scene]
	failures deck[failure]
	partings deck[Reason]
	devices  deck[device]
	entries  deck[entrance]
	people   deck[person]
}

// New builds the world before anything has happened.
func New(cfg Config) *World {
	w := &World{
		cfg:      cfg,
		tempo:    tempos[cfg.Short],
		dice:     newDice(cfg.Seed, streamStory),
		now:      cfg.Start.UTC().Truncate(time.Second),
		spaces:   map[bool][]*coSpace{},
		scenes:   deck[scene]{cards: scenes},
		failures: deck[failure]{cards: failures},
		partings: deck[Reason]{cards: partings},
		devices:  deck[device]{cards: devices},
		entries:  deck[entrance]{cards: entrances},
		people:   deck[person]{cards: people},
	}
	w.hosts = w.install()
	w.restarts = w.restartPlan()
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

// Events plays the story. It can be played once; it ends after the last leg of
// the last meeting, or never when the meetings have no end.
func (w *World) Events() iter.Seq[Event] {
	return func(yield func(Event) bool) {
		w.agenda.add(w.now, w.convene)
		w.crowds()
		for w.agenda.Len() > 0 {
			next := w.agenda.next()
			w.now = next.at
			next.do()
			for _, ev := range w.told {
				if !yield(ev) {
					return
				}
			}
			w.told = w.told[:0]
		}
	}
}

// after makes an appointment a while from now.
func (w *World) after(wait time.Duration, do func()) { w.agenda.add(w.now.Add(wait), do) }

// at makes an appointment for a moment, now at the earliest.
func (w *World) at(when time.Time, do func()) {
	if when.Before(w.now) {
		when = w.now
	}
	w.agenda.add(when, do)
}

// tell records that something happened on h now.
func (w *World) tell(h *host, what Happening) {
	w.told = append(w.told, Event{
		At: w.now, Time: w.now.Add(h.skew), Bridge: h.index, Session: h.session, What: what,
	})
}

// briefly is a second or two.
func (w *World) briefly() time.Duration { return w.dice.seconds([2]int{1, 2}) }
