// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package mediasensereceiver

import (
	"strings"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"

	"github.com/legato-otel/legato/internal/mediasense/event"
	"github.com/legato-otel/legato/internal/names"
)

// vocabulary is the set of documented values of an enumeration, in upper case. It bounds the
// label values: received text never becomes a label.
type vocabulary map[string]bool

// label returns the documented spelling of text, names.Other for other text and "" for "".
// The case of letters does not matter.
func (v vocabulary) label(text string) string {
	if text == "" {
		return ""
	}
	if upper := strings.ToUpper(text); v[upper] {
		return upper
	}
	return names.Other
}

var (
	sessionStates = vocabulary{"ACTIVE": true, "CLOSED_NORMAL": true, "CLOSED_ERROR": true, "DELETED": true}
	tagTypes      = vocabulary{"SYSTEM_DEFINED": true, "USER_DEFINED": true}
)

// actions are the values of the label action.
var actions = [event.TypeCount]string{
	event.TagAdded: "added", event.TagUpdated: "updated", event.TagDeleted: "deleted",
	event.EnterLow: "enter_low", event.ExitLow: "exit_low",
	event.EnterCritical: "enter_critical", event.ExitCritical: "exit_critical",
	event.EnterEmergency: "enter_emergency", event.ExitEmergency: "exit_emergency",
}

// mediaType returns the media type of a session: video if one of its tracks is video, "" if it
// has no tracks.
func mediaType(e *event.Event) (media string) {
	tracks := e.Items(event.Tracks)
	for i := range tracks {
		text, _ := tracks[i].Member(event.TrackMediaType)
		switch {
		case strings.EqualFold(text.Text, "VIDEO"):
			return "video"
		case strings.EqualFold(text.Text, "AUDIO"):
			media = "audio"
		case media == "" && text.Text != "":
			media = names.Other
		}
	}
	return media
}

// attributesOf returns the labels with a value.
func attributesOf(pairs ...pair) metric.MeasurementOption {
	attributes := make([]attribute.KeyValue, 0, len(pairs))
	for _, p := range pairs {
		if p.value != "" {
			attributes = append(attributes, attribute.String(p.key, p.value))
		}
	}
	return metric.WithAttributeSet(attribute.NewSet(attributes...))
}
