// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package stitch

import (
	"math"
	"strings"
)

// updateRecordedSessionRelations updates a session's times and recorded call from its facts. The end
// of a session ends its tracks.
func (e *Engine) updateRecordedSessionRelations(slot uint32) {
	f, info := &e.codec, e.infoOf(slot)
	s := recordedTimes(f, RecordedSession)
	info.start, info.end = s.start, s.end
	if call := f.recordedCall(); call != info.groupID {
		e.leaveGroup(slot)
		e.joinRecordedCall(slot, call)
	}
	if info.end == 0 || e.restoring {
		return
	}
	for track := info.tracks.head; track != 0; track = e.objects.at(track).participant.next {
		e.endOrReopen(track)
	}
}

// recordedCall returns the hash of what the sessions of one recorded call share, 0 if the
// facts have nothing of it: the ccid. Servers before 8.5(3) send none; for them it is the near
// end's call reference, which is unique at one call controller.
func (f *factsCodec) recordedCall() uint64 {
	if ccid := hashOf(f.newest(keyCCID)); ccid != 0 {
		return ccid
	}
	nearEnd := f.newest(keyNearEnd)
	if hashOf(nearEnd) == 0 {
		return 0
	}
	// No ccid begins with this prefix, so a reference never equals one.
	scoped := append([]byte("near end\x00"), nearEnd...)
	return hash(append(scoped, f.newest(keyController)...))
}

// ofRecordedCall reports whether recordedCall reads the attribute.
func (k key) ofRecordedCall() bool { return k == keyCCID || k == keyNearEnd || k == keyController }

// putTrackInRecordedSession puts a track into the session that its id names, and creates an unknown
// session.
func (e *Engine) putTrackInRecordedSession(slot uint32, id string) {
	sessionID := recordedSessionOf(truncate(id, maxText)) // ids are truncated in this way
	if sessionID == "" {
		return
	}
	session := e.slotOf(RecordedSession, sessionID)
	if session == 0 {
		session = e.create(RecordedSession, sessionID)
	}
	e.putInContainer(slot, session)
}

// endOfRecordedSession returns when the session of a track ended; 0 if unknown.
func (e *Engine) endOfRecordedSession(track *object) int64 {
	if track.containerSlot == 0 {
		return 0
	}
	return e.infoOf(track.containerSlot).end
}

// recordedTimes returns the times of a session or a track. Each record has the start date, the
// last one also the duration. The times of the records stand in for missing ones.
func recordedTimes(f *factsCodec, kind Kind) timeRange {
	start, duration := keySessionStart, keySessionDuration
	if kind == Track {
		start, duration = keyTrackStart, keyTrackDuration
	}
	s := f.timeRange()
	if date := milliseconds(f.newest(start)); date > 0 {
		s.start = date
	}
	if s.start == 0 || s.end == 0 {
		return s
	}
	if d := f.newest(duration); d != nil && milliseconds(d) >= 0 && s.start <= math.MaxInt64-milliseconds(d) {
		s.end = s.start + milliseconds(d)
	}
	return s
}

// milliseconds converts a value in milliseconds to nanoseconds; it returns -1 for any other
// value.
func milliseconds(raw []byte) int64 {
	n, ok := number(raw)
	if !ok || n < 0 || n > math.MaxInt64/millisecond {
		return -1
	}
	return int64(n) * millisecond
}

const millisecond = 1_000_000

// timeRangeOf returns the times of an object whose facts f holds.
func (e *Engine) timeRangeOf(o *object, f *factsCodec) timeRange {
	switch o.kind {
	case RecordedSession:
		return recordedTimes(f, RecordedSession)
	case Track:
		s := recordedTimes(f, Track)
		if s.end == 0 {
			s.end = e.endOfRecordedSession(o)
		}
		return s
	case Dialog:
		c := f.sipCall()
		return c.timeRange(f.timeRange(), c.first)
	case DialogFork:
		c := sipCall{invited: e.startOfCall(o)}
		return c.timeRange(timeRange{}, e.forkBranch(o))
	case APIRequest:
		return f.timeRangeOfRequest()
	case ScheduledMeeting:
		return f.timeRangeOfMeeting()
	case Call, CallLeg, Recording, Streaming:
	}
	return f.timeRange()
}

// durationOf returns the duration in the records of an object, and its unit.
func (f *factsCodec) durationOf(kind Kind) (duration []byte, unit int64) {
	switch kind {
	case Call:
		return f.newest(keyCallDuration), second
	case RecordedSession:
		return f.newest(keySessionDuration), millisecond
	case Track:
		return f.newest(keyTrackDuration), millisecond
	case CallLeg, Recording, Streaming, Dialog, DialogFork, APIRequest, ScheduledMeeting:
	}
	return f.newest(keyLegDuration), second
}

// maxSessionsOfCall bounds the sessions of one recorded call. If there are more, none has a previous
// one, so the order of arrival makes no difference.
const maxSessionsOfCall = 128

// previousRecordedSession returns the session before this one in the same recorded call, 0 if none.
// MediaSense ends a session and begins another when the recorded device changes (a transfer),
// and when it holds and resumes the call. Of several sessions the one that started last is
// returned.
func (e *Engine) previousRecordedSession(slot uint32) (best uint32) {
	info := e.infoOf(slot)
	if info.groupID == 0 {
		return 0
	}
	visited := 0
	for other := e.recordedSessionsByCall[info.groupID]; other != 0; other = e.infoOf(other).group.next {
		e.steps++
		if visited++; visited > maxSessionsOfCall {
			return 0
		}
		start := e.infoOf(other).start
		if start == 0 || start >= info.start {
			continue
		}
		if best == 0 || start > e.infoOf(best).start || start == e.infoOf(best).start && e.compareIDs(other, best) < 0 {
			best = other
		}
	}
	return best
}

// failureState returns the state of a session that did not end normally, "" otherwise.
func failureState(state string) string {
	const closed, normal = "CLOSED_", "CLOSED_NORMAL"
	if len(state) < len(closed) || !strings.EqualFold(state[:len(closed)], closed) || strings.EqualFold(state, normal) {
		return ""
	}
	return state
}

// deriveRecordedSession sets the fields of out that only sessions have, and returns the derived
// attributes.
func (e *Engine) deriveRecordedSession(out *Stitched, t *valueDecoder) []derivedField {
	f := &e.codec
	out.ErrorType = failureState(text(f.newest(keySessionState)))
	list, paused := pauses.between(f.list(keySessionTags), out.Start, out.End)
	out.Lists = listsOf(f, &e.dictionary, t, keySessionTags)
	if len(list.Maps) > 0 {
		out.Lists = append(out.Lists, list)
	}
	return []derivedField{{keyTrackCount, Int(int64(len(f.list(keyTracks))))}, {keyPausedSeconds, seconds(paused)}}
}

// deriveTrack does so for tracks. Tags of a track have offsets from the start of its session.
func (e *Engine) deriveTrack(o *object, out *Stitched, t *valueDecoder) []derivedField {
	f, start := &e.codec, out.Start
	if o.containerSlot != 0 && e.infoOf(o.containerSlot).start != 0 {
		start = e.infoOf(o.containerSlot).start
	}
	list, silent := silences.between(f.list(keyTrackTags), start, out.End)
	out.Lists = listsOf(f, &e.dictionary, t, keyParticipants, keyTrackTags)
	if len(list.Maps) > 0 {
		out.Lists = append(out.Lists, list)
	}
	return []derivedField{{keySilentSeconds, seconds(silent)}}
}
