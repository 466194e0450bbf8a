// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package events

import (
	"bytes"
	"errors"
	"math"
	"slices"
	"strconv"
	"unicode/utf8"

	"github.com/legato-otel/legato/internal/redact"
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
	ErrTooMuch = errors.New("more updates or elements than a message may hold")
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
	scan  jsonscan.Scanner
	frame *Frame
	seen  uint64 // elements of the object being read
	full  bool   // more updates, states or elements came than the frame may hold
}

// Decode reads one frame into f. Of what stands twice the last counts. A frame
// that is damaged keeps the id and the subscription's index, wherever they are.
func (d *Decoder) Decode(data []byte, f *Frame) error {
	err := d.decode(data, f)
	if errors.Is(err, ErrSyntax) && !f.Ack {
		salvage(data, f)
	}
	return err
}

func (d *Decoder) decode(data []byte, f *Frame) error {
	*f = Frame{States: f.States[:0], Updates: f.Updates[:0], fields: f.fields[:0]}
	d.frame, d.full = f, false
	s := &d.scan
	s.RawControls = true
	s.Reset(data)
	if s.Next() != '{' {
		if err := s.Skip(0); err != nil || s.Next() != 0 || s.Pos() < len(data) {
			return ErrSyntax
		}
		return ErrNoMessage
	}
	message, ack, claims := false, false, false
	err := s.Object(0, func(name []byte) error {
		switch {
		case string(name) == "type" && s.Next() == '"':
			text, err := s.Text()
			claims = string(text) == "message"
			return err
		case string(name) == "message" && s.Next() == '{':
			message = true
			return d.message()
		case string(name) == "messageAck" && s.Next() == '{' && !message:
			ack = true
			return d.ack()
		default:
			return s.Skip(1)
		}
	})
	f.Ack, f.IsMessage = ack && !message, message || claims
	switch {
	case err != nil, s.Next() != 0, s.Pos() < len(data):
		return ErrSyntax
	case d.full:
		return ErrTooMuch
	case !message && !ack:
		return ErrNoMessage
	case !f.HasID:
		return ErrNoID
	default:
		return nil
	}
}

func (d *Decoder) ack() error {
	f := d.frame
	f.HasID, f.Status = false, nil
	return d.scan.Object(1, func(name []byte) (err error) {
		switch string(name) {
		case "messageId":
			f.ID, f.HasID, err = d.integer()
		case "status":
			f.Status, err = d.word()
		default:
			err = d.scan.Skip(2)
		}
		return err
	})
}

func (d *Decoder) message() error {
	f := d.frame
	*f = Frame{States: f.States[:0], Updates: f.Updates[:0], fields: f.fields[:0]}
	return d.scan.Object(1, func(name []byte) (err error) {
		switch string(name) {
		case "messageId":
			f.ID, f.HasID, err = d.integer()
		case "type":
			var text []byte
			if text, err = d.word(); err == nil {
				f.Type = messageType(text)
			}
		case "subscriptionIndex":
			f.Index, f.HasIndex, err = d.integer()
		case "subscriptions":
			f.States = f.States[:0]
			err = d.list(d.state)
		case "updates", "callInfo":
			// The first is a list, the second an object, and each is taken
			// for the other.
			f.Updates, f.fields = f.Updates[:0], f.fields[:0]
			err = d.list(d.update)
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
func (d *Decoder) list(object func(depth int) error) error {
	switch d.scan.Next() {
	case '{':
		return object(2)
	case '[':
		return d.scan.Array(2, func() error {
			if d.scan.Next() == '{' {
				return object(3)
			}
			return d.scan.Skip(3)
		})
	default:
		return d.scan.Skip(2)
	}
}

func (d *Decoder) state(depth int) error {
	var state SubscriptionState
	known := false
	err := d.scan.Object(depth, func(name []byte) (err error) {
		switch string(name) {
		case "index":
			state.Index, known, err = d.integer()
		case "state":
			var text []byte
			if text, err = d.word(); err == nil {
				state.State = subscriptionState(text)
			}
		default:
			err = d.scan.Skip(depth + 1)
		}
		return err
	})
	if err == nil && known {
		if len(d.frame.States) >= maxUpdates {
			d.full = true
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

func (d *Decoder) update(depth int) error {
	f := d.frame
	if len(f.Updates) >= maxUpdates || len(f.fields) >= maxFrameFields {
		d.full = true
		return d.scan.Skip(depth) // what stands behind it may be id and index
	}
	u := Update{from: len(f.fields)}
	d.seen = 0
	err := d.scan.Object(depth, func(name []byte) (err error) {
		switch string(name) {
		case "call":
			u.Call, err = d.word()
		case "participant":
			u.Participant, err = d.word()
		case "updateType":
			var text []byte
			if text, err = d.word(); err == nil {
				u.Type = updateType(text)
			}
		default:
			err = d.field(name, depth, u.from)
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

// field reads an element's value into the object whose fields begin at from.
func (d *Decoder) field(name []byte, depth, from int) error {
	v := Field{Element: byName[string(name)]}
	if v.Element == Unknown {
		v.Name = name
	}
	want := elements[v.Element].value
	s := &d.scan
	var err error
	switch s.Next() {
	case '"':
		if v.Text, err = s.Text(); err == nil {
			v.Text = shorten(v.Text)
			v.read(want)
		}
	case 'n':
		err = s.Word("null")
	case 't':
		v.Text = trueText
		err = s.Word("true")
		v.read(want)
	case 'f':
		v.Text = falseText
		err = s.Word("false")
		v.read(want)
	case '{', '[':
		begin := s.Pos()
		if err = s.Skip(depth + 1); err == nil {
			// The raw bytes are not unescaped, so they may hold what is no UTF-8.
			v.Text, v.Kind = shorten(s.Valid(s.Since(begin))), Text
		}
	default:
		if v.Text, err = s.Number(); err == nil {
			v.read(want)
		}
	}
	if err != nil {
		return err
	}
	d.put(v, from)
	return nil
}

var trueText, falseText = []byte("true"), []byte("false")

// put replaces the element if the object has it already, else appends it.
func (d *Decoder) put(v Field, from int) {
	f := d.frame
	first := v.Element != Unknown && d.seen&(1<<v.Element) == 0
	d.seen |= 1 << v.Element
	for i := from; i < len(f.fields) && !first; i++ {
		if known := &f.fields[i]; known.Element == v.Element && (v.Element != Unknown || string(known.Name) == string(v.Name)) {
			*known = v
			return
		}
	}
	if len(v.Name) <= maxName && len(f.fields)-from < maxFields {
		f.fields = append(f.fields, v)
	}
}

// read gives the value the type its element has, if its text is of that type.
func (v *Field) read(want ValueKind) {
	v.Kind = Text
	switch want {
	case Bool:
		switch string(v.Text) {
		case "true", "1":
			v.Kind, v.Number = Bool, 1
		case "false", "0":
			v.Kind, v.Number = Bool, 0
		default:
			v.readBoolInAnyCase()
		}
	case Int:
		if n, err := strconv.ParseInt(string(v.Text), 10, 64); err == nil {
			v.Kind, v.Number = Int, uint64(n) //nolint:gosec // the bits, read back as an int64
		} else if x, err := strconv.ParseFloat(string(v.Text), 64); err == nil && !math.IsNaN(x) && !math.IsInf(x, 0) {
			v.Kind, v.Number = Double, math.Float64bits(x)
		}
	}
}

func (v *Field) readBoolInAnyCase() {
	if bytes.EqualFold(v.Text, trueText) {
		v.Kind, v.Number = Bool, 1
	} else if bytes.EqualFold(v.Text, falseText) {
		v.Kind, v.Number = Bool, 0
	}
}

// shorten returns at most maxText bytes of an element's text. Text that is cut loses
// its secrets first: half a secret may not look like one, and would be passed on.
// Other text stays as it is, and those who write it out redact it.
func shorten(text []byte) []byte {
	if len(text) <= maxText || !slices.ContainsFunc(text, redact.Sign) {
		return clip(text)
	}
	return []byte(redact.Prefix(string(text), maxText))
}

// clip cuts an id or a word at maxText, between characters.
func clip(text []byte) []byte {
	if len(text) <= maxText {
		return text
	}
	end := maxText
	for end > 0 && !utf8.RuneStart(text[end]) {
		end--
	}
	return text[:end:end]
}

// word reads a string; any other value counts as none.
func (d *Decoder) word() ([]byte, error) {
	if d.scan.Next() != '"' {
		return nil, d.scan.Skip(3)
	}
	text, err := d.scan.Text()
	return clip(text), err
}

// integer reads a whole number, quoted or not; any other value counts as none.
func (d *Decoder) integer() (n int64, ok bool, err error) {
	var text []byte
	switch c := d.scan.Next(); {
	case c == '"':
		text, err = d.scan.Text()
	case c == '-' || c >= '0' && c <= '9':
		text, err = d.scan.Number()
	default:
		return 0, false, d.scan.Skip(3)
	}
	if err != nil {
		return 0, false, err
	}
	n, err = strconv.ParseInt(string(text), 10, 64)
	return n, err == nil, nil
}
