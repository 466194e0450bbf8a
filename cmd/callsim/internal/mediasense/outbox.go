// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package mediasense

import (
	"slices"

	"github.com/legato-otel/legato/cmd/callsim/internal/recording"
)

// post is one body and the events in it.
type post struct {
	body    []byte
	events  []*eventDelivery
	damaged bool
	pair    bool // goes together with the next one
	kind    Kind
	tag     string // name of the tag, empty for other events
}

// delayedPost is a post that waits.
type delayedPost struct {
	post          post
	postsBefore   int    // number of posts to send first
	sessionBefore string // session whose end to send first, if not empty
}

// drawFault decides whether a fault affects the next event of a server. Each fault has dice
// of its own, so that one does not change the others.
func (s *server) drawFault(which int, p float64) bool {
	return s.faultDice[which].Chance(p)
}

// The faults that are drawn for each event.
const (
	faultLost = iota
	faultMalformed
	faultPair
	faultReorder
	fateDuplicate
	fateHow // how it is damaged, how long it is held back
	faultKinds
)

// sendEvent sends an event to the subscribers of the server, with the
// faults that befall it.
func (s *server) sendEvent(n *eventDelivery, forwarded bool) {
	f := s.cluster.opts.Faults
	p := post{body: encode(n.ev, n.shape, forwarded).text(), events: []*eventDelivery{n}, kind: n.kind}
	if payload, ok := n.ev.Payload.(recording.Tagged); ok {
		p.tag = payload.Tag.Name
	}
	lost := s.drawFault(faultLost, f.Lost) && n.kind == Kind{typeSession, "STARTED"}
	malformed, pair := s.drawFault(faultMalformed, f.Malformed), s.drawFault(faultPair, f.Pair)
	reorder, duplicate := s.drawFault(faultReorder, f.Reorder), s.drawFault(fateDuplicate, f.Duplicate)
	how := s.faultDice[fateHow].IntN(12)
	switch {
	case lost:
		s.account.Faults["lost"]++
		return
	case malformed:
		s.account.Faults["malformed"]++
		p.body, p.events, p.damaged = damage(p.body, how), nil, true
		s.out(p)
	case reorder:
		s.account.Faults["reorder"]++
		s.hold(p, n, how)
	case duplicate:
		s.account.Faults["duplicate"]++
		s.out(p)
		s.delayed = append(s.delayed, &delayedPost{post: p, postsBefore: 1 + how%4})
	case pair:
		s.account.Faults["pair"]++
		p.pair = true
		s.out(p)
	default:
		s.out(p)
	}
	s.release(n)
}

// hold keeps a post back: a start or a tag often until the session has ended.
func (s *server) hold(p post, n *eventDelivery, how int) {
	h := &delayedPost{post: p, postsBefore: 2 + how%4} // this event itself is the first to pass
	late := n.kind.Type == typeTag || n.kind.Action == "STARTED"
	if late && how%2 == 0 && !s.ended(n) {
		h.sessionBefore = n.sessions()[0]
	}
	s.delayed = append(s.delayed, h)
}

// ended reports whether the event came after the end of its session; then it must not wait
// for it.
func (s *server) ended(n *eventDelivery) bool {
	payload, ok := n.ev.Payload.(recording.Tagged)
	return ok && !s.recordingSessions[payload.Session]
}

// release sends the held events that have waited long enough, after an event has passed.
func (s *server) release(n *eventDelivery) {
	for _, id := range n.sessions() {
		if n.kind.Action == "STARTED" && n.kind.Type == typeSession {
			s.recordingSessions[id] = true
		} else if n.kind.Action == "ENDED" {
			delete(s.recordingSessions, id)
		}
	}
	var still []*delayedPost
	for _, h := range s.delayed {
		h.postsBefore--
		if h.sessionBefore != "" {
			if s.recordingSessions[h.sessionBefore] {
				still = append(still, h)
				continue
			}
			h.sessionBefore = ""
			h.postsBefore = 1 // the end itself may be held back; one more event passes
		}
		if h.postsBefore > 0 {
			still = append(still, h)
			continue
		}
		s.out(h.post)
	}
	s.delayed = still
}

// flush lets everything go.
func (s *server) flush() {
	for _, h := range s.delayed {
		s.out(h.post)
	}
	s.delayed = nil
	for _, sub := range s.subscriptions {
		sub.releaseHalf()
	}
}

// out gives a post to the subscribers who want it.
func (s *server) out(p post) {
	for _, sub := range s.subscriptions {
		if sub.wants(p) {
			sub.addPost(p)
		}
	}
}

// damage makes a body that is no JSON, as the guide's examples are and as cut
// connections leave them.
func damage(body []byte, how int) []byte {
	out := slices.Clone(body)
	switch how % 3 {
	case 0: // a comma is missing
		for i, b := range out {
			if b == ',' && out[i-1] == '"' {
				return append(out[:i:i], out[i+1:]...)
			}
		}
	case 1: // a line break in a string
		for i, b := range out {
			if i > 0 && out[i-1] == ':' && b == '"' {
				return append(out[:i+2:i+2], append([]byte("\n                 "), body[i+2:]...)...)
			}
		}
	}
	return out[:len(out)*(2+how)/(4+12)] // cut
}
