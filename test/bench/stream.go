// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package main

// stream is the order in which the lives of a world are lived: a leg starts, one ends, and so
// many are open in between. Each gets three updates: when the legs that started after it are a
// quarter, a half and three quarters of the open ones.
//
// Starts come in order, and so do ends, but for calls, which end after their legs. Successive
// updates are of objects that are far apart, so that no cache and no page table holds the
// object of an update: among many legs hardly two records in a row are of the same one.
type stream struct {
	world *world
	// lane tells streams apart that are lived side by side.
	lane, lanes uint32
	// block is a quarter of the lives that are open once the stream is full.
	block uint64
	// held keeps all open: once it is full, nothing starts or ends, but each
	// gets its updates.
	held bool
	// bare leaves out the updates.
	bare bool
	// draining ends the open objects, in the order in which they started.
	draining bool
	filling  bool

	step    uint64 // the life that starts now
	stage   int    // of stages
	index   uint64 // of the next record
	started uint64 // legs and calls
	ended   uint64
	drainAt uint64 // the place in the order of ends that comes next
}

// A step is a start, three updates and an end.
const (
	stageStart = 0
	stageEnd   = 4
	stages     = 5
)

// newStream has open legs at once, or a few more.
func newStream(w *world, open int, lane, lanes uint32) *stream {
	lives := (open*len(w.lives) + w.legs - 1) / w.legs
	return &stream{world: w, lane: lane, lanes: lanes, block: uint64(max(1, (lives+stageEnd-1)/stageEnd))}
}

// event is one record of one generation.
type event struct {
	record     int
	generation uint32
	index      uint64
}

// lives is how many objects are open when the stream is full.
func (s *stream) lives() uint64 { return stageEnd * s.block }

// legs is how many of them are legs.
func (s *stream) legs() int {
	return int(s.lives()) * s.world.legs / len(s.world.lives) //nolint:gosec // as many as newStream was asked for
}

// dialogs is how many of them are dialogs.
func (s *stream) dialogs() int {
	return int(s.lives()) * s.world.dialogs / len(s.world.lives) //nolint:gosec // as many as newStream was asked for
}

// full reports whether as many are open as will be.
func (s *stream) full() bool { return s.step >= s.lives() }

// fill makes next return false once the stream is full, until it is called
// with false.
func (s *stream) fill(only bool) { s.filling = only }

// skip continues to the point where the stream is full and, if it is held, done.
func (s *stream) skip() {
	s.fill(!s.held)
	for ok := true; ok; {
		_, ok = s.next()
	}
	s.fill(false)
}

// done reports whether a held stream has no more events.
func (s *stream) done() bool { return s.held && s.step >= s.lives()+(stageEnd-1)*s.block }

// next returns false when the stream is done.
func (s *stream) next() (e event, ok bool) {
	if s.draining {
		return s.drain()
	}
	for !s.done() && (!s.filling || !s.full()) {
		step, stage := s.step, s.stage
		if s.stage++; s.stage == stages {
			s.step, s.stage = step+1, 0
		}
		if e, ok := s.at(step, stage); ok {
			e.index = s.index
			s.index++
			return e, true
		}
	}
	return e, false
}

// drained reports whether a stream that is draining has ended everything.
func (s *stream) drained() bool { return s.ended == s.lives() }

func (s *stream) drain() (e event, ok bool) {
	if s.drained() {
		return e, false
	}
	for s.endsAt(s.drainAt) >= s.lives() { // it did not start
		s.drainAt++
	}
	e = s.event(s.drainAt, stageEnd)
	s.drainAt++
	e.index = s.index
	s.index++
	return e, true
}

// at returns the event at a stage of a step; at first some have nothing yet.
func (s *stream) at(step uint64, stage int) (e event, ok bool) {
	delay := uint64(stage) * s.block //nolint:gosec // 0 to stageEnd
	if step < delay || s.held && (stage == stageEnd || stage == stageStart && step >= s.lives() || step-delay >= s.lives()) {
		return e, false
	}
	at := step - delay
	if stage != stageStart && stage != stageEnd {
		at += scatter(at%s.block, s.block) - at%s.block
	}
	if 0 < stage && stage < stageEnd && (s.bare || len(s.life(at).updates) == 0) {
		return e, false
	}
	return s.event(at, stage), true
}

func (s *stream) life(at uint64) *life { return &s.world.lives[at%uint64(len(s.world.lives))] }

// endsAt is the life at a place in the order of ends.
func (s *stream) endsAt(place uint64) uint64 {
	n := uint64(len(s.world.ends))
	return place - place%n + uint64(s.world.ends[place%n]) //nolint:gosec // an index
}

// event returns the event of a life at a stage.
func (s *stream) event(at uint64, stage int) (e event) {
	if stage == stageEnd {
		at = s.endsAt(at)
	}
	l := s.life(at)
	e.generation = uint32(at/uint64(len(s.world.lives)))*s.lanes + s.lane //nolint:gosec // there are not that many
	switch stage {
	case stageStart:
		e.record = l.start
		s.started++
	case stageEnd:
		e.record = l.end
		s.ended++
	default:
		e.record = l.updates[(stage-1)%len(l.updates)]
	}
	return e
}

// scatter puts the numbers below n into another order: the factor is a prime
// above n.
func scatter(i, n uint64) uint64 {
	const factor = 2654435761
	return i * factor % n
}
