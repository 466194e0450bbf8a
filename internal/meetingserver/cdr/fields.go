// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package cdr

// FieldID names a documented field of an object. The same id serves all record
// types of the object: a leg's sipCallId is CallLegSIPCallID in start, update
// and end.
type FieldID uint8

// Unknown is the id of an undocumented field.
const Unknown FieldID = 0

// The fields of the guide's section 4, as text, id, bool, count, second, per
// cent or pixel: see [Documented] for path and kind.
const (
	_ FieldID = iota

	CallName
	CallOwnerName
	CallCallType
	CallCoSpace
	CallTenant
	CallCdrTag
	CallCallCorrelator
	CallCoSpaceMetaDataConfigured
	CallCallLegsCompleted
	CallCallLegsMaxActive
	CallDurationSeconds
	CallEndpointRecorded

	CallLegRemoteParty
	CallLegOriginalRemoteParty
	CallLegLocalAddress
	CallLegDisplayName
	CallLegRemoteAddress
	CallLegType
	CallLegSubType
	CallLegLyncSubType
	CallLegDirection
	CallLegCall
	CallLegIvr
	CallLegGroupID
	CallLegSIPCallID
	CallLegReplacesSIPCallID
	CallLegOwnerID
	CallLegCdrTag
	CallLegGuestConnection
	CallLegRecording
	CallLegStreaming
	CallLegCanMove
	CallLegMovedCallLeg
	CallLegMovedCallLegCallBridge
	CallLegConfirmationStatus
	CallLegState
	CallLegDeactivated
	CallLegReason
	CallLegReasonDetails
	CallLegRemoteTeardown
	CallLegDurationSeconds
	CallLegActivatedDuration
	CallLegMainVideoViewer
	CallLegMainVideoContributor
	CallLegPresentationViewer
	CallLegPresentationContributor
	CallLegMultistreamVideo
	CallLegMaxScreens
	CallLegEncryptedMedia
	CallLegUnencryptedMedia
	CallLegAlarmType
	CallLegAlarmDurationPercentage
	CallLegAlarmTypeElement
	CallLegAlarmDurationPercentageElement

	// The four media blocks have the same seven fields in the same order.
	CallLegRxAudioCodec
	CallLegRxAudioMaxSizeWidth
	CallLegRxAudioMaxSizeHeight
	CallLegRxAudioBurstDuration
	CallLegRxAudioBurstDensity
	CallLegRxAudioGapDuration
	CallLegRxAudioGapDensity
	CallLegTxAudioCodec
	CallLegTxAudioMaxSizeWidth
	CallLegTxAudioMaxSizeHeight
	CallLegTxAudioBurstDuration
	CallLegTxAudioBurstDensity
	CallLegTxAudioGapDuration
	CallLegTxAudioGapDensity
	CallLegRxVideoCodec
	CallLegRxVideoMaxSizeWidth
	CallLegRxVideoMaxSizeHeight
	CallLegRxVideoBurstDuration
	CallLegRxVideoBurstDensity
	CallLegRxVideoGapDuration
	CallLegRxVideoGapDensity
	CallLegTxVideoCodec
	CallLegTxVideoMaxSizeWidth
	CallLegTxVideoMaxSizeHeight
	CallLegTxVideoBurstDuration
	CallLegTxVideoBurstDensity
	CallLegTxVideoGapDuration
	CallLegTxVideoGapDensity

	RecordingPath
	RecordingRecorderURL
	RecordingRecorderURI
	RecordingCall
	RecordingCallLeg

	StreamingStreamURL
	StreamingStreamerURL
	StreamingStreamerURI
	StreamingCall
	StreamingCallLeg

	// FieldCount is one above the largest id.
	FieldCount
)

// Definition is the position and the kind of a field.
type Definition struct {
	Object Object
	// Path below the object's element; attributes as "@name".
	Path string
	Kind Kind
}

// Documented returns the definition of a documented field.
func Documented(id FieldID) Definition { return definitions[id] }

var definitions = func() (d [FieldCount]Definition) {
	d = [FieldCount]Definition{
		CallName:                      {Call, "name", KindText},
		CallOwnerName:                 {Call, "ownerName", KindText},
		CallCallType:                  {Call, "callType", KindText},
		CallCoSpace:                   {Call, "coSpace", KindID},
		CallTenant:                    {Call, "tenant", KindID},
		CallCdrTag:                    {Call, "cdrTag", KindText},
		CallCallCorrelator:            {Call, "callCorrelator", KindID},
		CallCoSpaceMetaDataConfigured: {Call, "coSpaceMetaDataConfigured", KindBool},
		CallCallLegsCompleted:         {Call, "callLegsCompleted", KindInt},
		CallCallLegsMaxActive:         {Call, "callLegsMaxActive", KindInt},
		CallDurationSeconds:           {Call, "durationSeconds", KindDouble},
		CallEndpointRecorded:          {Call, "endpointRecorded", KindBool},

		CallLegRemoteParty:             {CallLeg, "remoteParty", KindText},
		CallLegOriginalRemoteParty:     {CallLeg, "originalRemoteParty", KindText},
		CallLegLocalAddress:            {CallLeg, "localAddress", KindText},
		CallLegDisplayName:             {CallLeg, "displayName", KindText},
		CallLegRemoteAddress:           {CallLeg, "remoteAddress", KindText},
		CallLegType:                    {CallLeg, "type", KindText},
		CallLegSubType:                 {CallLeg, "subType", KindText},
		CallLegLyncSubType:             {CallLeg, "lyncSubType", KindText},
		CallLegDirection:               {CallLeg, "direction", KindText},
		CallLegCall:                    {CallLeg, "call", KindID},
		CallLegIvr:                     {CallLeg, "ivr", KindText},
		CallLegGroupID:                 {CallLeg, "groupId", KindID},
		CallLegSIPCallID:               {CallLeg, "sipCallId", KindText},
		CallLegReplacesSIPCallID:       {CallLeg, "replacesSipCallId", KindText},
		CallLegOwnerID:                 {CallLeg, "ownerId", KindText},
		CallLegCdrTag:                  {CallLeg, "cdrTag", KindText},
		CallLegGuestConnection:         {CallLeg, "guestConnection", KindBool},
		CallLegRecording:               {CallLeg, "recording", KindBool},
		CallLegStreaming:               {CallLeg, "streaming", KindBool},
		CallLegCanMove:                 {CallLeg, "canMove", KindBool},
		CallLegMovedCallLeg:            {CallLeg, "movedCallLeg", KindID},
		CallLegMovedCallLegCallBridge:  {CallLeg, "movedCallLegCallBridge", KindID},
		CallLegConfirmationStatus:      {CallLeg, "confirmationStatus", KindText},
		CallLegState:                   {CallLeg, "state", KindText},
		CallLegDeactivated:             {CallLeg, "deactivated", KindBool},
		CallLegReason:                  {CallLeg, "reason", KindText},
		CallLegReasonDetails:           {CallLeg, "reasonDetails", KindText},
		CallLegRemoteTeardown:          {CallLeg, "remoteTeardown", KindBool},
		CallLegDurationSeconds:         {CallLeg, "durationSeconds", KindDouble},
		CallLegActivatedDuration:       {CallLeg, "activatedDuration", KindDouble},
		CallLegMainVideoViewer:         {CallLeg, "mediaUsagePercentages/mainVideoViewer", KindDouble},
		CallLegMainVideoContributor:    {CallLeg, "mediaUsagePercentages/mainVideoContributor", KindDouble},
		CallLegPresentationViewer:      {CallLeg, "mediaUsagePercentages/presentationViewer", KindDouble},
		CallLegPresentationContributor: {CallLeg, "mediaUsagePercentages/presentationContributor", KindDouble},
		CallLegMultistreamVideo:        {CallLeg, "mediaUsagePercentages/multistreamVideo", KindDouble},
		CallLegMaxScreens:              {CallLeg, "multistreamVideo/maxScreens", KindInt},
		CallLegEncryptedMedia:          {CallLeg, "encryptedMedia", KindBool},
		CallLegUnencryptedMedia:        {CallLeg, "unencryptedMedia", KindBool},

		CallLegAlarmType:                      {CallLeg, "alarm/@type", KindText},
		CallLegAlarmDurationPercentage:        {CallLeg, "alarm/@durationPercentage", KindDouble},
		CallLegAlarmTypeElement:               {CallLeg, "alarm/type", KindText},
		CallLegAlarmDurationPercentageElement: {CallLeg, "alarm/durationPercentage", KindDouble},

		RecordingPath:        {Recording, "path", KindText},
		RecordingRecorderURL: {Recording, "recorderUrl", KindText},
		RecordingRecorderURI: {Recording, "recorderUri", KindText},
		RecordingCall:        {Recording, "call", KindID},
		RecordingCallLeg:     {Recording, "callLeg", KindID},

		StreamingStreamURL:   {Streaming, "streamUrl", KindText},
		StreamingStreamerURL: {Streaming, "streamerUrl", KindText},
		StreamingStreamerURI: {Streaming, "streamerUri", KindText},
		StreamingCall:        {Streaming, "call", KindID},
		StreamingCallLeg:     {Streaming, "callLeg", KindID},
	}
	for m, element := range mediaElements {
		for f, field := range mediaFields {
			d[Media(m).Field(MediaField(f))] = Definition{CallLeg, element + "/" + field.path, field.kind}
		}
	}
	return d
}()

// Media is one of the four media blocks of a callLegEnd, seen from the Call Bridge: rx is
// received from the far end, tx is sent to it.
type Media uint8

// The media blocks.
const (
	RxAudio Media = iota
	TxAudio
	RxVideo
	TxVideo
	MediaCount
)

var mediaElements = [MediaCount]string{"rxAudio", "txAudio", "rxVideo", "txVideo"}

// MediaField is one field of a media block.
type MediaField uint8

// The fields of a media block. Durations are seconds; the unit of a density is
// not documented (presumably per cent) and is passed on as sent.
const (
	Codec MediaField = iota
	MaxSizeWidth
	MaxSizeHeight
	BurstDuration
	BurstDensity
	GapDuration
	GapDensity
	MediaFieldCount
)

var mediaFields = [MediaFieldCount]struct {
	path string
	kind Kind
}{
	{"codec", KindText},
	{"maxSizeWidth", KindInt},
	{"maxSizeHeight", KindInt},
	{"packetStatistics/packetLossBursts/duration", KindDouble},
	{"packetStatistics/packetLossBursts/density", KindDouble},
	{"packetStatistics/packetGap/duration", KindDouble},
	{"packetStatistics/packetGap/density", KindDouble},
}

// Field returns the id of a media block's field.
func (m Media) Field(f MediaField) FieldID {
	return CallLegRxAudioCodec + FieldID(m)*FieldID(MediaFieldCount) + FieldID(f)
}

// MediaOf returns the media block and the field of an id. ok is false for other fields.
func MediaOf(id FieldID) (m Media, f MediaField, ok bool) {
	const last = CallLegRxAudioCodec + FieldID(MediaCount)*FieldID(MediaFieldCount) - 1
	if id < CallLegRxAudioCodec || id > last {
		return 0, 0, false
	}
	offset := id - CallLegRxAudioCodec
	return Media(offset / FieldID(MediaFieldCount)), MediaField(offset % FieldID(MediaFieldCount)), true
}
