// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package scenario

import (
	"fmt"
	"slices"
	"time"

	"github.com/legato-otel/legato/cmd/callsim/internal/chance"
)

// host is a running Call Bridge.
type host struct {
	Bridge
	index         int
	session       string
	skew          time.Duration
	availableFrom time.Time // takes no calls before
	calls         []*call   // open ones
	legs          []*leg    // open ones
}

func (h *host) clustered() bool { return h.CallBridge != "" }

// newHosts sets up the bridges with their clocks.
func (w *World) newHosts() []*host {
	clocks := chance.NewDice(w.cfg.Seed, streamClocks)
	estate := chance.NewDice(w.cfg.Estate, streamEstate)
	hosts := make([]*host, w.cfg.Bridges)
	for i := range hosts {
		h := &host{index: i, session: w.dice.GUID(), skew: w.drawSkew(clocks)}
		h.Name = fmt.Sprintf("cms%d", i+1)
		h.CallBridge = w.dice.GUID()
		if w.cfg.Estate != 0 {
			h.CallBridge = estate.GUID()
		}
		if w.cfg.Unclustered && i == len(hosts)-1 {
			h.CallBridge = ""
		}
		hosts[i] = h
	}
	return hosts
}

// drawSkew draws the error of a clock, in whole seconds.
func (w *World) drawSkew(clocks chance.Dice) time.Duration {
	maxSeconds := int(w.cfg.Skew / time.Second)
	return clocks.Seconds([2]int{-maxSeconds, maxSeconds})
}

// clusteredFrom lists the clustered bridges, beginning with first.
func (w *World) clusteredFrom(first *host) []*host {
	list := []*host{first}
	for _, h := range w.hosts {
		if h != first && h.clustered() {
			list = append(list, h)
		}
	}
	return list
}

// clusteredHost draws a clustered bridge, nil when there is none.
func (w *World) clusteredHost() *host {
	clustered := slices.DeleteFunc(slices.Clone(w.hosts), func(h *host) bool { return !h.clustered() })
	if len(clustered) == 0 {
		return nil
	}
	return chance.Pick(w.dice, clustered)
}

// meetingsWithRestart lists the numbers of the meetings during which the bridge that convened them
// restarts, spread evenly over the scenario.
func (w *World) meetingsWithRestart() []int {
	list := make([]int, w.cfg.Restarts)
	for k := range list {
		list[k] = (k + 1) * 10
		if w.cfg.Meetings > 0 {
			list[k] = (k+1)*w.cfg.Meetings/(w.cfg.Restarts+1) + 1
		}
	}
	return list
}

// scheduleRestarts schedules the restarts that are planned for the meeting.
func (w *World) scheduleRestarts(m *meeting) {
	dice := chance.NewDice(w.cfg.Seed+uint64(m.number), streamRestarts)
	for _, number := range w.restarts {
		if number == m.number {
			w.scheduleAfter(dice.Share(m.end.Sub(m.start), 0.2, 0.8), func() { w.restart(m.home) })
		}
	}
}

// restart makes the bridge forget all calls and legs, without an end event for any of them.
// The far ends of its distribution links notice after a while.
func (w *World) restart(h *host) {
	for _, l := range h.legs {
		l.open = false
		if l.peer != nil {
			far := l.peer
			w.scheduleAfter(w.drawBriefly(), func() { w.endLeg(far, ReasonTimeout) })
		}
	}
	for _, c := range h.calls {
		c.open = false
	}
	h.calls, h.legs = nil, nil
	h.session = w.dice.GUID()
	rest := time.Duration(w.timing.rest) * time.Second
	h.availableFrom = w.now.Add(rest)
	w.emit(h, BridgeRestarted{})
	// A scanner tries the bridge as soon as it is up, so that the new session has a record
	// even if the bridge hosts no meeting again.
	w.scheduleAt(h.availableFrom, func() { w.scanNumber(h) })
}
