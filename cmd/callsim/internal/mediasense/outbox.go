// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package mediasense

import (
	"slices"

	"github.com/legato-otel/legato/cmd/callsim/internal/recording"
)

// post is one body and the events that can be read from it.
type post struct {
	body    []byte
	news    []*news
	damaged bool
	pair    bool // goes together with the next one
	kind    Kind
	tag     string // name of the tag, empty for other events
}

// held is a post that waits.
type held struct {
	post  post
	after int    // posts to let pass
	end   string // or session whose end to let pass, if not empty
}

// fate draws whether a fault befalls the next event of a server. Each fault has
// dice of its own, so that one does not change the others.
func (s *server) fate(which int, p float64) bool {
	return s.fates[which].Chance(p)
}

// The faults that are drawn for each event.
const (
	fateLost = iota
	fateMalformed
	fatePair
	fateReorder
	fateDuplicate
	fateHow // how it is damaged, how long it is held back
	fates
)

// tell sends an event on its way to the subscribers of the server, with the
// faults that befall it.
func (s *server) tell(n *news, forwarded bool) {
	f := s.cluster.opts.Faults
	p := post{body: encode(n.ev, n.shape, forwarded).text(), news: []*news{n}, kind: n.kind}
	if what, ok := n.ev.What.(recording.Tagged); ok {
		p.tag = what.Tag.Name
	}
	lost := s.fate(fateLost, f.Lost) && n.kind == Kind{typeSession, "STARTED"}
	malformed, pair := s.fate(fateMalformed, f.Malformed), s.fate(fatePair, f.Pair)
	reorder, duplicate := s.fate(fateReorder, f.Reorder), s.fate(fateDuplicate, f.Duplicate)
	how := s.fates[fateHow].IntN(12)
	switch {
	case lost:
		s.account.Faults["lost"]++
		return
	case malformed:
		s.account.Faults["malformed"]++
		p.body, p.news, p.damaged = damage(p.body, how), nil, true
		s.out(p)
	case reorder:
		s.account.Faults["reorder"]++
		s.hold(p, n, how)
	case duplicate:
		s.account.Faults["duplicate"]++
		s.out(p)
		s.holding = append(s.holding, &held{post: p, after: 1 + how%4})
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
func (s *server) hold(p post, n *news, how int) {
	h := &held{post: p, after: 2 + how%4} // this event itself is the first to pass
	late := n.kind.Type == typeTag || n.kind.Action == "STARTED"
	if late && how%2 == 0 && !s.ended(n) {
		h.end = n.sessions()[0]
	}
	s.holding = append(s.holding, h)
}

// ended tells whether the event came after the end of its session; then it
// must not wait for it.
func (s *server) ended(n *news) bool {
	what, ok := n.ev.What.(recording.Tagged)
	return ok && !s.open[what.Session]
}

// release lets go what has waited long enough, after an event has passed.
func (s *server) release(n *news) {
	for _, id := range n.sessions() {
		if n.kind.Action == "STARTED" && n.kind.Type == typeSession {
			s.open[id] = true
		} else if n.kind.Action == "ENDED" {
			delete(s.open, id)
		}
	}
	var still []*held
	for _, h := range s.holding {
		h.after--
		if h.end != "" {
			if s.open[h.end] {
				still = append(still, h)
				continue
			}
			h.end = ""
			h.after = 1 // the end itself may be held back; one more event passes
		}
		if h.after > 0 {
			still = append(still, h)
			continue
		}
		s.out(h.post)
	}
	s.holding = still
}

// flush lets everything go.
func (s *server) flush() {
	for _, h := range s.holding {
		s.out(h.post)
	}
	s.holding = nil
	for _, sub := range s.subscriptions {
		sub.flush()
	}
}

// out gives a post to the subscribers who want it.
func (s *server) out(p post) {
	for _, sub := range s.subscriptions {
		if sub.wants(p) {
			sub.take(p)
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
