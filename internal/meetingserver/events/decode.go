// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package events

import (
	"errors"

	"github.com/legato-otel/legato/internal/scan/jsonscan"
)

// Errors of Decode. The frame then holds everything that could be decoded: a message with a
// known id can be acknowledged.
var (
	// ErrSyntax means that the bytes are not JSON.
	ErrSyntax = jsonscan.ErrSyntax
	// ErrNoMessage means that the JSON is neither a message nor an acknowledgement.
	ErrNoMessage = errors.New("neither a message nor an acknowledgement")
	// ErrNoID means that the message has no id to acknowledge.
	ErrNoID = errors.New("no message id")
	// ErrTooMany means that the message has more than maxUpdates updates or states, or more
	// than maxFrameFields elements.
	ErrTooMany = errors.New("more updates or elements than a message may hold")
)

const (
	// maxText is the longest text kept, in bytes; longer text is cut. Names of people are
	// shorter.
	maxText = 1024
	// maxName is the longest name of an unknown element that is kept, in bytes.
	maxName = 128
	// maxFields is the largest number of elements of one object; Cisco documents 15.
	maxFields = 64
	// maxUpdates and maxFrameFields bound the memory of one frame: an update of 9 bytes
	// takes 150 bytes when decoded. A snapshot of 20 000 participants fits.
	maxUpdates     = 1 << 16
	maxFrameFields = 1 << 19
)

// Decoder decodes frames. The zero value is ready to use.
type Decoder struct {
	scan         jsonscan.Scanner
	frame        *Frame
	seenElements uint64 // bit set of the elements of the current object
	overLimit    bool   // the message has more updates, states or elements than a frame may hold
}

// Decode decodes one frame into f. The last of several members with the same name counts.
// Of a damaged frame f keeps the message id and the subscription index, wherever they
// stand.
func (d *Decoder) Decode(data []byte, f *Frame) error {
	err := d.decode(data, f)
	if errors.Is(err, ErrSyntax) && !f.Ack {
		salvageHeader(data, f)
	}
	return err
}

func (d *Decoder) decode(data []byte, f *Frame) error {
	*f = Frame{States: f.States[:0], Updates: f.Updates[:0], fields: f.fields[:0]}
	d.frame, d.overLimit = f, false
	s := &d.scan
	s.RawControls = true
	s.Reset(data)
	if s.Next() != '{' {
		if err := s.Skip(0); err != nil || s.Next() != 0 || s.Pos() < len(data) {
			return ErrSyntax
		}
		return ErrNoMessage
	}
	message, ack, claimsMessage := false, false, false
	err := s.Object(0, func(name []byte) error {
		switch {
		case string(name) == "type" && s.Next() == '"':
			text, err := s.Text()
			claimsMessage = string(text) == "message"
			return err
		case string(name) == "message" && s.Next() == '{':
			message = true
			return d.readMessage()
		case string(name) == "messageAck" && s.Next() == '{' && !message:
			ack = true
			return d.readAck()
		default:
			return s.Skip(1)
		}
	})
	f.Ack, f.IsMessage = ack && !message, message || claimsMessage
	switch {
	case err != nil, s.Next() != 0, s.Pos() < len(data):
		return ErrSyntax
	case d.overLimit:
		return ErrTooMany
	case !message && !ack:
		return ErrNoMessage
	case !f.HasID:
		return ErrNoID
	default:
		return nil
	}
}

func (d *Decoder) readAck() error {
	f := d.frame
	f.HasID, f.Status = false, nil
	return d.scan.Object(1, func(name []byte) (err error) {
		switch string(name) {
		case "messageId":
			f.ID, f.HasID, err = d.readInteger()
		case "status":
			f.Status, err = d.readString()
		default:
			err = d.scan.Skip(2)
		}
		return err
	})
}

func (d *Decoder) readMessage() error {
	f := d.frame
	*f = Frame{States: f.States[:0], Updates: f.Updates[:0], fields: f.fields[:0]}
	return d.scan.Object(1, func(name []byte) (err error) {
		switch string(name) {
		case "messageId":
			f.ID, f.HasID, err = d.readInteger()
		case "type":
			var text []byte
			if text, err = d.readString(); err == nil {
				f.Type = messageType(text)
			}
		case "subscriptionIndex":
			f.Index, f.HasIndex, err = d.readInteger()
		case "subscriptions":
			f.States = f.States[:0]
			err = d.readObjects(d.readState)
		case "updates", "callInfo":
			// updates is an array, callInfo an object; readObjects accepts both forms for
			// both.
			f.Updates, f.fields = f.Updates[:0], f.fields[:0]
			err = d.readObjects(d.readUpdate)
		default:
			err = d.scan.Skip(2)
		}
		return err
	})
}

func messageType(text []byte) MessageType {
	switch string(text) {
	case "subscriptionUpdate":
		return SubscriptionUpdate
	case "callListUpdate":
		return CallListUpdate
	case "callInfoUpdate":
		return CallInfoUpdate
	case "rosterUpdate", "callRosterUpdate":
		return RosterUpdate
	default:
		return OtherMessage
	}
}

// readObjects calls readCallDetailRecord for each object of an array, or for a single object, and
// skips all other values.
func (d *Decoder) readObjects(readObject func(depth int) error) error {
	switch d.scan.Next() {
	case '{':
		return readObject(2)
	case '[':
		return d.scan.Array(2, func() error {
			if d.scan.Next() == '{' {
				return readObject(3)
			}
			return d.scan.Skip(3)
		})
	default:
		return d.scan.Skip(2)
	}
}

func (d *Decoder) readState(depth int) error {
	var state SubscriptionState
	known := false
	err := d.scan.Object(depth, func(name []byte) (err error) {
		switch string(name) {
		case "index":
			state.Index, known, err = d.readInteger()
		case "state":
			var text []byte
			if text, err = d.readString(); err == nil {
				state.State = subscriptionState(text)
			}
		default:
			err = d.scan.Skip(depth + 1)
		}
		return err
	})
	if err == nil && known {
		if len(d.frame.States) >= maxUpdates {
			d.overLimit = true
			return nil
		}
		d.frame.States = append(d.frame.States, state)
	}
	return err
}

func subscriptionState(text []byte) SubState {
	switch string(text) {
	case "pending":
		return Pending
	case "active":
		return Active
	case "deactivated":
		return Deactivated
	default:
		return OtherState
	}
}

func (d *Decoder) readUpdate(depth int) error {
	f := d.frame
	if len(f.Updates) >= maxUpdates || len(f.fields) >= maxFrameFields {
		d.overLimit = true
		return d.scan.Skip(depth) // the id and the index may follow
	}
	u := Update{from: len(f.fields)}
	d.seenElements = 0
	err := d.scan.Object(depth, func(name []byte) (err error) {
		switch string(name) {
		case "call":
			u.Call, err = d.readString()
		case "participant":
			u.Participant, err = d.readString()
		case "updateType":
			var text []byte
			if text, err = d.readString(); err == nil {
				u.Type = updateType(text)
			}
		default:
			err = d.readField(name, depth, u.from)
		}
		return err
	})
	u.to = len(f.fields)
	if err == nil {
		f.Updates = append(f.Updates, u)
	}
	return err
}

func updateType(text []byte) UpdateType {
	switch string(text) {
	case "add":
		return Add
	case "update":
		return Modify
	case "remove":
		return Remove
	default:
		return UnrecognizedUpdate
	}
}
