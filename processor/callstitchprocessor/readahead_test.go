// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package callstitchprocessor

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/legato-otel/legato/internal/names"
	"github.com/legato-otel/legato/internal/stitch"
)

func TestReadCallDetailRecord(t *testing.T) {
	const attribute = "cisco.meeting_server.recording.path"
	for _, c := range []struct {
		name       string
		attributes map[string]any
		id         string
		index      uint64
		fields     []stitch.Field
	}{
		{"no attributes", nil, "", 0, nil},
		{"id, index and an attribute", map[string]any{names.CallLegID: "leg", names.RecordIndex: 7, attribute: "x"}, "leg", 7, []stitch.Field{{Key: attribute, Value: stitch.Text("x")}}},
		{"the id of another object is an attribute", map[string]any{names.CallID: "call"}, "", 0, []stitch.Field{{Key: names.CallID, Value: stitch.Text("call")}}},
		{"an id that is no text", map[string]any{names.CallLegID: 7}, "", 0, nil},
		{"attributes of the record", map[string]any{recordPrefix + "time": "x", recordPrefix: "y"}, "", 0, nil},
		{"almost an attribute of the record", map[string]any{"cisco.meeting_server.record": 1, "cisco.meeting_server.recor..": 1}, "", 0, []stitch.Field{{Key: "cisco.meeting_server.recor..", Value: stitch.Int(1)}, {Key: "cisco.meeting_server.record", Value: stitch.Int(1)}}},
		{"legacy index alone", map[string]any{names.RecordLegacyIndex: 5}, "", 5, nil},
		{"both indexes", map[string]any{names.RecordLegacyIndex: 5, names.RecordIndex: 6}, "", 6, nil},
		{"an index that is no number hides the legacy one", map[string]any{names.RecordLegacyIndex: 5, names.RecordIndex: "6"}, "", 0, nil},
		{"a negative index", map[string]any{names.RecordIndex: -1}, "", 0, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			attributes := pcommon.NewMap()
			require.NoError(t, attributes.FromRaw(c.attributes))
			var a readAhead
			id, index := a.readCallDetailRecord(attributes, stitch.CallLeg)
			assert.Equal(t, c.id, id)
			assert.Equal(t, c.index, index)
			assert.ElementsMatch(t, c.fields, a.fields)
		})
	}
}
