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

// vocabulary is the documented set of an enumeration, in upper case. It is what
// keeps wire text from making time series.
type vocabulary map[string]bool

// bound returns the documented spelling of text, in any case of letters,
// names.Other for what is not documented and "" for "".
func (v vocabulary) bound(text string) string {
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

// actions are the labels of what happened.
var actions = [event.TypeCount]string{
	event.TagAdded: "added", event.TagUpdated: "updated", event.TagDeleted: "deleted",
	event.EnterLow: "enter_low", event.ExitLow: "exit_low",
	event.EnterCritical: "enter_critical", event.ExitCritical: "exit_critical",
	event.EnterEmergency: "enter_emergency", event.ExitEmergency: "exit_emergency",
}

// mediaType is what a session records: video if any of its tracks is, "" if it
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

// labels are attributes without those that are "".
func labels(pairs ...pair) metric.MeasurementOption {
	attributes := make([]attribute.KeyValue, 0, len(pairs))
	for _, p := range pairs {
		if p.value != "" {
			attributes = append(attributes, attribute.String(p.key, p.value))
		}
	}
	return metric.WithAttributeSet(attribute.NewSet(attributes...))
}
