// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package events

import (
	"errors"

	"github.com/legato-otel/legato/internal/scan/jsonscan"
)

// Errors of Decode. After any of them the frame has what could be read: a message
// whose id is known can be acknowledged.
var (
	// ErrSyntax: these bytes are no JSON.
	ErrSyntax = jsonscan.ErrSyntax
	// ErrNoMessage: this is JSON, but neither a message nor an acknowledgement.
	ErrNoMessage = errors.New("neither a message nor an acknowledgement")
	// ErrNoID: there is no id that could be acknowledged.
	ErrNoID = errors.New("no message id")
	// ErrTooMuch: the message holds more than maxUpdates updates or states, or
	// more than maxFrameFields elements.
	ErrTooMany = errors.New("more updates or elements than a message may hold")
)

const (
	// maxText is where text is cut: longer names of people do not exist.
	maxText = 1024
	// maxName is the longest name of an unknown element that is kept.
	maxName = 128
	// maxFields is how many elements of one object are kept; 15 are documented.
	maxFields = 64
	// maxUpdates and maxFrameFields bound what one message takes in memory: an
	// update of 9 bytes becomes 150. A snapshot of 20 000 people fits.
	maxUpdates     = 1 << 16
	maxFrameFields = 1 << 19
)

// Decoder decodes frames. Its zero value is ready.
type Decoder struct {
	scan         jsonscan.Scanner
	frame        *Frame
	seenElements uint64 // elements of the object being read
	overLimit    bool   // more updates, states or elements came than the frame may hold
}

// Decode reads one frame into f. Of what stands twice the last counts. A frame
// that is damaged keeps the id and the subscription's index, wherever they are.
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
			// The first is a list, the second an object, and each is taken
			// for the other.
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

// list reads objects in an array, or one alone, and skips everything else.
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
		return d.scan.Skip(depth) // what stands behind it may be id and index
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
		return OtherUpdate
	}
}
