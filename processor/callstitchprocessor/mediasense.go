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

// MediaSense numbers no records. Their type decides which one counts, not their time: a tag's
// records have one date whether the tag is added or deleted, and the last record of a session
// is complete.
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

// readSession reads a record of a session. Its tags become items, its tracks parts of the
// record.
func (in *batchReader) readSession(attributes pcommon.Map, r *stitch.Record) bool {
	if r.ID = text(attributes, names.MediaSenseSessionID); r.ID == "" {
		return false
	}
	for key, v := range attributes.All() {
		switch key {
		case names.MediaSenseSessionID, names.MediaSenseForwarded, names.MediaSenseEventType, names.MediaSenseEventAction:
			// It is the id, or describes only the event.
		case names.MediaSenseTracks, names.MediaSenseTags:
			if v.Type() == pcommon.ValueTypeSlice {
				continue // read below
			}
			fallthrough
		default:
			in.appendField(key, v)
		}
	}
	tracks := elements(attributes, names.MediaSenseTracks, &r.Dropped)
	if text(attributes, names.MediaSenseCCID) == "" && text(attributes, names.MediaSenseControllerType) != gateway {
		if reference := nearEnd(tracks); reference != "" {
			in.fields = append(in.fields, stitch.Field{Key: names.MediaSenseNearEnd, Value: stitch.Text(reference)})
		}
	}
	r.Fields = in.fields
	for _, tag := range elements(attributes, names.MediaSenseTags, &r.Dropped) {
		r.Items = append(r.Items, in.tag(names.MediaSenseTags, tag, ""))
	}
	for _, track := range tracks {
		number, numbered := integer(track, names.ElementTrackNumber)
		id, ok := stitch.TrackID(r.ID, number)
		if !numbered || !ok { // without a number it could be merged into another track
			r.Dropped++
			continue
		}
		r.Items = append(r.Items, stitch.Item{List: names.MediaSenseTracks, At: number})
		r.Parts = append(r.Parts, in.track(id, track, &r.Dropped))
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
		for _, participant := range elements(track, names.ElementParticipants, &ignored) {
			one := text(participant, names.ElementXRefCI)
			if one == "" || strings.Trim(one, "0123456789") != "" {
				continue
			}
			since, _ := integer(participant, names.ElementParticipantStart)
			if reference == "" || since < first || since == first && one < reference {
				reference, first = one, since
			}
		}
	}
	return reference
}

// track reads a track from a record of its session.
func (in *batchReader) track(id string, track pcommon.Map, dropped *int) stitch.Part {
	p := stitch.Part{Kind: stitch.Track, ID: id}
	start := len(in.fields)
	for key, v := range track.All() {
		if v.Type() == pcommon.ValueTypeSlice && (key == names.ElementParticipants || key == names.ElementTags) {
			continue // read below
		}
		in.appendField(trackPrefix+key, v)
	}
	p.Fields = in.fields[start:]
	for _, participant := range elements(track, names.ElementParticipants, dropped) {
		p.Items = append(p.Items, in.participant(participant))
	}
	for _, tag := range elements(track, names.ElementTags, dropped) {
		p.Items = append(p.Items, in.tag(names.MediaSenseTrackTags, tag, ""))
	}
	return p
}

// participant reads a participant of a track. Start and reference identify it across records;
// only the first record has the device.
func (in *batchReader) participant(participant pcommon.Map) stitch.Item {
	since, _ := integer(participant, names.ElementParticipantStart)
	reference := text(participant, names.ElementXRefCI)
	if reference == "" {
		reference = text(participant, names.ElementDeviceRef)
	}
	start := len(in.fields)
	for key, v := range participant.All() {
		in.appendField(key, v)
	}
	return stitch.Item{List: names.MediaSenseTrackParticipants, At: since, ID: reference, Fields: in.fields[start:]}
}

// tag reads a tag from the attributes that begin with a prefix. Name, offset and date identify
// it across records; the date to the second, because some records of tags have no more. A tag
// without an offset applies to the whole, and comes first.
func (in *batchReader) tag(list string, attributes pcommon.Map, prefix string) stitch.Item {
	offset, timed := integer(attributes, prefix+names.ElementTagOffset)
	if !timed {
		offset = -1
	}
	start := len(in.fields)
	for key, v := range attributes.All() {
		if name, found := strings.CutPrefix(key, prefix); found && name != names.ElementTrackNumber {
			in.appendField(name, v)
		}
	}
	created, _ := integer(attributes, prefix+names.ElementTagCreateDate)
	id := binary.BigEndian.AppendUint64(nil, uint64(created/1000)) //nolint:gosec // the bits of it
	return stitch.Item{
		List: list, At: offset, ID: string(append(id, text(attributes, prefix+names.ElementTagName)...)), Fields: in.fields[start:],
	}
}

// readTag reads a record of a tag. The tag belongs to a track if the record has a track
// number, otherwise to a session.
func (in *batchReader) readTag(attributes pcommon.Map, r *stitch.Record) bool {
	session := text(attributes, names.MediaSenseSessionID)
	if session == "" {
		return false
	}
	list := names.MediaSenseTags
	r.Kind, r.ID = stitch.Session, session
	if number, ok := trackNumber(attributes, session); ok {
		list = names.MediaSenseTrackTags
		r.Kind = stitch.Track
		if r.ID, ok = stitch.TrackID(session, number); !ok {
			return false
		}
	}
	tag := in.tag(list, attributes, tagPrefix)
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

// recordedStamp returns the ids, and the context if known, for a record of MediaSense that is
// not merged. A record that names several sessions gets none.
func (in *batchReader) recordedStamp(attributes pcommon.Map) (known stitch.Stamp, ok bool) {
	session := text(attributes, names.MediaSenseSessionID)
	if v, exists := attributes.Get(names.MediaSenseSessionIDs); session == "" && exists && v.Type() == pcommon.ValueTypeSlice && v.Slice().Len() == 1 {
		session = v.Slice().At(0).Str()
	}
	if session == "" {
		return known, false
	}
	kind, id := stitch.Session, session
	if track := text(attributes, names.MediaSenseTrackID); track != "" {
		kind, id = stitch.Track, track
	}
	if ref, found := in.engine.Find(kind, id); found {
		return in.engine.Stamp(ref)
	}
	return stitch.Stamp{Trace: ids.Trace(names.KindSession, session), Span: ids.Span(kind.Name(), id)}, true
}

// elements returns the maps of a list, and counts what it drops.
func elements(attributes pcommon.Map, key string, dropped *int) (maps []pcommon.Map) {
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
