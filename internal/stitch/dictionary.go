// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package stitch

import (
	"cmp"
	"slices"
	"strings"

	"github.com/legato-otel/legato/internal/names"
)

// key is the number of an attribute name.
type key uint16

// The names that the engine interprets. Their numbers are valid within this process: stored
// state contains its own dictionary.
const (
	keyCall key = iota
	keyIVR
	keyDeactivated
	keyState
	keyLeg
	keyRecording
	keyStreaming
	keyParticipant
	keySIPCallID
	keyReplaces
	keyMovedLeg
	keyReason
	keyDirection
	keySubType
	keyLyncSubType
	keyIsRecorder
	keyIsStreamer
	keyLegDuration
	keyCallDuration
	keyCorrelator
	keyCallName
	keyCallType
	keyCallTag
	keyCoSpace
	keyTenant
	keyErrorType
	keyRole
	keySetup
	keyIVRSeconds
	keyLobbySeconds

	keyRecordedSession
	keyCCID
	keyNearEnd
	keyController
	keySessionStart
	keySessionDuration
	keySessionState
	keyTrack
	keyTrackStart
	keyTrackDuration
	keyTrackCount
	keyPausedSeconds
	keySilentSeconds

	// Lists, and the fields of their items.
	keyTracks
	keySessionTags
	keyParticipants
	keyTrackTags
	keyTagName
	keyTagType

	// SIP calls.
	keyDialog
	keyDialogResult
	keyDialogSetup
	keyDialogRingDelay
	keyDialogRing
	keyDialogAnswered
	keySIPMethod
	keySIPCode
	keySIPFrom
	keySIPTo
	keySIPFromTag
	keySIPToTag

	// API requests and scheduled meetings.
	keyRequest
	keyAPITrace
	keyMethod
	keyRoute
	keyStatus
	keyAPIDuration
	keyIncomplete
	keyClient
	keyUser
	keySpaceName
	keyNonMembers
	keyLocation
	keyMeeting
	keyStep
	keySteps
	keyElementStep
	keyElementCode

	// Internal lists and their fields (sipcall.go), in the order in which items have room.
	// None of them is an attribute.
	keyMarks
	keyBranches
	keyResponses
	keyInvited
	keyAttempt
	keyCancelled
	keyFinal
	keyFirst
	keyAnswer
	keyBye
	keyByeResponse
	keyLastSeen

	wellKnown
)

func legKey(path string) string  { return names.MeetingServerAttribute("callLeg", path) }
func callKey(path string) string { return names.MeetingServerAttribute("call", path) }

var wellKnownTexts = [wellKnown]string{
	keyCall:         names.CallID,
	keyLeg:          names.CallLegID,
	keyRecording:    names.RecordingID,
	keyStreaming:    names.StreamingID,
	keyIVR:          legKey("ivr"),
	keyDeactivated:  legKey("deactivated"),
	keyState:        legKey("state"),
	keyParticipant:  names.ParticipantID,
	keySIPCallID:    names.SIPCallID,
	keyReplaces:     legKey("replacesSipCallId"),
	keyMovedLeg:     legKey("movedCallLeg"),
	keyReason:       legKey("reason"),
	keyDirection:    legKey("direction"),
	keySubType:      legKey("subType"),
	keyLyncSubType:  legKey("lyncSubType"),
	keyIsRecorder:   legKey("recording"),
	keyIsStreamer:   legKey("streaming"),
	keyLegDuration:  legKey("durationSeconds"),
	keyCallDuration: callKey("durationSeconds"),
	keyCorrelator:   names.CallCorrelator,
	keyCallName:     callKey("name"),
	keyCallType:     callKey("callType"),
	keyCallTag:      callKey("cdrTag"),
	keyCoSpace:      names.CoSpaceID,
	keyTenant:       names.TenantID,
	keyErrorType:    names.ErrorType,
	keyRole:         names.CallLegRole,
	keySetup:        names.CallLegSetupSeconds,
	keyIVRSeconds:   names.CallLegIVRSeconds,
	keyLobbySeconds: names.CallLegLobbySeconds,

	keyRecordedSession: names.MediaSenseSessionID,
	keyCCID:            names.MediaSenseCCID,
	keyNearEnd:         names.MediaSenseNearEnd,
	keyController:      names.MediaSenseController,
	keySessionStart:    names.MediaSenseStartDate,
	keySessionDuration: names.MediaSenseDuration,
	keySessionState:    names.MediaSenseState,
	keyTrack:           names.MediaSenseTrackID,
	keyTrackStart:      names.MediaSenseTrackStartDate,
	keyTrackDuration:   names.MediaSenseTrackDuration,
	keyTrackCount:      names.MediaSenseTrackCount,
	keyPausedSeconds:   names.MediaSensePausedSeconds,
	keySilentSeconds:   names.MediaSenseSilentSeconds,

	keyTracks:       names.MediaSenseTracks,
	keySessionTags:  names.MediaSenseTags,
	keyParticipants: names.MediaSenseTrackParticipants,
	keyTrackTags:    names.MediaSenseTrackTags,
	keyTagName:      names.ElementTagName,
	keyTagType:      names.ElementTagType,

	keyDialog:          names.DialogID,
	keyDialogResult:    names.DialogResult,
	keyDialogSetup:     names.DialogSetupSeconds,
	keyDialogRingDelay: names.DialogRingDelaySeconds,
	keyDialogRing:      names.DialogRingSeconds,
	keyDialogAnswered:  names.DialogAnsweredSeconds,
	keySIPMethod:       names.SIPMethod,
	keySIPCode:         names.SIPCode,
	keySIPFrom:         names.SIPFromURI,
	keySIPTo:           names.SIPToURI,
	keySIPFromTag:      names.SIPFromTag,
	keySIPToTag:        names.SIPToTag,

	keyRequest:     names.APIRequestID,
	keyAPITrace:    names.APITrace,
	keyMethod:      names.HTTPRequestMethod,
	keyRoute:       names.HTTPRoute,
	keyStatus:      names.HTTPResponseStatusCode,
	keyAPIDuration: names.APIDuration,
	keyIncomplete:  names.APIIncomplete,
	keyClient:      names.ClientAddress,
	keyUser:        names.UserName,
	keySpaceName:   names.CoSpaceName,
	keyNonMembers:  names.CoSpaceNonMemberAccess,
	keyLocation:    names.APILocation,
	keyMeeting:     names.ScheduledMeetingID,
	keyStep:        names.ScheduledMeetingStep,
	keySteps:       names.ScheduledMeetingSteps,
	keyElementStep: names.ElementStep,
	keyElementCode: names.ElementCode,

	keyMarks:       "sip/marks",
	keyBranches:    "sip/branches",
	keyResponses:   "sip/responses",
	keyInvited:     "sip/invited",
	keyAttempt:     "sip/attempt",
	keyCancelled:   "sip/cancelled",
	keyFinal:       "sip/final",
	keyFirst:       "sip/first",
	keyAnswer:      "sip/answer",
	keyBye:         "sip/bye",
	keyByeResponse: "sip/bye_response",
	keyLastSeen:    "sip/heard",
}

// keepsHistory reports whether the object keeps all values of the attribute, not only the
// newest. These attributes tell where a leg was at which time.
func (k key) keepsHistory() bool { return k < historyKeys }

const historyKeys = keyLeg

// ofContext reports whether the attribute of a call or a session is added to the records of
// its objects.
func (k key) ofContext() bool {
	switch k {
	case keyCallName, keyCallType, keyCallTag, keyCorrelator, keyCoSpace, keyTenant, keyCCID, keySessionStart:
		return true
	default:
		return false
	}
}

// maxKeys bounds the dictionary, because senders may invent element names without end.
// Stitched records lack the attributes beyond it.
const maxKeys = 4096

// dictionary numbers attribute names in order of first use.
type dictionary struct {
	keys  map[string]key
	texts []string
	// successor is, for each key, the key that last followed it in a record of each phase. Most
	// records of a phase have their attributes in the same order.
	successor [][phases]key
	// position is the index of each key in text order; sortedKeys lists the keys in text order.
	position   []uint16
	sortedKeys []key
	written    int // how many are in the journal
}

func newDictionary() dictionary {
	d := dictionary{keys: make(map[string]key, 2*wellKnown)}
	for _, text := range wellKnownTexts {
		d.add(text)
	}
	return d
}

// keyAfter returns the key of a name that follows another key in a record of a phase. It tries
// the remembered successor before the map.
func (d *dictionary) keyAfter(in Phase, previous key, text string) (k key, ok bool) {
	if k = d.successor[previous][in]; d.texts[k] == text {
		return k, true
	}
	if k, ok = d.keyOf(text); ok {
		d.successor[previous][in] = k
	}
	return k, ok
}

// keyOf returns the key of a name, and adds an unknown name; ok is false if the dictionary is
// full.
func (d *dictionary) keyOf(text string) (k key, ok bool) {
	if k, ok = d.keys[text]; ok {
		return k, true
	}
	if len(d.texts) == maxKeys {
		return 0, false
	}
	return d.add(strings.Clone(text)), true
}

func (d *dictionary) add(text string) key {
	k := key(len(d.texts)) //nolint:gosec // below maxKeys
	d.keys[text] = k
	d.texts = append(d.texts, text)
	d.successor = append(d.successor, [phases]key{})
	return k
}

// sortKeys updates position and sortedKeys.
func (d *dictionary) sortKeys() {
	if len(d.sortedKeys) == len(d.texts) {
		return
	}
	for k := key(len(d.sortedKeys)); int(k) < len(d.texts); k++ { //nolint:gosec // below maxKeys
		d.sortedKeys = append(d.sortedKeys, k)
	}
	slices.SortFunc(d.sortedKeys, func(a, b key) int { return cmp.Compare(d.texts[a], d.texts[b]) })
	d.position = slices.Grow(d.position[:0], len(d.texts))[:len(d.texts)]
	for position, k := range d.sortedKeys {
		d.position[k] = uint16(position)
	}
}
