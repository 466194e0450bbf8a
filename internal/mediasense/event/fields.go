// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package event

// Object is the kind of object that has an element.
type Object uint8

// The objects of the guide. NoObject is an undocumented one.
const (
	NoObject Object = iota
	// Envelope is the posted object itself.
	Envelope
	// Session, TagEvent and Storage are the bodies of the three types of events.
	Session
	TagEvent
	Storage
	// Track, Participant and Tag are items of a session's lists.
	Track
	Participant
	Tag
	objectCount
)

// Field is a documented element of an object.
type Field uint8

// The documented elements. Unknown is any other one.
const (
	Unknown Field = iota

	EventType
	EventAction
	ForwardedEvent
	EventBody

	SessionID
	SessionIDs
	CallControllerIP
	CallControllerType
	CCID
	SessionStartDate
	SessionDuration
	SessionState
	SessionTags
	Tracks
	URLs

	TrackNumber
	TrackStartDate
	TrackDuration
	TrackMediaType
	Codec
	DownloadURL
	Participants
	TrackTags

	DeviceRef
	ParticipantStartDate
	ParticipantDuration
	IsConference
	XRefCI
	DeviceID

	TagName
	TagType
	TagCreateDate
	TagOffset

	TagEventSessionID
	TagEventName
	TagEventType
	TagEventCreateDate
	TagEventOffset
	TagEventTrackNumber

	NodeID
	NodeIPAddress
	Partition
	PercentageUtilization

	FieldCount
)

// expectedType is the documented type of an element.
type expectedType uint8

const (
	expectText expectedType = iota
	expectInt
	expectDate // milliseconds since 1970
	expectBool
	expectTexts // a list of texts
	expectURLs
	expectTracks
	expectParticipants
	expectTags
	expectAny // any type
)

// Documented is the position of a documented element.
type Documented struct {
	Object Object
	// Name on the wire.
	Name     string
	expected expectedType
}

var documented = [FieldCount]Documented{
	EventType:      {Envelope, "eventType", expectText},
	EventAction:    {Envelope, "eventAction", expectText},
	ForwardedEvent: {Envelope, "forwardedEvent", expectBool},
	EventBody:      {Envelope, "eventBody", expectAny},

	SessionID:          {Session, "sessionId", expectText},
	SessionIDs:         {Session, "sessionIds", expectTexts},
	CallControllerIP:   {Session, "callControllerIP", expectText},
	CallControllerType: {Session, "callControllerType", expectText},
	CCID:               {Session, "ccid", expectText},
	SessionStartDate:   {Session, "sessionStartDate", expectDate},
	SessionDuration:    {Session, "sessionDuration", expectInt},
	SessionState:       {Session, "sessionState", expectText},
	SessionTags:        {Session, "tags", expectTags},
	Tracks:             {Session, "tracks", expectTracks},
	URLs:               {Session, "urls", expectURLs},

	TrackNumber:    {Track, "trackNumber", expectInt},
	TrackStartDate: {Track, "trackStartDate", expectDate},
	TrackDuration:  {Track, "trackDuration", expectInt},
	TrackMediaType: {Track, "trackMediaType", expectText},
	Codec:          {Track, "codec", expectText},
	DownloadURL:    {Track, "downloadUrl", expectText},
	Participants:   {Track, "participants", expectParticipants},
	TrackTags:      {Track, "tags", expectTags},

	DeviceRef:            {Participant, "deviceRef", expectText},
	ParticipantStartDate: {Participant, "participantStartDate", expectDate},
	ParticipantDuration:  {Participant, "participantDuration", expectInt},
	IsConference:         {Participant, "isConference", expectBool},
	XRefCI:               {Participant, "xRefCi", expectText},
	DeviceID:             {Participant, "deviceId", expectText},

	TagName:       {Tag, "tagName", expectText},
	TagType:       {Tag, "tagType", expectText},
	TagCreateDate: {Tag, "tagCreateDate", expectDate},
	TagOffset:     {Tag, "tagOffset", expectInt},

	TagEventSessionID:   {TagEvent, "sessionId", expectText},
	TagEventName:        {TagEvent, "tagName", expectText},
	TagEventType:        {TagEvent, "tagType", expectText},
	TagEventCreateDate:  {TagEvent, "tagCreateDate", expectDate},
	TagEventOffset:      {TagEvent, "tagOffset", expectInt},
	TagEventTrackNumber: {TagEvent, "trackNumber", expectInt},

	NodeID:                {Storage, "nodeId", expectInt},
	NodeIPAddress:         {Storage, "nodeIPAddress", expectText},
	Partition:             {Storage, "partition", expectText},
	PercentageUtilization: {Storage, "percentageUtilization", expectInt},
}

// byName finds the elements of each object.
var byName = func() (tables [objectCount]map[string]Field) {
	for f := Unknown + 1; f < FieldCount; f++ {
		d := &documented[f]
		if tables[d.Object] == nil {
			tables[d.Object] = make(map[string]Field)
		}
		tables[d.Object][d.Name] = f
	}
	return tables
}()

// DocumentedField returns the position of a field other than Unknown.
func DocumentedField(f Field) Documented { return documented[f] }
