// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package scenario

import (
	"time"

	"github.com/legato-otel/legato/cmd/callsim/internal/chance"
)

// crowdLife is the duration of a crowd's meeting.
const crowdLife = time.Hour

// startCrowds convenes the large meetings, four a second.
func (w *World) startCrowds() {
	for i := range w.cfg.Crowds {
		w.scheduleAfter(time.Duration(i/4)*time.Second, w.startCrowd)
	}
}

// startCrowd starts a meeting of constant size, on two bridges if the cluster has two.
func (w *World) startCrowd() {
	h := chance.Pick(w.dice, w.hosts)
	hosts := []*host{h}
	if h.clustered() {
		hosts = w.clusteredFrom(h)
		hosts = hosts[:min(2, len(hosts))]
	}
	m := w.newMeetingFor(CallCoSpace, h, crowdLife)
	w.joinMeeting(m, h, w.nextCaller(m), afterward)
	for i := 1; i < w.cfg.CrowdSize; i++ {
		at := hosts[i%len(hosts)]
		w.scheduleAfter(w.dice.Seconds([2]int{0, 60}), func() { w.fillSeat(m, at) })
	}
}

// fillSeat lets a person join a meeting, and after a while replaces them.
func (w *World) fillSeat(m *meeting, h *host) {
	reason := w.hangUpReasons.Deal(w.dice)
	l := w.joinMeeting(m, h, w.nextCaller(m), chance.Pick(w.dice, []entrance{direct, afterward, viaLobby}))
	if l == nil {
		return
	}
	w.scheduleAfter(w.dice.Share(crowdLife, 0.02, 0.5), func() {
		w.endPersonLeg(l, reason)
		w.scheduleAfter(w.dice.Seconds([2]int{1, 20}), func() { w.fillSeat(m, h) })
	})
}
