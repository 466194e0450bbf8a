// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package ocmsreceiver

import (
	"hash/maphash"
	"sync"
	"time"

	"github.com/legato-otel/legato/internal/ocms"
)

// calls stores the times of calls by Call-ID, for the histograms and for the counters of
// attempts, answers and failures. It does not join calls; callstitch does.
type calls struct {
	limit int
	seed  maphash.Seed

	mu     sync.Mutex // guards everything below
	byID   map[uint64]*call
	ids    []uint64 // a ring of the ids in the order in which they came
	nextID int
}

// call is the state of one Call-ID.
type call struct {
	invitedAt   time.Time // zero before an INVITE
	rang        bool
	result      result
	dialogs     [maxDialogs]dialog
	dialogCount int // how many dialogs there are
}

// maxDialogs is the largest number of dialogs of one call whose duration is measured. A
// forked call has one for each answered branch.
const maxDialogs = 4

// dialog is one answered branch.
type dialog struct {
	tag        uint64 // hash of the tag of the answering side
	answeredAt time.Time
	ended      bool
}

type result uint8

const (
	pending result = iota
	answeredCall
	failedCall
)

// callProgress lists the transitions of a call that an event caused.
type callProgress struct {
	attempt, answered, failed bool
	// ringing, setup and duration are in seconds, -1 if unknown.
	ringing, setup, duration float64
}

func newCalls(limit int) *calls {
	return &calls{limit: limit, seed: maphash.MakeSeed(), byID: make(map[uint64]*call), ids: make([]uint64, 0, min(limit, 1024))}
}

// observe updates the call of an accepted event.
func (c *calls) observe(e *ocms.Event) callProgress {
	n := callProgress{ringing: -1, setup: -1, duration: -1}
	if e.CallID == "" || e.Kind() == ocms.Generic || e.Method != "INVITE" && e.Method != "BYE" {
		return n
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	id := c.hash(e.CallID)
	known := c.byID[id]
	if e.Method == "BYE" {
		if known != nil {
			n.duration = known.endDialog(e, c.hash(e.From.Tag), c.hash(e.To.Tag))
		}
		return n
	}
	if known == nil {
		known = c.addCall(id)
		n.attempt = true
	}
	switch {
	case e.Kind() == ocms.Request:
		if known.invitedAt.IsZero() && known.result == pending {
			known.invitedAt = e.Time
		}
	case e.Code == 180 && !known.rang && known.result == pending:
		known.rang = true
		n.ringing = secondsBetween(known.invitedAt, e.Time)
	case e.Code >= 200 && e.Code < 300:
		known.recordAnswer(e, c.hash(e.To.Tag), &n)
	case e.Code >= 400 && !isStep(e.Code) && known.result == pending:
		known.result = failedCall
		n.failed = true
		n.setup = secondsBetween(known.invitedAt, e.Time)
	}
	return n
}

// recordAnswer handles a 2xx to an INVITE. The first one of each tag begins a dialog;
// later ones answer re-INVITEs.
func (k *call) recordAnswer(e *ocms.Event, tag uint64, n *callProgress) {
	for i := range k.dialogCount {
		if k.dialogs[i].tag == tag {
			return
		}
	}
	if k.result != answeredCall {
		k.result = answeredCall
		n.answered = true
		n.setup = secondsBetween(k.invitedAt, e.Time)
	}
	if k.dialogCount < maxDialogs {
		k.dialogs[k.dialogCount] = dialog{tag: tag, answeredAt: e.Time}
		k.dialogCount++
	}
}

// endDialog returns the duration in seconds of the dialog that a BYE ends, or -1. Either
// side may send the BYE, so the dialog's tag is in From or in To.
func (k *call) endDialog(e *ocms.Event, from, to uint64) float64 {
	for i := range k.dialogCount {
		d := &k.dialogs[i]
		if d.ended || d.tag != from && d.tag != to {
			continue
		}
		d.ended = true
		return secondsBetween(d.answeredAt, e.Time)
	}
	return -1
}

// addCall adds a call. At the limit it replaces the oldest one.
func (c *calls) addCall(id uint64) *call {
	fresh := new(call)
	c.byID[id] = fresh
	if len(c.ids) < c.limit {
		c.ids = append(c.ids, id)
		return fresh
	}
	delete(c.byID, c.ids[c.nextID])
	c.ids[c.nextID] = id
	c.nextID = (c.nextID + 1) % c.limit
	return fresh
}

func (c *calls) hash(text string) uint64 { return maphash.String(c.seed, text) }

// secondsBetween returns the time between two events, -1 if either is zero or if they are
// in the wrong order.
func secondsBetween(from, to time.Time) float64 {
	if from.IsZero() || to.IsZero() || to.Before(from) {
		return -1
	}
	return to.Sub(from).Seconds()
}
