// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package cdr

import (
	"strings"

	"github.com/legato-otel/legato/internal/scan/xmlscan"
)

// objectReader holds the elements that are open below a record's object.
type objectReader struct {
	frames []frame
	seen   fieldSet
	alarm  Alarm
}

// frame is one open element, the object itself first.
type frame struct {
	name   string
	node   *node // nil if the guide does not know the element
	text   string
	pieces []byte // instead of text, if that came in pieces
	filled bool   // text is more than blanks
	parent bool   // it has child elements
}

func (f *frame) content() string {
	if f.pieces != nil {
		return string(f.pieces)
	}
	return f.text
}

// fieldSet remembers which documented fields a record had.
type fieldSet [(int(FieldCount) + 63) / 64]uint64

func (s *fieldSet) add(id FieldID) (fresh bool) {
	word, bit := id/64, uint64(1)<<(id%64)
	fresh = s[word]&bit == 0
	s[word] |= bit
	return fresh
}

// readObject reads from behind the object's start tag to behind its end tag.
func (d *Decoder) readObject(r *Record) error {
	r.Element = d.scanner.Name
	r.Object = objectOf(r.Element)
	o := &d.object
	first, firstAlarm, firstPath := len(d.fields), len(d.alarms), d.paths
	o.seen = fieldSet{}
	o.frames = append(o.frames[:0], frame{name: r.Element, node: roots[r.Object]})
	if r.Object == ObjectUnknown {
		o.frames[0].node = nil
	}
	d.objectAttributes(r)
	for {
		kind, err := d.next()
		if err != nil {
			return err
		}
		switch kind {
		case xmlscan.Leaf:
			d.leaf()
		case xmlscan.StartElement:
			d.enter()
		case xmlscan.Text:
			d.gather()
		case xmlscan.EndElement:
			d.leave()
			if len(o.frames) == 0 {
				return nil
			}
		case xmlscan.EndOfDocument:
			return xmlscan.ErrTruncated
		}
		if len(d.fields)-first > maxFields || len(d.alarms)-firstAlarm > maxFields || d.paths-firstPath > maxRecordPaths {
			return ErrManyFields
		}
	}
}

// addUnknown adds a value that the guide does not know. Its path may be a copy:
// names of nested elements that are long make many long paths of few bytes.
func (d *Decoder) addUnknown(path, text string) {
	d.paths += len(path)
	d.fields = append(d.fields, unknown(path, text))
}

func (d *Decoder) objectAttributes(r *Record) {
	for _, a := range d.scanner.Attributes {
		if a.Name == "id" {
			r.ID = withoutBlanks(a.Value)
			continue
		}
		d.addUnknown("@"+a.Name, a.Value)
	}
}

// enter opens an element below the object.
func (d *Decoder) enter() {
	o := &d.object
	top := &o.frames[len(o.frames)-1]
	top.parent = true
	name := d.scanner.Name
	n := top.node.child(name)
	o.frames = append(o.frames, frame{name: name, node: n})
	if n != nil && n.alarm {
		o.alarm = Alarm{}
	}
	for _, a := range d.scanner.Attributes {
		known := n.attribute(a.Name)
		if known == nil {
			d.addUnknown(o.path()+"/@"+a.Name, a.Value)
			continue
		}
		d.emit(known, a.Value)
	}
}

// leaf takes a simple element in one step.
func (d *Decoder) leaf() {
	o := &d.object
	top := &o.frames[len(o.frames)-1]
	n := top.node.child(d.scanner.Name)
	if n != nil && n.field != Unknown {
		top.parent = true
		d.emit(n, d.scanner.Text)
		return
	}
	text := d.scanner.Text
	d.scanner.Attributes = d.scanner.Attributes[:0]
	d.enter()
	o.frames[len(o.frames)-1].text = text
	d.leave()
}

// gather adds text to the open element. An element's text may come in pieces;
// blanks before the first of them, as between the children of a container, are
// trimmed anyway.
func (d *Decoder) gather() {
	top := &d.object.frames[len(d.object.frames)-1]
	text := d.scanner.Text
	switch {
	case !top.filled:
		top.text, top.filled = text, trim(text) != ""
	case top.pieces == nil:
		top.pieces = append([]byte(top.text), text...)
	default:
		top.pieces = append(top.pieces, text...)
	}
}

// leave closes an element. One with neither children nor text is a value too:
// <ivr/> says something by being there.
func (d *Decoder) leave() {
	o := &d.object
	top := &o.frames[len(o.frames)-1]
	isObject := len(o.frames) == 1
	text := top.content()
	switch {
	case top.node != nil && top.node.alarm:
		d.alarms = append(d.alarms, o.alarm)
		if trim(text) != "" {
			d.addUnknown(o.path(), text)
		}
	case top.node != nil && top.node.field != Unknown:
		d.emit(top.node, text)
	case trim(text) != "" || !top.parent && !isObject:
		d.addUnknown(o.path(), text)
	}
	o.frames = o.frames[:len(o.frames)-1]
}

// emit adds a documented value, or takes it up into the open alarm. What comes
// a second time, as never seen on a wire, is kept beside the first one under
// its path.
func (d *Decoder) emit(n *node, text string) {
	o := &d.object
	switch n.field {
	case CallLegAlarmType, CallLegAlarmTypeElement:
		if o.alarm.Type == "" {
			o.alarm.Type = trim(text)
			return
		}
	case CallLegAlarmDurationPercentage, CallLegAlarmDurationPercentageElement:
		if o.alarm.DurationPercentage.Text == "" {
			o.alarm.DurationPercentage = parse(text, n.kind)
			return
		}
	default:
		if o.seen.add(n.field) {
			d.fields = append(d.fields, Field{ID: n.field, Value: parse(text, n.kind)})
			return
		}
	}
	d.addUnknown(definitions[n.field].Path, text)
}

// path of the open element below the object. An unknown object's own text has
// the path "".
func (o *objectReader) path() string {
	if len(o.frames) == 2 {
		return o.frames[1].name
	}
	names := make([]string, 0, len(o.frames))
	for _, f := range o.frames[1:] {
		names = append(names, f.name)
	}
	return strings.Join(names, "/")
}
