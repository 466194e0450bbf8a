// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package event

// Object is what an element belongs to.
type Object uint8

// The objects of the guide. NoObject is what is not documented.
const (
	NoObject Object = iota
	// Envelope is the posted object itself.
	Envelope
	// Session, TagEvent and Storage are the bodies of the three types of events.
	Session
	TagEvent
	Storage
	// Track, Participant and Tag stand in lists of a session.
	Track
	Participant
	Tag
	objectCount
)

// Field is a documented element of an object.
type Field uint8

// The documented elements. Unknown is every other one.
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

// want is the documented type of an element.
type want uint8

const (
	wantText want = iota
	wantInt
	wantDate // milliseconds since 1970
	wantBool
	wantTexts // a list of texts
	wantURLs
	wantTracks
	wantParticipants
	wantTags
	wantAny // left as it is
)

// Documented says where a documented element stands.
type Documented struct {
	Object Object
	// Name on the wire.
	Name string
	want want
}

var documented = [FieldCount]Documented{
	EventType:      {Envelope, "eventType", wantText},
	EventAction:    {Envelope, "eventAction", wantText},
	ForwardedEvent: {Envelope, "forwardedEvent", wantBool},
	EventBody:      {Envelope, "eventBody", wantAny},

	SessionID:          {Session, "sessionId", wantText},
	SessionIDs:         {Session, "sessionIds", wantTexts},
	CallControllerIP:   {Session, "callControllerIP", wantText},
	CallControllerType: {Session, "callControllerType", wantText},
	CCID:               {Session, "ccid", wantText},
	SessionStartDate:   {Session, "sessionStartDate", wantDate},
	SessionDuration:    {Session, "sessionDuration", wantInt},
	SessionState:       {Session, "sessionState", wantText},
	SessionTags:        {Session, "tags", wantTags},
	Tracks:             {Session, "tracks", wantTracks},
	URLs:               {Session, "urls", wantURLs},

	TrackNumber:    {Track, "trackNumber", wantInt},
	TrackStartDate: {Track, "trackStartDate", wantDate},
	TrackDuration:  {Track, "trackDuration", wantInt},
	TrackMediaType: {Track, "trackMediaType", wantText},
	Codec:          {Track, "codec", wantText},
	DownloadURL:    {Track, "downloadUrl", wantText},
	Participants:   {Track, "participants", wantParticipants},
	TrackTags:      {Track, "tags", wantTags},

	DeviceRef:            {Participant, "deviceRef", wantText},
	ParticipantStartDate: {Participant, "participantStartDate", wantDate},
	ParticipantDuration:  {Participant, "participantDuration", wantInt},
	IsConference:         {Participant, "isConference", wantBool},
	XRefCI:               {Participant, "xRefCi", wantText},
	DeviceID:             {Participant, "deviceId", wantText},

	TagName:       {Tag, "tagName", wantText},
	TagType:       {Tag, "tagType", wantText},
	TagCreateDate: {Tag, "tagCreateDate", wantDate},
	TagOffset:     {Tag, "tagOffset", wantInt},

	TagEventSessionID:   {TagEvent, "sessionId", wantText},
	TagEventName:        {TagEvent, "tagName", wantText},
	TagEventType:        {TagEvent, "tagType", wantText},
	TagEventCreateDate:  {TagEvent, "tagCreateDate", wantDate},
	TagEventOffset:      {TagEvent, "tagOffset", wantInt},
	TagEventTrackNumber: {TagEvent, "trackNumber", wantInt},

	NodeID:                {Storage, "nodeId", wantInt},
	NodeIPAddress:         {Storage, "nodeIPAddress", wantText},
	Partition:             {Storage, "partition", wantText},
	PercentageUtilization: {Storage, "percentageUtilization", wantInt},
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

// DocumentedField says where a field stands; f is not Unknown.
func DocumentedField(f Field) Documented { return documented[f] }
