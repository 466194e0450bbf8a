// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package wire

import (
	"time"

	"github.com/legato-otel/legato/cmd/callsim/internal/scenario"
)

// Record is one call detail record without its place in a session.
type Record struct {
	Type string
	Time time.Time
	// Entity is the XML of the object the record is about.
	Entity []byte
}

// Encode returns the record a bridge writes for an event; ok is false for an
// event that leaves no record.
func Encode(ev scenario.Event) (rec Record, ok bool) {
	var e element
	switch payload := ev.Payload.(type) {
	case scenario.CallStarted:
		rec.Type = "callStart"
		e.callStart(payload.Call)
	case scenario.CallEnded:
		rec.Type = "callEnd"
		e.callEnd(payload)
	case scenario.LegStarted:
		rec.Type = "callLegStart"
		e.legStart(payload.Leg)
	case scenario.LegChanged:
		rec.Type = "callLegUpdate"
		e.legUpdate(payload)
	case scenario.LegEnded:
		rec.Type = "callLegEnd"
		e.legEnd(payload)
	case scenario.RecordingStarted:
		rec.Type = "recordingStart"
		e.recordingStart(payload.Recording)
	case scenario.RecordingEnded:
		rec.Type = "recordingEnd"
		e.open("recording", payload.Recording.ID).close("recording")
	case scenario.StreamingStarted:
		rec.Type = "streamingStart"
		e.streamingStart(payload.Streaming)
	case scenario.StreamingEnded:
		rec.Type = "streamingEnd"
		e.selfClosed("streaming", payload.Streaming.ID)
	default:
		return Record{}, false
	}
	rec.Time, rec.Entity = ev.Time, e.text
	return rec, true
}
