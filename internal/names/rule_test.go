// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package names

import (
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestSnake(t *testing.T) {
	f := func(in, want string) {
		t.Helper()
		assert.Equal(t, want, Snake(in), "%q", in)
	}
	f("", "")
	f("name", "name")
	f("rxAudio", "rx_audio")
	f("callLegsMaxActive", "call_legs_max_active")
	f("coSpaceMetaDataConfigured", "co_space_meta_data_configured")
	f("movedCallLegCallBridge", "moved_call_leg_call_bridge")
	f("maxSizeWidth", "max_size_width")
	f("numPrecedingRecordsMissing", "num_preceding_records_missing")
	// Abbreviations are one word.
	f("groupID", "group_id")
	f("recorderURL", "recorder_url")
	f("SIPCallId", "sip_call_id")
	f("rxRTPStats", "rx_rtp_stats")
	f("X", "x")
	f("XY", "xy")
	// Other than lower camel case.
	f("CallLeg", "call_leg")
	f("h264Lync", "h264_lync")
	f("already_snake", "already_snake")
	f("half_Snake", "half_snake")
	f("a1B2", "a1_b2")
	f("方向", "方向")
	f("rx方向Audio", "rx方向_audio")
	f("x-y.z", "x-y.z")
}

// Any element of a later release gets a lower-case snake-case name, and applying the rule
// again changes nothing.
func TestSnakeIsIdempotentAndLowerCase(t *testing.T) {
	const alphabet = "abzABZ09_"
	random := rand.New(rand.NewPCG(1, 1))
	for range 20_000 {
		name := make([]byte, random.IntN(12))
		for i := range name {
			name[i] = alphabet[random.IntN(len(alphabet))]
		}
		got := Snake(string(name))
		require.Equal(t, strings.ToLower(got), got, "%s", name)
		require.Equal(t, got, Snake(got), "%s", name)
		require.Equal(t, strings.ToLower(strings.ReplaceAll(string(name), "_", "")), strings.ReplaceAll(got, "_", ""))
	}
}

func TestAttribute(t *testing.T) {
	f := func(path, want string) {
		t.Helper()
		assert.Equal(t, want, Attribute("p.q", path), "%q", path)
	}
	f("name", "p.q.name")
	f("rxAudio/packetStatistics/packetLossBursts/duration", "p.q.rx_audio.packet_statistics.packet_loss_bursts.duration")
	f("@flavour", "p.q.flavour")
	f("futureThing/@someKind", "p.q.future_thing.some_kind")
}

func TestMeetingServerAttribute(t *testing.T) {
	f := func(element, path, want string) {
		t.Helper()
		assert.Equal(t, want, MeetingServerAttribute(element, path), "%s %q", element, path)
	}
	// The rule.
	f("callLeg", "rxAudio/packetStatistics/packetLossBursts/duration",
		"cisco.meeting_server.call_leg.rx_audio.packet_statistics.packet_loss_bursts.duration")
	f("call", "callType", "cisco.meeting_server.call.call_type")
	f("callLeg", "movedCallLeg", "cisco.meeting_server.call_leg.moved_call_leg")
	f("callLeg", "movedCallLegCallBridge", "cisco.meeting_server.call_leg.moved_call_leg_call_bridge")
	f("callLeg", "replacesSipCallId", "cisco.meeting_server.call_leg.replaces_sip_call_id")
	f("recording", "recorderUri", "cisco.meeting_server.recording.recorder_uri")
	f("streaming", "streamUrl", "cisco.meeting_server.streaming.stream_url")
	f("callLeg", "@flavour", "cisco.meeting_server.call_leg.flavour")
	f("transcript", "language", "cisco.meeting_server.transcript.language")

	// The exceptions, in any object.
	for _, element := range []string{"call", "callLeg", "recording", "streaming", "transcript"} {
		f(element, "call", "cisco.meeting_server.call.id")
		f(element, "callLeg", "cisco.meeting_server.call_leg.id")
		f(element, "coSpace", "cisco.meeting_server.cospace.id")
		f(element, "tenant", "cisco.meeting_server.tenant.id")
		f(element, "callCorrelator", "cisco.meeting_server.call.correlator")
		f(element, "sipCallId", "sip.call_id")
		f(element, "groupId", "cisco.meeting_server.participant.id")
	}
	// Exceptions apply directly below the object only.
	f("callLeg", "futureThing/call", "cisco.meeting_server.call_leg.future_thing.call")
	f("callLeg", "@call", "cisco.meeting_server.call_leg.call")

	// Attributes of the record or the body.
	f("callLeg", "record/@region", "cisco.meeting_server.record.region")
	f("", "records/@schemaVersion", "cisco.meeting_server.records.schema_version")
	f("callLeg", "recording", "cisco.meeting_server.call_leg.recording")
	f("transcript", "", "cisco.meeting_server.transcript.text")
}

func TestIDsOfObjects(t *testing.T) {
	for element, id := range map[string]string{
		"call": CallID, "callLeg": CallLegID, "recording": RecordingID, "streaming": StreamingID,
	} {
		assert.Equal(t, id, MeetingServerAttribute(element, "@id"))
	}
	assert.Equal(t, RecordNumPrecedingMissing, MeetingServerAttribute("", "record/@numPrecedingRecordsMissing"))
}
