// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package wire

import "github.com/legato-otel/legato/cmd/callsim/internal/scenario"

func (e *element) callStart(c scenario.Call) {
	e.open("call", c.ID).is("name", c.Name)
	// A coSpace without an owner shows a blank, not nothing.
	switch {
	case c.Owner != "":
		e.is("ownerName", c.Owner)
	case c.CoSpace != "":
		e.is("ownerName", " ")
	}
	e.is("callType", string(c.Type)).
		has("coSpace", c.CoSpace).
		has("tenant", c.Tenant).
		has("cdrTag", c.Tag).
		is("callCorrelator", c.Correlator).
		boolean("coSpaceMetaDataConfigured", c.MetaData).
		close("call")
}

func (e *element) callEnd(end scenario.CallEnded) {
	e.open("call", end.Call.ID).
		count("callLegsCompleted", end.LegsCompleted).
		count("callLegsMaxActive", end.LegsMaxActive).
		seconds("durationSeconds", end.Duration).
		boolean("endpointRecorded", end.EndpointRecorded).
		close("call")
}

func (e *element) recordingStart(r scenario.Recording) {
	e.open("recording", r.ID).
		has("path", r.Path).
		has("recorderUrl", r.URL).
		has("recorderUri", r.URI).
		is("call", r.Call).
		is("callLeg", r.Leg).
		close("recording")
}

func (e *element) streamingStart(s scenario.Streaming) {
	e.open("streaming", s.ID).
		has("streamUrl", s.StreamURL).
		has("streamerUrl", s.URL).
		has("streamerUri", s.URI).
		is("call", s.Call).
		is("callLeg", s.Leg).
		close("streaming")
}
