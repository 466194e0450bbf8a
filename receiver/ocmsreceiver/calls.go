// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package ocmsreceiver

import (
	"hash/maphash"
	"sync"
	"time"

	"github.com/legato-otel/legato/internal/ocms"
)

// calls remembers the times of calls, for the histograms and the counts of
// attempts, answers and failures. It knows only calls, and each by its Call-ID:
// which calls belong together is callstitch's.
type calls struct {
	limit int
	seed  maphash.Seed

	mu     sync.Mutex // guards everything below
	byID   map[uint64]*call
	oldest []uint64 // a ring of the ids in the order in which they came
	next   int
}

// call is what is known of one Call-ID.
type call struct {
	invited  time.Time // zero if no INVITE was seen
	rang     bool
	result   result
	dialogs  [maxDialogs]dialog
	answered int // how many dialogs there are
}

// maxDialogs of one call are timed: the branches of a fork that were answered.
const maxDialogs = 4

// dialog is one answered branch.
type dialog struct {
	tag   uint64 // of the side that answered
	since time.Time
	ended bool
}

type result uint8

const (
	pending result = iota
	answeredCall
	failedCall
)

// news is what an event tells of a call that was not known before.
type news struct {
	attempt, answered, failed bool
	// ringing, setup and duration are in seconds, -1 if they are not known.
	ringing, setup, duration float64
}

func newCalls(limit int) *calls {
	return &calls{limit: limit, seed: maphash.MakeSeed(), byID: make(map[uint64]*call), oldest: make([]uint64, 0, min(limit, 1024))}
}

// observe learns from an event that was accepted.
func (c *calls) observe(e *ocms.Event) news {
	n := news{ringing: -1, setup: -1, duration: -1}
	if e.CallID == "" || e.Kind() == ocms.Generic || e.Method != "INVITE" && e.Method != "BYE" {
		return n
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	id := c.hash(e.CallID)
	known := c.byID[id]
	if e.Method == "BYE" {
		if known != nil {
			n.duration = known.bye(e, c.hash(e.From.Tag), c.hash(e.To.Tag))
		}
		return n
	}
	if known == nil {
		known = c.add(id)
		n.attempt = true
	}
	switch {
	case e.Kind() == ocms.Request:
		if known.invited.IsZero() && known.result == pending {
			known.invited = e.Time
		}
	case e.Code == 180 && !known.rang && known.result == pending:
		known.rang = true
		n.ringing = seconds(known.invited, e.Time)
	case e.Code >= 200 && e.Code < 300:
		known.answer(e, c.hash(e.To.Tag), &n)
	case e.Code >= 400 && !isStep(e.Code) && known.result == pending:
		known.result = failedCall
		n.failed = true
		n.setup = seconds(known.invited, e.Time)
	}
	return n
}

// answer notes a 2xx of an INVITE. The first one of each tag begins a dialog;
// another one with the same tag is of a re-INVITE.
func (k *call) answer(e *ocms.Event, tag uint64, n *news) {
	for i := range k.answered {
		if k.dialogs[i].tag == tag {
			return
		}
	}
	if k.result != answeredCall {
		k.result = answeredCall
		n.answered = true
		n.setup = seconds(k.invited, e.Time)
	}
	if k.answered < maxDialogs {
		k.dialogs[k.answered] = dialog{tag: tag, since: e.Time}
		k.answered++
	}
}

// bye returns how long the dialog lasted that a BYE ends: the one with the tag of
// either side.
func (k *call) bye(e *ocms.Event, from, to uint64) float64 {
	for i := range k.answered {
		d := &k.dialogs[i]
		if d.ended || d.tag != from && d.tag != to {
			continue
		}
		d.ended = true
		return seconds(d.since, e.Time)
	}
	return -1
}

// add adds a call, in the place of the oldest if there is no room.
func (c *calls) add(id uint64) *call {
	fresh := new(call)
	c.byID[id] = fresh
	if len(c.oldest) < c.limit {
		c.oldest = append(c.oldest, id)
		return fresh
	}
	delete(c.byID, c.oldest[c.next])
	c.oldest[c.next] = id
	c.next = (c.next + 1) % c.limit
	return fresh
}

func (c *calls) hash(text string) uint64 { return maphash.String(c.seed, text) }

// seconds is the time between two events, -1 if either is not known, or if they
// are in the wrong order.
func seconds(from, to time.Time) float64 {
	if from.IsZero() || to.IsZero() || to.Before(from) {
		return -1
	}
	return to.Sub(from).Seconds()
}
