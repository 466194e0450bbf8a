// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package stitch

import (
	"bytes"
	"slices"

	"github.com/legato-otel/legato/internal/names"
)

// updateRelations updates an object's relations to others after a merge. s is the merged
// statement, source the source of its record, and incoming the statement's attributes. e.codec
// holds the merged facts, or only s if merge appended s without reading the facts (see
// appendNewest).
func (e *Engine) updateRelations(slot uint32, s *statement, source Source, incoming []attribute) {
	o := e.objects.at(slot)
	switch o.kind {
	case Call:
		e.updateCallRelations(slot)
		return
	case RecordedSession:
		e.updateRecordedSessionRelations(slot)
		return
	case Track:
		if o.containerSlot != 0 && s.phase != Note {
			e.extendNamedTimes(o.containerSlot, s.time, source, slot)
		}
		return
	case Dialog:
		e.updateDialogRelations(slot)
		return
	case DialogFork:
		e.updateForkRelations(slot)
		return
	case APIRequest:
		e.updateRequestRelations(slot)
		return
	case ScheduledMeeting:
		e.updateMeetingRelations(slot)
		return
	case CallLeg:
		e.updateLegRelations(slot, incoming)
	case Recording, Streaming:
	}
	named := valueOf(incoming, keyCall)
	if named == nil {
		return
	}
	if namesCall(named) {
		e.extendNamedTimes(e.callOf(slot, named), s.time, source, slot)
	}
	if newest := e.codec.newestCall(); newest != nil {
		e.putInContainer(slot, e.callOf(slot, newest))
	}
}

// namesCall reports whether a value can be the id of a call.
func namesCall(raw []byte) bool {
	return isText(raw)
}

// newestCall returns the last call that the facts name, nil if none.
func (f *factsCodec) newestCall() []byte {
	for _, s := range slices.Backward(f.statements) {
		if raw := s.value(keyCall); namesCall(raw) {
			return raw
		}
	}
	return nil
}

// valueOf returns the last value of a key.
func valueOf(attributes []attribute, k key) []byte {
	for _, a := range slices.Backward(attributes) {
		if a.key == k {
			return a.raw
		}
	}
	return nil
}

// callOf returns the call with the id raw, which a record of member names. If the engine does not
// have the call, callOf creates it, because the call may have started before the engine did.
func (e *Engine) callOf(member uint32, raw []byte) uint32 {
	identity := identityOfValue(Call, raw)
	if slot := e.slotOfCall(member, &identity); slot != 0 {
		return slot
	}
	return e.create(Call, text(raw))
}

// slotOfCall returns the slot of a call that a record of a member names, 0 if there is none.
// Most records name the call that the member is in.
func (e *Engine) slotOfCall(member uint32, identity *identity) uint32 {
	if member != 0 {
		if container := e.objects.at(member).containerSlot; container != 0 && e.objects.at(container).identity == *identity {
			return container
		}
	}
	return e.slotOfIdentity(Call, identity)
}

// extendNamedTimes records that a member named its container at a time, so the container ran
// then. If the member's record is stored as a delta, loadReference restores this, and the
// container need not be stored.
func (e *Engine) extendNamedTimes(container uint32, at int64, source Source, member uint32) {
	o := e.objects.at(container)
	if e.isFinal(container) {
		return
	}
	e.inferSource(container, source)
	info := e.containers.at(o.containerIndex)
	before := info.firstNamedAt
	first, last := earliestSet(before, at), max(info.lastNamedAt, at)
	if first != before || last != info.lastNamedAt {
		info.firstNamedAt, info.lastNamedAt = first, last
		if o := e.objects.at(member); !o.kind.storesDeltas() || o.flags&flagDirtyFacts != 0 {
			e.markDirty(container, flagDirty)
		}
		if e.updateUnlistedFlag(container) {
			e.endOrReopen(container)
		}
		if o.kind == Call && info.start == 0 && first != before { // intervalOf takes firstNamedAt for the start
			e.regroup(info.groupID)
		}
	}
}

// putInContainer moves an object into a call or a recorded session.
func (e *Engine) putInContainer(slot, container uint32) {
	o := e.objects.at(slot)
	if o.containerSlot == container {
		return
	}
	e.removeFromContainer(slot)
	o.containerSlot = container
	info := e.infoOf(container)
	info.memberCount++
	if containerObject := e.objects.at(container); containerObject.state == emitted {
		e.setState(container, emittedWithMembers, containerObject.since)
	}
	switch {
	case o.kind == Track:
		info.tracks.push(e, slot, byTrack)
	case o.state == open:
		info.open.push(e, slot, byCall)
	}
}

func (e *Engine) removeFromContainer(slot uint32) {
	o := e.objects.at(slot)
	if o.containerSlot == 0 {
		return
	}
	info := e.infoOf(o.containerSlot)
	info.memberCount--
	switch {
	case o.kind == Track:
		info.tracks.remove(e, slot, byTrack)
	case o.state == open:
		info.open.remove(e, slot, byCall)
	}
	if info.memberCount == 0 && e.objects.at(o.containerSlot).state == emittedWithMembers {
		e.setState(o.containerSlot, emitted, e.now)
	}
	o.containerSlot = 0
}

// updateLegRelations indexes a leg by its participant and its SIP Call-ID, if the record
// contains them.
func (e *Engine) updateLegRelations(slot uint32, incoming []attribute) {
	o, f := e.objects.at(slot), &e.codec
	for _, entry := range incoming {
		switch entry.key {
		case keyLyncSubType:
			o.flags &^= flagSharing | flagAudioVideo
			switch lync := f.newest(keyLyncSubType); {
			case equalsText(lync, lyncSharing):
				o.flags |= flagSharing
			case equalsText(lync, lyncAudioVideo):
				o.flags |= flagAudioVideo
			}
		case keyParticipant:
			if raw := f.newest(keyParticipant); !bytes.Equal(raw, f.participantBefore) {
				e.participants.current.setHash(e, slot, hashOf(raw))
			}
		case keySIPCallID:
			if raw := f.newest(keySIPCallID); !bytes.Equal(raw, f.sipCallIDBefore) {
				e.sipCalls.current.setHash(e, slot, hashOf(raw))
			}
		}
	}
}

// Values of a leg's lyncSubType (guide section 5).
const (
	lyncSharing    = "applicationSharing"
	lyncAudioVideo = "audioVideo"
)

func byParticipant(o *object) *indexEntry { return &o.participant }
func bySIPCall(o *object) *indexEntry     { return &o.sip }
func byTrack(o *object) *listLinks        { return &o.participant.listLinks }

// maxSameHash bounds the objects with one hash that are examined: the legs of a participant or
// of a SIP Call-ID. There are two or three, unless a sender forges them.
const maxSameHash = 64

// objectsByHash returns the current objects with a hash, then the emitted ones. If there are
// more than maxSameHash current ones, it returns none; if there are more emitted ones than
// that, it returns only the current ones. It returns each group whole or not at all, because
// the order of arrival would decide what a part contains.
func (e *Engine) objectsByHash(index *hashIndexes, hash uint64) []uint32 {
	found := e.appendByHash(e.scratch.legs[:0], index.current, hash)
	if len(found) <= maxSameHash {
		current := len(found)
		if current == 1 && e.objects.at(found[0]).state == emitted { // see hashIndexes
			current = 0
		}
		if found = e.appendByHash(found, index.emitted, hash); len(found)-current > maxSameHash {
			found = found[:current]
		}
	} else {
		found = found[:0]
	}
	e.scratch.legs = found
	return found
}

// appendByHash appends at most maxSameHash+1 objects with a hash, so that the caller notices when
// there are more than maxSameHash.
func (e *Engine) appendByHash(to []uint32, index *hashIndex, hash uint64) []uint32 {
	if hash == 0 {
		return to
	}
	limit := len(to) + maxSameHash
	for slot := index.first(e, hash); slot != 0 && len(to) <= limit; slot = index.entryOf(e.objects.at(slot)).next {
		e.steps++
		to = append(to, slot)
	}
	return to
}

// startOf returns when a leg started, or its first record if unknown.
func (e *Engine) startOf(slot uint32) int64 {
	o := e.objects.at(slot)
	if o.state == emitted {
		return e.tombstone(slot).start
	}
	e.readFacts(&e.scratch.codec, slot)
	return e.scratch.codec.timeRange().startOrFirst()
}

// FindParticipant returns a leg of a participant, preferably one that is not for sharing. If
// there are several, it returns the one that started last.
func (e *Engine) FindParticipant(id string) (ref Ref, found bool) {
	if id == "" {
		return Ref{}, false
	}
	slot := e.legOf(hashOf(appendText(nil, id)), 0, func(slot uint32) int {
		if e.objects.at(slot).flags&flagSharing != 0 {
			return 1
		}
		return 0
	})
	if slot == 0 {
		return Ref{}, false
	}
	return Ref{slot, e.objects.at(slot).generation}, true
}

// legOf returns the participant's leg of the lowest rank. If several have that rank, it returns
// the one that started last, and among equal starts the one with the smallest id. It skips
// excluded, and legs with a negative rank.
func (e *Engine) legOf(participant uint64, excluded uint32, rank func(uint32) int) (best uint32) {
	bestRank, bestStart := 0, int64(0)
	for _, slot := range e.objectsByHash(&e.participants, participant) {
		o := e.objects.at(slot)
		r := rank(slot)
		if slot == excluded || r < 0 {
			continue
		}
		start := e.startOf(slot)
		if best == 0 || r < bestRank || r == bestRank && (start > bestStart ||
			start == bestStart && bytes.Compare(o.identity[:], e.objects.at(best).identity[:]) < 0) {
			best, bestRank, bestStart = slot, r, start
		}
	}
	return best
}

// audioVideoOf returns the leg that a sharing leg belongs to: a leg of the same participant in
// the same trace, preferably one marked as audio and video. A participant who was moved also
// has legs in other traces.
func (e *Engine) audioVideoOf(slot uint32) uint32 {
	sharing := e.objects.at(slot)
	return e.legOf(sharing.participant.hash, slot, func(other uint32) int {
		o := e.objects.at(other)
		switch {
		case o.flags&flagSharing != 0:
			return -1
		case sharing.containerSlot != 0 && e.traceOf(other) != e.infoOf(sharing.containerSlot).trace:
			return -1
		case o.flags&flagAudioVideo != 0:
			return 0
		default:
			return 1
		}
	})
}

// legOfSIPCall returns a leg whose SIP Call-ID has a hash, other than excluded. If there
// are several, because bridges may share a SIP call, it returns the one with the smallest id.
func (e *Engine) legOfSIPCall(hash uint64, excluded uint32) (best uint32) {
	for _, other := range e.objectsByHash(&e.sipCalls, hash) {
		if other == excluded {
			continue
		}
		if best == 0 || bytes.Compare(e.objects.at(other).identity[:], e.objects.at(best).identity[:]) < 0 {
			best = other
		}
	}
	return best
}

// roleOf returns the role of a leg, "" if unknown. A leg whose start names no other role is a
// participant; only participants are people.
func roleOf(f *factsCodec) string {
	subType := f.newest(keySubType)
	switch {
	case isTrue(f.newest(keyIsRecorder)):
		return names.RoleRecorder
	case isTrue(f.newest(keyIsStreamer)):
		return names.RoleStreamer
	case equalFold(subType, "distributionLink"), equalFold(subType, "lyncDistribution"):
		return names.RoleDistributionLink
	case equalsText(f.newest(keyLyncSubType), lyncSharing):
		return names.RoleSharing
	case f.hasStart():
		return names.RoleParticipant
	default:
		return ""
	}
}
