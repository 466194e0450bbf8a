// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package callstitchprocessor

import (
	"encoding/binary"
	"strconv"
	"strings"

	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/legato-otel/legato/internal/ids"
	"github.com/legato-otel/legato/internal/names"
	"github.com/legato-otel/legato/internal/stitch"
)

// MediaSense numbers no records, so their type orders them. Their time cannot, because all
// records of a tag have the same date, whether the tag is added or deleted. The last record of
// a session is complete.
const (
	rankStarted = 1 + iota
	rankUpdated
	rankEnded
	rankTagAdded
	rankTagUpdated
	rankTagDeleted
)

const (
	trackPrefix = names.KindTrack + "."
	tagPrefix   = names.MediaSense + ".tag."
)

// maxElements bounds the elements of a list that are read; real lists are shorter.
const maxElements = 1024

// readSession reads a record of a recorded session. Its tags become items, and its tracks
// become parts of the record.
func (br *requestReader) readSession(attributes pcommon.Map, r *stitch.Record) bool {
	if r.ID = text(attributes, names.MediaSenseSessionID); r.ID == "" {
		return false
	}
	for key, v := range attributes.All() {
		switch key {
		case names.MediaSenseSessionID, names.MediaSenseForwarded, names.MediaSenseEventType, names.MediaSenseEventAction:
			// The id is in r.ID. The others describe only the event.
		case names.MediaSenseTracks, names.MediaSenseTags:
			if v.Type() == pcommon.ValueTypeSlice {
				continue // read below
			}
			fallthrough
		default:
			br.appendField(key, v)
		}
	}
	tracks := mapElements(attributes, names.MediaSenseTracks, &r.Dropped)
	if text(attributes, names.MediaSenseCCID) == "" && text(attributes, names.MediaSenseControllerType) != gateway {
		if reference := nearEnd(tracks); reference != "" {
			br.fields = append(br.fields, stitch.Field{Key: names.MediaSenseNearEnd, Value: stitch.Text(reference)})
		}
	}
	r.Fields = br.fields
	for _, tag := range mapElements(attributes, names.MediaSenseTags, &r.Dropped) {
		r.Items = append(r.Items, br.readTagItem(names.MediaSenseTags, tag, ""))
	}
	for _, track := range tracks {
		number, numbered := integer(track, names.ElementTrackNumber)
		id, ok := stitch.TrackID(r.ID, number)
		if !numbered || !ok { // without a number it could be merged into another track
			r.Dropped++
			continue
		}
		r.Items = append(r.Items, stitch.Item{List: names.MediaSenseTracks, At: number})
		r.Parts = append(r.Parts, br.readTrack(id, track, &r.Dropped))
	}
	return true
}

// gateway is the callControllerType of a CUBE. The order of its tracks varies, and the
// recorder generates new references for each session.
const gateway = "Cisco-SIPGateway"

// nearEndTrack is the number of the track from the recorded device.
const nearEndTrack = 0

// nearEnd returns the call controller's reference to the recorded device's leg: that of the
// first participant of the device's track who has one, "" if none has. CUCM's references are
// decimal digits; the recorder generates all others.
func nearEnd(tracks []pcommon.Map) (reference string) {
	first := int64(0)
	for _, track := range tracks {
		if number, numbered := integer(track, names.ElementTrackNumber); !numbered || number != nearEndTrack {
			continue
		}
		var ignored int
		for _, participant := range mapElements(track, names.ElementParticipants, &ignored) {
			candidate := text(participant, names.ElementXRefCI)
			if candidate == "" || strings.Trim(candidate, "0123456789") != "" {
				continue
			}
			since, _ := integer(participant, names.ElementParticipantStart)
			if reference == "" || since < first || since == first && candidate < reference {
				reference, first = candidate, since
			}
		}
	}
	return reference
}

// readTrack reads a track from a record of its session.
func (br *requestReader) readTrack(id string, track pcommon.Map, dropped *int) stitch.Part {
	p := stitch.Part{Kind: stitch.Track, ID: id}
	start := len(br.fields)
	for key, v := range track.All() {
		if v.Type() == pcommon.ValueTypeSlice && (key == names.ElementParticipants || key == names.ElementTags) {
			continue // read below
		}
		br.appendField(trackPrefix+key, v)
	}
	p.Fields = br.fields[start:]
	for _, participant := range mapElements(track, names.ElementParticipants, dropped) {
		p.Items = append(p.Items, br.readParticipant(participant))
	}
	for _, tag := range mapElements(track, names.ElementTags, dropped) {
		p.Items = append(p.Items, br.readTagItem(names.MediaSenseTrackTags, tag, ""))
	}
	return p
}

// readParticipant reads a participant of a track. Start and reference identify it across records;
// only the first record has the device.
func (br *requestReader) readParticipant(participant pcommon.Map) stitch.Item {
	since, _ := integer(participant, names.ElementParticipantStart)
	reference := text(participant, names.ElementXRefCI)
	if reference == "" {
		reference = text(participant, names.ElementDeviceRef)
	}
	start := len(br.fields)
	for key, v := range participant.All() {
		br.appendField(key, v)
	}
	return stitch.Item{List: names.MediaSenseTrackParticipants, At: since, ID: reference, Fields: br.fields[start:]}
}

// readTagItem reads a tag from the attributes that begin with a prefix. Name, offset and date
// identify it across records; the date to the second, because some records of tags have no
// more. A tag without an offset applies to the whole session or track, and comes first.
func (br *requestReader) readTagItem(list string, attributes pcommon.Map, prefix string) stitch.Item {
	offset, timed := integer(attributes, prefix+names.ElementTagOffset)
	if !timed {
		offset = -1
	}
	start := len(br.fields)
	for key, v := range attributes.All() {
		if name, found := strings.CutPrefix(key, prefix); found && name != names.ElementTrackNumber {
			br.appendField(name, v)
		}
	}
	created, _ := integer(attributes, prefix+names.ElementTagCreateDate)
	id := binary.BigEndian.AppendUint64(nil, uint64(created/1000)) //nolint:gosec // the bits of it
	return stitch.Item{
		List: list, At: offset, ID: string(append(id, text(attributes, prefix+names.ElementTagName)...)), Fields: br.fields[start:],
	}
}

// readTag reads a record of a tag. The tag belongs to a track if the record has a track
// number, otherwise to a session.
func (br *requestReader) readTag(attributes pcommon.Map, r *stitch.Record) bool {
	session := text(attributes, names.MediaSenseSessionID)
	if session == "" {
		return false
	}
	list := names.MediaSenseTags
	r.Kind, r.ID = stitch.RecordedSession, session
	if number, ok := trackNumber(attributes, session); ok {
		list = names.MediaSenseTrackTags
		r.Kind = stitch.Track
		if r.ID, ok = stitch.TrackID(session, number); !ok {
			return false
		}
	}
	tag := br.readTagItem(list, attributes, tagPrefix)
	tag.Removed = r.Index == rankTagDeleted
	r.Items = append(r.Items, tag)
	return true
}

// trackNumber returns the track number in a record of a tag.
func trackNumber(attributes pcommon.Map, session string) (number int64, ok bool) {
	if number, ok = integer(attributes, names.MediaSenseTagTrackNumber); ok {
		return number, true
	}
	none, _ := stitch.TrackID(session, 0)
	digits, found := strings.CutPrefix(text(attributes, names.MediaSenseTrackID), strings.TrimSuffix(none, "0"))
	number, err := strconv.ParseInt(digits, 10, 64)
	return number, found && err == nil
}

// stampOfMediaSense returns the ids, and the context if known, for a record of MediaSense that is
// not merged. A record that names several sessions gets none.
func (br *requestReader) stampOfMediaSense(attributes pcommon.Map) (s stitch.Stamp, ok bool) {
	session := text(attributes, names.MediaSenseSessionID)
	if v, exists := attributes.Get(names.MediaSenseSessionIDs); session == "" && exists && v.Type() == pcommon.ValueTypeSlice && v.Slice().Len() == 1 {
		session = v.Slice().At(0).Str()
	}
	if session == "" {
		return s, false
	}
	kind, id := stitch.RecordedSession, session
	if track := text(attributes, names.MediaSenseTrackID); track != "" {
		kind, id = stitch.Track, track
	}
	if ref, found := br.engine.Find(kind, id); found {
		return br.engine.Stamp(ref)
	}
	return stitch.Stamp{Trace: ids.Trace(names.KindSession, session), Span: ids.Span(kind.Name(), id)}, true
}

// mapElements returns the elements of a list that are maps, and counts those that it drops.
func mapElements(attributes pcommon.Map, key string, dropped *int) (maps []pcommon.Map) {
	v, ok := attributes.Get(key)
	if !ok || v.Type() != pcommon.ValueTypeSlice {
		return nil
	}
	for i, element := range v.Slice().All() {
		if i >= maxElements || element.Type() != pcommon.ValueTypeMap {
			*dropped++
			continue
		}
		maps = append(maps, element.Map())
	}
	return maps
}

// integer returns an integer attribute.
func integer(attributes pcommon.Map, key string) (n int64, ok bool) {
	if v, exists := attributes.Get(key); exists && v.Type() == pcommon.ValueTypeInt {
		return v.Int(), true
	}
	return 0, false
}
