// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package events

import "slices"

// Frame is one decoded message or acknowledgement. Its byte slices are valid until the next
// Decode.
type Frame struct {
	// Ack means that the frame acknowledges a request of this client.
	Ack bool
	// IsMessage means that the frame's type is "message", even if the rest cannot be
	// decoded. The server then waits for an acknowledgement.
	IsMessage bool
	// ID is the message id, which may be 0. HasID reports whether the frame has one.
	ID    int64
	HasID bool
	// Status of an acknowledgement, "success" if the server accepted the request.
	Status []byte

	// Type of a message.
	Type MessageType
	// Index of the subscription that an update belongs to.
	Index    int64
	HasIndex bool
	// States of a SubscriptionUpdate.
	States []SubscriptionState
	// Updates of a CallListUpdate, RosterUpdate or CallInfoUpdate, in their order on the
	// wire.
	Updates []Update

	fields []Field
}

// Success reports whether the server accepted the request.
func (f *Frame) Success() bool { return string(f.Status) == "success" }

// AddsOrRemoves reports whether an update adds or removes a call or participant, or may do so.
func (f *Frame) AddsOrRemoves() bool {
	return slices.ContainsFunc(f.Updates, func(u Update) bool { return u.Type != Modify })
}

// Fields returns the elements of an update.
func (f *Frame) Fields(u *Update) []Field { return f.fields[u.from:u.to:u.to] }

// MessageType is the type of a message.
type MessageType uint8

// The message types of a server.
const (
	OtherMessage MessageType = iota
	SubscriptionUpdate
	CallListUpdate
	CallInfoUpdate
	RosterUpdate
	MessageTypes
)

// UpdateType is the kind of change to a call or participant.
type UpdateType uint8

// The types of updates.
const (
	UnrecognizedUpdate UpdateType = iota
	Add
	Modify
	Remove
)

// Update is the part of a message about one call or participant.
type Update struct {
	Type UpdateType
	// Call and Participant are ids. An update of the list of calls has a Call, a roster's
	// has a Participant, a call info's has neither.
	Call, Participant []byte

	from, to int // bounds in Frame.fields
}

// SubscriptionState is the state of one subscription as the server reports it.
type SubscriptionState struct {
	Index int64
	State SubState
}

// SubState is the state of a subscription.
type SubState uint8

// The states of a subscription. OtherState is any undocumented state; Requested is set by
// this client.
const (
	OtherState SubState = iota
	Requested
	Pending
	Active
	Deactivated
)

// ValueKind is the type of a value.
type ValueKind uint8

// The value types. Null is an unset value.
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
	// Name of an Unknown element.
	Name []byte
	// Text is the value as text; the JSON of an array or object.
	Text []byte
	// Number is an Int, a Bool (0 or 1) or the bits of a Double.
	Number uint64
}
