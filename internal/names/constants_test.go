// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package names

import (
	"go/ast"
	"go/constant"
	"go/parser"
	"go/token"
	"go/types"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// constants returns all exported constants of the package by name, read from
// the source, so that a new one cannot be forgotten here. Files that import
// something hold rules, not constants.
func constants(t *testing.T) map[string]string {
	t.Helper()
	paths, err := filepath.Glob("*.go")
	require.NoError(t, err)
	var (
		set   = token.NewFileSet()
		files []*ast.File
	)
	for _, path := range paths {
		file, err := parser.ParseFile(set, path, nil, 0)
		require.NoError(t, err)
		if len(file.Imports) == 0 && !strings.HasSuffix(path, "_test.go") {
			files = append(files, file)
		}
	}
	checked, err := new(types.Config).Check("names", set, files, nil)
	require.NoError(t, err)
	all := make(map[string]string)
	for _, name := range checked.Scope().Names() {
		if c, ok := checked.Scope().Lookup(name).(*types.Const); ok && c.Exported() {
			all[name] = constant.StringVal(c.Val())
		}
	}
	require.Greater(t, len(all), 60)
	return all
}

// groupOf returns one of the four groups of names. Names are unique within a group only: an
// attribute may share the name of a metric.
func groupOf(name string) string {
	for _, group := range []string{"Event", "Metric", "Key"} {
		if strings.HasPrefix(name, group) {
			return group
		}
	}
	return "Attribute"
}

// notNames are constants that are values, not names.
var notNames = map[string]bool{"Other": true, "OCMS": true, "MeetingServerService": true, "MeetingServer": true, "MediaSense": true, "MediaSenseService": true, "OCMSServiceName": true}

func TestConstantsAreUnique(t *testing.T) {
	seen := make(map[string]string)
	for name, text := range constants(t) {
		key := groupOf(name) + " " + text
		assert.Empty(t, seen[key], "%s is %q as well", name, text)
		seen[key] = name
	}
}

var wellFormed = regexp.MustCompile(`^[a-z][a-z0-9]*(_[a-z0-9]+)*(\.[a-z][a-z0-9]*(_[a-z0-9]+)*)*$`)

func TestNamesAreLowerSnakeCase(t *testing.T) {
	for name, text := range constants(t) {
		if !notNames[name] {
			assert.Regexp(t, wellFormed, text, "%s", name)
		}
	}
}

// systems are the prefixes of all that is not OpenTelemetry's own.
var systems = regexp.MustCompile(`^(cisco\.meeting_server|cisco\.mediasense|oracle\.ocms)\.`)

func TestMetricNames(t *testing.T) {
	for name, text := range constants(t) {
		if groupOf(name) != "Metric" {
			continue
		}
		assert.Regexp(t, systems, text, "%s", name)
		for _, suffix := range []string{"_total", ".total", "_seconds", ".seconds", "_ratio", "_percentage"} {
			assert.False(t, strings.HasSuffix(text, suffix), "%s = %q: type and unit are not part of a name", name, text)
		}
	}
}

func TestEventNames(t *testing.T) {
	for name, text := range constants(t) {
		if groupOf(name) == "Event" {
			assert.Regexp(t, systems, text, "%s", name)
			assert.GreaterOrEqual(t, strings.Count(text, "."), 2, "%s = %q", name, text)
		}
	}
}

// The names users build dashboards and queries on: a change of one of these is
// a breaking change.
func TestPublishedNames(t *testing.T) {
	want := map[string]string{
		"ServiceName": "service.name", "ServiceInstanceID": "service.instance.id", "ClientAddress": "client.address",
		"MeetingServerService": "cisco-meeting-server",
		"SessionID":            "cisco.meeting_server.session.id",
		"CallBridgeID":         "cisco.meeting_server.call_bridge.id",
		"SystemID":             "cisco.meeting_server.system.id",
		"Cluster":              "cisco.meeting_server.cluster",
		"CallID":               "cisco.meeting_server.call.id",
		"CallLegID":            "cisco.meeting_server.call_leg.id",
		"RecordingID":          "cisco.meeting_server.recording.id",
		"StreamingID":          "cisco.meeting_server.streaming.id",
		"CoSpaceID":            "cisco.meeting_server.cospace.id",
		"TenantID":             "cisco.meeting_server.tenant.id",
		"ParticipantID":        "cisco.meeting_server.participant.id",
		"CallCorrelator":       "cisco.meeting_server.call.correlator",
		"SIPCallID":            "sip.call_id",
		"ErrorType":            "error.type",
		"RecordIndex":          "cisco.meeting_server.record.index",
		"RecordLegacyIndex":    "cisco.meeting_server.record.legacy_index",
		"CallLegAlarm":         "cisco.meeting_server.call_leg.alarm",
		"EventRecordGap":       "cisco.meeting_server.record.gap",
		"EventRecordMalformed": "cisco.meeting_server.record.malformed",
		"EventSessionStart":    "cisco.meeting_server.session.start",

		"EventConferenceUpdate":     "cisco.meeting_server.conference.update",
		"ConferencePreviousTraceID": "cisco.meeting_server.conference.previous_trace_id",
	}
	got := constants(t)
	for name, text := range want {
		assert.Equal(t, text, got[name], "%s", name)
	}
	metrics := []string{
		"call.started", "call.ended", "call.duration", "call.legs.max", "call_leg.started", "call_leg.ended",
		"call_leg.duration", "call_leg.activated_duration", "call_leg.alarm", "call_leg.alarm.ratio",
		"call_leg.packet_loss.burst.duration", "call_leg.packet_loss.burst.density",
		"call_leg.packet_loss.gap.duration", "call_leg.packet_loss.gap.density", "call_leg.media", "call_leg.encryption",
		"recording.started", "recording.ended", "streaming.started", "streaming.ended", "record.missing",
	}
	held := make(map[string]bool)
	for name, text := range got {
		if groupOf(name) == "Metric" {
			held[strings.TrimPrefix(text, MeetingServer+".")] = true
		}
	}
	for _, metric := range metrics {
		assert.True(t, held[metric], "%s", metric)
	}
	for _, object := range []string{"call", "call_leg", "recording", "streaming"} {
		assert.Contains(t, values(got), MeetingServer+"."+object+".start")
		assert.Contains(t, values(got), MeetingServer+"."+object+".end")
	}
}

func values(m map[string]string) (all []string) {
	for _, text := range m {
		all = append(all, text)
	}
	return all
}
