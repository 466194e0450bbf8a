// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package stitch

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/legato-otel/legato/internal/ids"
	"github.com/legato-otel/legato/internal/names"
)

// A scheduled meeting is the series of API requests that one client makes for one call: it
// changes the space, creates the call, has people called, changes the space again, and deletes
// the call. The meeting has the id of the call, so each request that names the call names the
// meeting. A PUT on the space names no call: by its time it belongs to a meeting of that space
// which the same client started (meetingOf).
//
// The steps of a meeting are its items, ordered by time and number. Requests that name the
// call add their steps at once. The others add theirs when they or the meeting become pending,
// whichever comes first. After that neither accepts records, so the choice is a function of
// the records that arrived before.

// maxPrepareTime is how long a client may prepare the space before it creates the call. TMS
// does both in the same second.
const maxPrepareTime = 60 * second

// A space has one meeting at a time, and few of its changes linger, unless a client forges
// them.
const (
	// maxMeetings bounds the meetings of one space and client that are compared, emitted ones
	// aside. If there are more, a PUT belongs to none.
	maxMeetings = 8
	// maxSpaceChanges is how many lingering requests are examined before a meeting is emitted.
	maxSpaceChanges = 16
)

// stepItem returns the item of a step, for a meeting's list of steps.
func stepItem(at int64, number Value, name string, status Value) Item {
	item := Item{List: wellKnownTexts[keySteps], At: at, ID: fmt.Sprintf("%020d", max(0, intOf(number))), Fields: []Field{
		{wellKnownTexts[keyElementStep], Text(name)},
	}}
	if status.Kind == KindInt {
		item.Fields = append(item.Fields, Field{wellKnownTexts[keyElementCode], status})
	}
	return item
}

func intOf(v Value) int64 {
	if v.Kind != KindInt {
		return 0
	}
	return v.Int()
}

// spaceAndClientHash returns the hash of the space and the client that the facts name, 0 if they do
// not name both.
func spaceAndClientHash(f *factsCodec) uint64 {
	space, client := f.newest(keyCoSpace), f.newest(keyClient)
	if hashOf(space) == 0 || hashOf(client) == 0 {
		return 0
	}
	return hash(append(appendCanonical(nil, text(space)), client...))
}

func bySpaceAndClient(o *object) *indexEntry { return &o.participant }
func bySpace(o *object) *indexEntry          { return &o.sip }

// updateMeetingRelations indexes a meeting by its space and updates whether it has ended. A
// meeting whose creating request is unknown lingers, because that request may be late.
func (e *Engine) updateMeetingRelations(slot uint32) {
	o, f := e.objects.at(slot), &e.codec
	o.flags &^= flagEnded
	if f.hasEnd() || !f.hasStart() {
		o.flags |= flagEnded
	}
	if o.state == emitted {
		e.meetings.emitted.setHash(e, slot, spaceAndClientHash(f))
		return
	}
	e.meetings.current.setHash(e, slot, spaceAndClientHash(f))
	e.spaces.current.setHash(e, slot, hashOf(f.newest(keyCoSpace)))
}

// wasStarted reports whether the request that created a meeting's call is known.
func (e *Engine) wasStarted(meeting uint32) bool {
	f := &e.scratch.codec
	e.readFacts(f, meeting)
	return f.hasStart()
}

// requestTime is when a request was sent; the number orders requests of equal time.
type requestTime struct {
	at     int64
	number string
}

func (m requestTime) compare(other requestTime) int {
	return cmp.Or(cmp.Compare(m.at, other.at), cmp.Compare(m.number, other.number))
}

// meetingTimes are the times by which meetingOf picks a meeting.
type meetingTimes struct {
	slot           uint32
	started, ended requestTime // ended.at is 0 if unknown
}

// meetingTimesOf returns the times of a meeting; ok is false if the request that created its
// call is unknown.
func (e *Engine) meetingTimesOf(meeting uint32) (p meetingTimes, ok bool) {
	f := &e.scratch.codec
	e.readFacts(f, meeting)
	s := f.timeRange()
	p = meetingTimes{slot: meeting, started: requestTime{at: s.start}, ended: requestTime{at: s.end, number: lastNumber}}
	for i := range f.items {
		switch it := &f.items[i]; {
		case it.at == s.start && isStep(it, names.StepStart):
			p.started.number = string(it.id)
		case it.at == s.end && isStep(it, names.StepDelete):
			p.ended.number = string(it.id)
		}
	}
	if p.ended.at == 0 {
		p.ended.at = e.endOfContainer(e.objects.at(meeting))
	}
	return p, f.hasStart()
}

// lastNumber sorts after the numbers of all requests. It is the number of an end that no
// request caused.
const lastNumber = "~"

func isStep(it *item, name string) bool {
	return it.list == keySteps && equalsText(it.value(keyElementStep), name)
}

// meetingOf returns the meeting that a request belongs to, 0 for none, and the step that the
// request is. If several meetings of a space are possible, a PUT belongs to the running one,
// else to the next one, else to one whose end is unknown. A PUT that closes the space belongs
// to a meeting that has begun.
func (e *Engine) meetingOf(request uint32) (meeting uint32, step string) {
	f := &e.scratch.codec
	e.readFacts(f, request)
	c, ok := changeOf(f.newestValue)
	if !ok {
		return 0, ""
	}
	if c.call != "" {
		meeting = e.slotOf(ScheduledMeeting, c.call)
		if meeting == 0 || !e.wasStarted(meeting) {
			return 0, ""
		}
		return meeting, c.step
	}
	sent := requestTime{at: f.timeRange().startOrFirst(), number: fmt.Sprintf("%020d", max(0, intOf(f.newestValue(keyAPITrace))))}
	schedule, opens, closes := spaceAndClientHash(f), isTrue(f.newest(keyNonMembers)), isFalse(f.newest(keyNonMembers))
	best, bestRank := meetingTimes{}, 0
	running := 0
	for _, slot := range slices.Clone(e.objectsByHash(&e.meetings, schedule)) {
		p, ok := e.meetingTimesOf(slot)
		if !ok {
			continue
		}
		if e.objects.at(slot).state != emitted {
			if running++; running > maxMeetings {
				return 0, ""
			}
		}
		if rank := rankOf(&p, sent, closes); rank > bestRank || rank == bestRank && rank > 0 && e.fitsBetter(&p, &best, sent) {
			best, bestRank = p, rank
		}
	}
	switch {
	case best.slot == 0:
		return 0, ""
	case sent.compare(best.started) < 0:
		return best.slot, names.StepCreate
	case closes:
		return best.slot, names.StepEnd
	case opens:
		return best.slot, names.StepExtend
	default:
		return best.slot, names.StepModify
	}
}

// rankOf returns how well a PUT fits a meeting by its time, 0 for not at all.
func rankOf(p *meetingTimes, sent requestTime, closes bool) int {
	switch before := sent.compare(p.started) < 0; {
	case before && (closes || p.started.at-sent.at > maxPrepareTime):
		return 0
	case before:
		return 2
	case p.ended.at == 0:
		return 1
	case sent.compare(p.ended) <= 0:
		return 3
	default:
		return 0
	}
}

// fitsBetter compares meetings of one rank: the one that starts next, or that started last,
// fits better; of equal ones the one with the smaller id.
func (e *Engine) fitsBetter(p, best *meetingTimes, sent requestTime) bool {
	order := cmp.Compare(p.started.at, best.started.at)
	if sent.compare(p.started) >= 0 {
		order = -order
	}
	return order < 0 || order == 0 && e.compareIDs(p.slot, best.slot) < 0
}

// addSpaceChange adds a PUT on the space to the steps of its meeting.
func (e *Engine) addSpaceChange(meeting, request uint32) {
	of, step := e.meetingOf(request)
	if of != meeting {
		return
	}
	f := &e.scratch.codec
	e.readFacts(f, request)
	if c, _ := changeOf(f.newestValue); c.call != "" {
		return // its record added the step
	}
	added := stepItem(f.timeRange().startOrFirst(), f.newestValue(keyAPITrace), step, f.newestValue(keyStatus))
	if name := f.newestValue(keySpaceName); name.Kind == KindText && name.Text != "" {
		added.Fields = append(added.Fields, Field{wellKnownTexts[keySpaceName], name})
	}
	e.mergeInto(meeting, &Record{
		Kind: ScheduledMeeting, Phase: Note, ID: e.idOf(meeting), Source: Source{resource: e.resourceOf(meeting)}, Items: []Item{added},
	})
}

// completeMeeting adds the remaining space changes to a meeting before it is emitted, and the
// end of its call if no request deleted the call.
func (e *Engine) completeMeeting(slot uint32) {
	schedule := e.objects.at(slot).participant.hash
	changes := slices.Clone(e.objectsByHash(&e.spaceChanges, schedule))
	for _, request := range changes[:min(len(changes), maxSpaceChanges)] {
		e.addSpaceChange(slot, request)
	}
	o := e.objects.at(slot)
	if o.flags&flagCallEnded == 0 {
		return
	}
	f := &e.scratch.codec
	end := e.endOfContainer(o)
	e.readFacts(f, slot)
	f.addStatement(statement{time: end, phase: End}, nil)
	e.storeFactsWithinLimit(slot, f)
}

// timeRangeOfMeeting returns the times of a meeting, which begins with its first step.
func (f *factsCodec) timeRangeOfMeeting() timeRange {
	s := f.timeRange()
	for i := range f.items {
		if it := &f.items[i]; s.start != 0 && it.list == keySteps && it.at > 0 {
			s.start = min(s.start, it.at)
			s.last = max(s.last, it.at)
		}
	}
	return s
}

// deriveMeeting sets the fields of out that only meetings have, and returns the derived
// attributes.
func (e *Engine) deriveMeeting(out *Stitched) []derivedField {
	list := List{Key: names.ScheduledMeetingSteps}
	var name Value
	for _, it := range e.codec.list(keySteps) {
		step := text(it.value(keyElementStep))
		fields := []Field{
			{names.ElementOffset, Int(max(0, it.at-out.Start) / millisecond)}, {names.ElementStep, Text(step)},
		}
		if code := it.value(keyElementCode); code != nil {
			fields = slices.Insert(fields, 0, Field{names.ElementCode, value(code)})
		}
		list.Maps = append(list.Maps, fields)
		if raw := it.value(keySpaceName); isText(raw) && name.Text == "" && step != names.StepEnd {
			name = value(raw)
		}
	}
	out.Lists = []List{list}
	derived := e.scratch.derived[:0]
	derived = append(derived, derivedField{keyCall, Text(out.ID)})
	if name.Text != "" {
		derived = append(derived, derivedField{keySpaceName, name})
	}
	e.scratch.derived = derived
	return derived
}

// appendMeetingLink appends the link of a call to the meeting that created it.
func (e *Engine) appendMeetingLink(links []Link, call uint32) []Link {
	meeting := e.slotOfIdentity(ScheduledMeeting, &e.objects.at(call).identity)
	if meeting == 0 || !e.wasStarted(meeting) {
		return links
	}
	id := e.idOf(meeting)
	return append(links, Link{Trace: ids.Trace(ScheduledMeeting.Name(), id), Span: e.objects.at(meeting).span, Reason: linkScheduled})
}

// compactMeeting reduces a meeting to the facts by which meetingOf assigns requests to it.
func (e *Engine) compactMeeting(slot uint32) {
	f := &e.scratch.codec
	e.readFacts(f, slot)
	kept := slices.DeleteFunc(slices.Clone(f.items), func(it item) bool {
		return !isStep(&it, names.StepStart) && !isStep(&it, names.StepDelete)
	})
	f.retainKeys(func(k key) bool { return k == idKeyOf(ScheduledMeeting) || k == keyCoSpace || k == keyClient })
	f.items = append(f.items, kept...)
	e.storeFacts(slot, f.encodeNormalized(&e.dictionary))
	e.spaces.current.remove(e, slot)
	e.meetings.moveToEmitted(e, slot)
}

// isFalse reports whether a value is the boolean false.
func isFalse(raw []byte) bool {
	return len(raw) == 1 && raw[0] == tagFalse
}
