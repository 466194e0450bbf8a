// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package events

// Frame is one message or acknowledgement. Its text lasts until the next
// Decode.
type Frame struct {
	// Ack tells that this answers a message of ours.
	Ack bool
	// IsMessage tells that the frame is a message by its own words, even one
	// that cannot be read: the server waits for its acknowledgement.
	IsMessage bool
	// ID is the message's id; 0 is one. HasID tells whether there is any.
	ID    int64
	HasID bool
	// Status of an acknowledgement.
	Status []byte

	// Type of a message.
	Type MessageType
	// Index is the subscription an update is of.
	Index    int64
	HasIndex bool
	// States of a SubscriptionUpdate.
	States []SubscriptionState
	// Updates of a CallListUpdate, a RosterUpdate or a CallInfoUpdate, in order.
	Updates []Update

	fields []Field
}

// Success tells whether the server took the request.
func (f *Frame) Success() bool { return string(f.Status) == "success" }

// Fields returns the elements of an update.
func (f *Frame) Fields(u *Update) []Field { return f.fields[u.from:u.to:u.to] }

// MessageType says what a message is.
type MessageType uint8

// The types of messages of a server.
const (
	OtherMessage MessageType = iota
	SubscriptionUpdate
	CallListUpdate
	CallInfoUpdate
	RosterUpdate
	MessageTypes
)

// UpdateType says what happened to a call or a participant.
type UpdateType uint8

// The types of updates.
const (
	OtherUpdate UpdateType = iota
	Add
	Modify
	Remove
)

// Update is what a message says of one call or participant.
type Update struct {
	Type UpdateType
	// Call and Participant are ids; a roster's update has no call, a call's no
	// participant, and a call info neither.
	Call, Participant []byte

	from, to int // Frame.fields
}

// SubscriptionState is what the server says of one subscription.
type SubscriptionState struct {
	Index int64
	State SubState
}

// SubState is the state of a subscription.
type SubState uint8

// The states of a subscription. OtherState is a word nobody knows.
const (
	OtherState SubState = iota
	Requested
	Pending
	Active
	Deactivated
)

// ValueKind is the type of a value.
type ValueKind uint8

// The types of values. Null stands for a value that is unset.
const (
	Null ValueKind = iota
	Text
	Bool
	Int
	Double
)

// Field is one element with its value.
type Field struct {
	Element Element
	Kind    ValueKind
	// Name is the name of an Unknown element.
	Name []byte
	// Text is the value as text, the JSON of an array or object.
	Text []byte
	// Number holds an Int, a Bool (0 or 1) or the bits of a Double.
	Number uint64
}
