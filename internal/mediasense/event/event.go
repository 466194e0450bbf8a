// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package event

import "strings"

// Type is the type and action of an event.
type Type uint8

// The documented events, and the one for everything else.
const (
	TypeUnknown Type = iota
	SessionStarted
	SessionUpdated
	SessionEnded
	SessionDeleted
	SessionPruned
	TagAdded
	TagUpdated
	TagDeleted
	EnterLow
	ExitLow
	EnterCritical
	ExitCritical
	EnterEmergency
	ExitEmergency
	TypeCount
)

var typeNames = [TypeCount]struct {
	object       Object
	kind, action string
}{
	SessionStarted: {Session, "SESSION_EVENT", "STARTED"},
	SessionUpdated: {Session, "SESSION_EVENT", "UPDATED"},
	SessionEnded:   {Session, "SESSION_EVENT", "ENDED"},
	SessionDeleted: {Session, "SESSION_EVENT", "DELETED"},
	SessionPruned:  {Session, "SESSION_EVENT", "PRUNED"},
	TagAdded:       {TagEvent, "TAG_EVENT", "ADDED"},
	TagUpdated:     {TagEvent, "TAG_EVENT", "UPDATED"},
	TagDeleted:     {TagEvent, "TAG_EVENT", "DELETED"},
	EnterLow:       {Storage, "STORAGE_THRESHOLD_EVENT", "ENTER_LOW_STORAGE_SPACE"},
	ExitLow:        {Storage, "STORAGE_THRESHOLD_EVENT", "EXIT_LOW_STORAGE_SPACE"},
	EnterCritical:  {Storage, "STORAGE_THRESHOLD_EVENT", "ENTER_CRITICAL_STORAGE_SPACE"},
	ExitCritical:   {Storage, "STORAGE_THRESHOLD_EVENT", "EXIT_CRITICAL_STORAGE_SPACE"},
	EnterEmergency: {Storage, "STORAGE_THRESHOLD_EVENT", "ENTER_EMERGENCY_STORAGE_SPACE"},
	ExitEmergency:  {Storage, "STORAGE_THRESHOLD_EVENT", "EXIT_EMERGENCY_STORAGE_SPACE"},
}

// Action returns the eventAction ("ENTER_LOW_STORAGE_SPACE").
func (t Type) Action() string { return typeNames[t].action }

// Object returns the object of the event's body, NoObject for TypeUnknown.
func (t Type) Object() Object { return typeNames[t].object }

// typeOf returns the type and, even for an unknown action, the object of its body. The case
// of letters does not matter.
func typeOf(kind, action string) (Type, Object) {
	object := NoObject
	kind, action = strings.TrimSpace(kind), strings.TrimSpace(action)
	for t := TypeUnknown + 1; t < TypeCount; t++ {
		if strings.EqualFold(typeNames[t].kind, kind) {
			object = typeNames[t].object
			if strings.EqualFold(typeNames[t].action, action) {
				return t, object
			}
		}
	}
	return TypeUnknown, object
}

// Event is one posted object, or a piece of a long one.
type Event struct {
	Type Type
	// Object of the body. It is known for an unknown action of a known type.
	Object Object
	// TypeText and ActionText are eventType and eventAction as received.
	TypeText, ActionText string
	// Forwarded is forwardedEvent: whether the other server forwarded the event. It is
	// KindNull if absent and KindText if it is no boolean.
	Forwarded Value
	// Body are the elements of eventBody, in the order of the wire.
	Body []Member
	// Extra are the undocumented elements of the envelope, and eventBody if it is no
	// object.
	Extra []Member
	// Raw is the object as it was posted, and Offset where in its body.
	Raw    string
	Offset int
	// Part numbers the pieces of a long event from 1 to Parts. Raw is then the JSON of
	// the piece. Both are 0 for a whole event.
	Part, Parts int
}

// Malformed is a part of a body that cannot be decoded completely.
type Malformed struct {
	// Raw are the part's bytes, and Offset where in the body they stand.
	Raw    string
	Offset int
	// Err is the reason.
	Err error
	// Readable has the readable elements.
	Readable Event
	// IsEvent reports that Readable is one of the batch's events.
	IsEvent bool
}

// Batch is one body.
type Batch struct {
	Events    []Event
	Malformed []Malformed
}

// Member returns a documented element of the body.
func (e *Event) Member(f Field) (Value, bool) { return find(e.Body, f) }

// Text returns a documented text of the body, "" if there is none.
func (e *Event) Text(f Field) string {
	v, _ := e.Member(f)
	if v.Kind != KindText {
		return ""
	}
	return v.Text
}

// Int returns a documented number of the body.
func (e *Event) Int(f Field) (n int64, ok bool) {
	v, _ := e.Member(f)
	return v.Int(), v.Kind == KindInt
}

// Items returns a documented list of the body.
func (e *Event) Items(f Field) []Value {
	v, _ := e.Member(f)
	return v.Items
}

// SessionID returns the session of the event, "" if it has none or several.
func (e *Event) SessionID() string {
	if e.Object == TagEvent {
		return e.Text(TagEventSessionID)
	}
	return e.Text(SessionID)
}

// SessionIDs returns the sessions of an event about several. It accepts a single sessionId,
// but no list with another element than texts.
func (e *Event) SessionIDs() (ids []string) {
	v, ok := e.Member(SessionIDs)
	if !ok {
		if id := e.Text(SessionID); id != "" {
			return []string{id}
		}
		return nil
	}
	for i := range v.Items {
		if v.Items[i].Kind != KindText {
			return nil
		}
		ids = append(ids, v.Items[i].Text)
	}
	return ids
}

// isIdentified reports whether the event has a type and identifies its object. A damaged object
// is an event only then.
func (e *Event) isIdentified() bool {
	switch e.Type {
	case TypeUnknown:
		return false
	case SessionDeleted, SessionPruned:
		return len(e.SessionIDs()) > 0
	default:
	}
	if e.Object != Storage {
		return e.SessionID() != ""
	}
	_, hasNode := e.Member(NodeID)
	return (hasNode || e.Text(NodeIPAddress) != "") && e.Text(Partition) != ""
}

// NewestDate returns the latest date in the body, in milliseconds since 1970; 0
// if there is none.
func (e *Event) NewestDate() int64 { return newestDate(e.Body) }

func newestDate(members []Member) (newest int64) {
	for i := range members {
		m := &members[i]
		if m.Field != Unknown && documented[m.Field].expected == expectDate && m.Value.Kind == KindInt {
			newest = max(newest, m.Value.Int())
		}
		for k := range m.Value.Items {
			newest = max(newest, newestDate(m.Value.Items[k].Members))
		}
	}
	return newest
}
