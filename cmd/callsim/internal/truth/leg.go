// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package truth

import (
	"time"

	"github.com/legato-otel/legato/cmd/callsim/internal/scenario"
)

// phase is where a leg is and since when.
type phase struct {
	in    scenario.Phase
	since time.Time
}

func (r *Recorder) addLeg(ev scenario.Event, l scenario.Leg, index uint64) {
	leg := &Leg{
		Life: r.newLife(ev, l.ID, index), ParticipantID: l.Participant, Calls: []string{},
		Type: l.Type, SubType: l.SubType, LyncSubType: l.LyncSubType, Direction: l.Direction,
		SIPCallID: l.SIPCallID, Alarms: map[string]float64{}, Kind: string(l.Kind),
		MovedFrom: l.MovedFrom, ReplacesSIPCallID: l.ReplacesSIPCallID,
		DisplayName: l.DisplayName, RemoteParty: l.RemoteParty,
		phase: phase{in: l.Phase, since: ev.Time},
	}
	r.legs = append(r.legs, leg)
	r.open[leg.ID] = leg
	r.moveLeg(leg, l)
}

// moveLeg moves a leg into its current call if that changed.
func (r *Recorder) moveLeg(l *Leg, now scenario.Leg) {
	if now.Call() == l.call() {
		return
	}
	if former, ok := r.open[l.call()].(*Call); ok {
		former.active--
	}
	l.Calls = append(l.Calls, now.Call())
	if c, ok := r.open[now.Call()].(*Call); ok {
		c.active++
		c.LegsMaxActive = max(c.LegsMaxActive, c.active)
	}
}

func (l *Leg) call() string {
	if len(l.Calls) == 0 {
		return ""
	}
	return l.Calls[len(l.Calls)-1]
}

// setPhase adds up the time spent in the phase that ends now.
func (l *Leg) setPhase(to scenario.Phase, now time.Time) {
	switch spent := int(now.Sub(l.phase.since) / time.Second); l.phase.in {
	case scenario.PhaseMenu:
		l.IVRSeconds += spent
	case scenario.PhaseLobby:
		l.LobbySeconds += spent
	}
	l.phase = phase{in: to, since: now}
}

func (r *Recorder) endLeg(l *Leg, end scenario.LegEnded, now time.Time) {
	l.setPhase(l.phase.in, now)
	activated := *l.DurationSeconds - l.IVRSeconds - l.LobbySeconds
	l.ActivatedSeconds = &activated
	l.Reason, l.RemoteTeardown = string(end.Reason), end.Reason.Remote()
	if end.Media != nil {
		for _, a := range end.Media.Alarms {
			l.Alarms[a.Kind] = a.Percent
		}
	}
	if c, ok := r.open[l.call()].(*Call); ok {
		c.active--
		c.LegsCompleted++
	}
}
