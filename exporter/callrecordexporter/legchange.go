// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package callrecordexporter

import (
	"encoding/hex"
	"strings"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/legato-otel/legato/internal/archive/store"
	"github.com/legato-otel/legato/internal/names"
)

// legChangeKinds are the events about participants of the receiver of events.
var legChangeKinds = map[string]store.LegChangeKind{
	names.EventEventParticipantAdd:    store.LegAdded,
	names.EventEventParticipantUpdate: store.LegUpdated,
	names.EventEventParticipantRemove: store.LegRemoved,
}

// legElement is an element of a participant that has a column.
type legElement struct {
	column string
	field  func(*store.LegState) any
}

func participantKey(element string) string {
	return names.MeetingServerAttribute("participant", element)
}

var legElements = map[string]legElement{
	participantKey("state"):             {"state", func(s *store.LegState) any { return &s.State }},
	participantKey("audioMuted"):        {"audio_muted", func(s *store.LegState) any { return &s.AudioMuted }},
	participantKey("videoMuted"):        {"video_muted", func(s *store.LegState) any { return &s.VideoMuted }},
	participantKey("presenter"):         {"presenting", func(s *store.LegState) any { return &s.Presenting }},
	participantKey("activeSpeaker"):     {"active_speaker", func(s *store.LegState) any { return &s.ActiveSpeaker }},
	participantKey("endpointRecording"): {"endpoint_recording", func(s *store.LegState) any { return &s.EndpointRecording }},
	participantKey("layout"):            {"layout", func(s *store.LegState) any { return &s.Layout }},
}

// addLegChange makes a change of a participant's state of an event. An update that has
// none of the elements that are stored changes nothing, and is skipped.
func (c *converter) addLegChange(lr plog.LogRecord, _ store.Phase) bool {
	attributes := lr.Attributes()
	id, ok := attributes.Get(names.ParticipantID)
	if !ok || id.Type() != pcommon.ValueTypeStr {
		return false
	}
	change := store.LegChange{Kind: legChangeKinds[lr.EventName()]}
	change.ID = lower(clean(id.Str()))
	if change.ID == "" || len(change.ID) > maxID {
		return false
	}
	change.At = exactTimeOf(lr)
	if span := lr.SpanID(); !span.IsEmpty() {
		change.LegSpanID = hex.EncodeToString(span[:])
	}
	if change.Kind != store.LegRemoved {
		setElements(attributes, &change)
	}
	if change.Kind == store.LegUpdated && len(change.Elements) == 0 {
		c.counts.rows--
		c.counts.skipped++
		return true
	}
	c.batch.LegChanges = append(c.batch.LegChanges, change)
	return true
}

// setElements reads the elements of an event. An empty value unsets the element; one
// that the column cannot hold leaves it as it was.
func setElements(attributes pcommon.Map, change *store.LegChange) {
	for key, value := range attributes.All() {
		element, has := legElements[key]
		if !has {
			continue
		}
		field := element.field(&change.LegState)
		if value.Type() != pcommon.ValueTypeEmpty && !setElement(field, value) {
			continue
		}
		change.Elements = append(change.Elements, element.column)
	}
}

// setElement writes a value into a field. The endpoint's recording is "active" or
// "inactive" on the wire.
func setElement(field any, value pcommon.Value) bool {
	if to, ok := field.(**bool); ok && value.Type() == pcommon.ValueTypeStr {
		switch strings.ToLower(value.Str()) {
		case "active":
			*to = new(true)
			return true
		case "inactive":
			*to = new(false)
			return true
		}
	}
	return set(field, value)
}
