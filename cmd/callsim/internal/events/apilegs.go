// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package events

import (
	"encoding/xml"
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/legato-otel/legato/cmd/callsim/internal/scenario"
)

type empty struct{}

type legAlarms struct {
	PacketLoss        *empty `xml:"packetLoss"`
	ExcessiveJitter   *empty `xml:"excessiveJitter"`
	HighRoundTripTime *empty `xml:"highRoundTripTime"`
}

type legObject struct {
	XMLName     xml.Name   `xml:"callLeg"`
	ID          string     `xml:"id,attr"`
	Name        string     `xml:"name"`
	RemoteParty string     `xml:"remoteParty"`
	Call        string     `xml:"call,omitempty"`
	Alarms      *legAlarms `xml:"alarms"`
	*legDetail
}

type legDetail struct {
	Type      string    `xml:"type"`
	SubType   string    `xml:"subType,omitempty"`
	Direction string    `xml:"direction"`
	Status    legStatus `xml:"status"`
}

type legStatus struct {
	State     string  `xml:"state"`
	Seconds   int64   `xml:"durationSeconds"`
	SIPCallID string  `xml:"sipCallId,omitempty"`
	Group     string  `xml:"groupId,omitempty"`
	RxAudio   *media  `xml:"rxAudio"`
	TxAudio   *media  `xml:"txAudio"`
	RxVideo   []media `xml:"rxVideo"`
	TxVideo   []media `xml:"txVideo"`
}

type media struct {
	Role    string `xml:"role,attr,omitempty"`
	Codec   string `xml:"codec"`
	Loss    string `xml:"packetLossPercentage"`
	Jitter  uint64 `xml:"jitter"`
	BitRate uint64 `xml:"bitRate"`
	Trip    uint64 `xml:"roundTripTime,omitempty"`
}

// lineQuality is the quality of a leg's line. It is computed from the leg's id, so it is
// constant for the leg.
type lineQuality struct {
	loss         float64 // in per cent
	jitter, trip uint64  // in ms
}

// An alarm is active above these; invented, as every server has rules of its own.
const (
	alarmLoss   = 3.0
	alarmJitter = 50
	alarmTrip   = 300
	// heavyLoss is the loss that the fault PacketLoss adds, in per cent.
	heavyLoss = 25.0
)

func (f *Faults) lineOf(id string) lineQuality {
	seed := seedOf(id)
	l := lineQuality{loss: float64(seed%8) / 10, jitter: seed / 8 % 20, trip: 20 + seed/160%80}
	switch seed / 12_800 % 10 { // one line in ten is bad, in one respect
	case 0:
		l.loss += alarmLoss + float64(seed%40)/10
	case 1:
		l.jitter += alarmJitter + seed%60
	case 2:
		l.trip += alarmTrip + seed%300
	}
	if scenario.HeavyLoss(id, f.PacketLoss) {
		l.loss += heavyLoss
	}
	return l
}

func (l lineQuality) alarms() *legAlarms {
	var a legAlarms
	if l.loss > alarmLoss {
		a.PacketLoss = new(empty)
	}
	if l.jitter > alarmJitter {
		a.ExcessiveJitter = new(empty)
	}
	if l.trip > alarmTrip {
		a.HighRoundTripTime = new(empty)
	}
	if a == (legAlarms{}) {
		return nil
	}
	return &a
}

// callLegs returns the open legs, or those with an alarm.
func (s *server) callLegs(r *http.Request) any {
	var list []any
	for _, l := range s.stage.openLegs {
		one := legObject{ID: l.ID, Name: l.DisplayName, RemoteParty: l.RemoteParty, Call: l.Call(), Alarms: s.cluster.opts.Faults.lineOf(l.ID).alarms()}
		if r.URL.Query().Get("alarms") == "" || one.Alarms != nil {
			list = append(list, one)
		}
	}
	return s.page("callLegs", list, r.URL.Query())
}

// stateOf returns the state of the leg's person, or the default state of the leg's phase.
func (s *server) stateOf(l *liveLeg) string {
	for _, c := range s.stage.calls {
		for _, p := range c.people {
			if p.leg.ID == l.ID {
				return string(p.behavior.State(l.Phase))
			}
		}
	}
	return string(scenario.Behavior{}.State(l.Phase))
}

// callLeg returns one leg with its streams. By the fault APIGone it may have just ended.
func (s *server) callLeg(id string) any {
	i := slices.IndexFunc(s.stage.openLegs, func(l *liveLeg) bool { return l.ID == id })
	if i < 0 {
		return noSuch("callLeg")
	}
	if s.cluster.chance.Float64() < s.cluster.opts.Faults.APIGone {
		s.account.Faults["api_gone"]++
		return noSuch("callLeg")
	}
	l := s.stage.openLegs[i]
	one := legObject{ID: l.ID, Name: l.DisplayName, RemoteParty: l.RemoteParty, Call: l.Call(), legDetail: &legDetail{
		Type: l.Type, SubType: l.SubType, Direction: l.Direction,
		Status: legStatus{State: s.stateOf(l), Seconds: int64(s.now().Sub(l.began) / time.Second), SIPCallID: l.SIPCallID, Group: l.Participant},
	}}
	if l.Phase == scenario.PhaseConnecting {
		return one
	}
	q := s.cluster.opts.Faults.lineOf(id)
	loss := fmt.Sprintf("%.1f", q.loss)
	one.Status.RxAudio = &media{Codec: "opus", Loss: loss, Jitter: q.jitter, BitRate: audioRate}
	one.Status.TxAudio = &media{Codec: "opus", Loss: "0.0", Jitter: q.jitter / 2, BitRate: audioRate, Trip: q.trip}
	one.Status.RxVideo = []media{{Role: "main", Codec: "h264", Loss: loss, Jitter: q.jitter, BitRate: videoRate}}
	one.Status.TxVideo = []media{{Role: "main", Codec: "h264", Loss: "0.0", Jitter: q.jitter / 2, BitRate: videoRate, Trip: q.trip}}
	return one
}
