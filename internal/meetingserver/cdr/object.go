// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package cdr

import (
	"strings"

	"github.com/legato-otel/legato/internal/scan/xmlscan"
)

// objectReader holds the state while a record's object is read: the stack of open elements.
type objectReader struct {
	frames     []frame
	seenFields fieldSet
	alarm      Alarm
}

// frame is one open element, the object itself first.
type frame struct {
	name        string
	node        *node // nil for an undocumented element
	text        string
	textPieces  []byte // instead of text, if the scanner returned several
	hasText     bool   // text has more than blanks
	hasChildren bool   // it has child elements
}

func (f *frame) content() string {
	if f.textPieces != nil {
		return string(f.textPieces)
	}
	return f.text
}

// fieldSet is a set of documented fields.
type fieldSet [(int(FieldCount) + 63) / 64]uint64

func (s *fieldSet) add(id FieldID) (fresh bool) {
	word, bit := id/64, uint64(1)<<(id%64)
	fresh = s[word]&bit == 0
	s[word] |= bit
	return fresh
}

// readObject reads an object after its start tag.
func (d *Decoder) readObject(r *Record) error {
	r.Element = d.scanner.Name
	r.Object = objectOf(r.Element)
	o := &d.object
	first, firstAlarm, firstPath := len(d.fields), len(d.alarms), d.pathBytes
	o.seenFields = fieldSet{}
	o.frames = append(o.frames[:0], frame{name: r.Element, node: roots[r.Object]})
	if r.Object == ObjectUnknown {
		o.frames[0].node = nil
	}
	d.readObjectAttributes(r)
	for {
		kind, err := d.nextToken()
		if err != nil {
			return err
		}
		switch kind {
		case xmlscan.Leaf:
			d.addLeaf()
		case xmlscan.StartElement:
			d.openElement()
		case xmlscan.Text:
			d.addText()
		case xmlscan.EndElement:
			d.closeElement()
			if len(o.frames) == 0 {
				return nil
			}
		case xmlscan.EndOfDocument:
			return xmlscan.ErrTruncated
		}
		if len(d.fields)-first > maxFields || len(d.alarms)-firstAlarm > maxFields || d.pathBytes-firstPath > maxRecordPaths {
			return ErrManyFields
		}
	}
}

// addUndocumented adds an undocumented value. It counts the bytes of the paths, because short
// bodies with nested elements can have many long paths.
func (d *Decoder) addUndocumented(path, text string) {
	d.pathBytes += len(path)
	d.fields = append(d.fields, undocumentedField(path, text))
}

func (d *Decoder) readObjectAttributes(r *Record) {
	for _, a := range d.scanner.Attributes {
		if a.Name == "id" {
			r.ID = withoutBlanks(a.Value)
			continue
		}
		d.addUndocumented("@"+a.Name, a.Value)
	}
}

// openElement opens an element below the object.
func (d *Decoder) openElement() {
	o := &d.object
	top := &o.frames[len(o.frames)-1]
	top.hasChildren = true
	name := d.scanner.Name
	n := top.node.child(name)
	o.frames = append(o.frames, frame{name: name, node: n})
	if n != nil && n.alarm {
		o.alarm = Alarm{}
	}
	for _, a := range d.scanner.Attributes {
		known := n.attribute(a.Name)
		if known == nil {
			d.addUndocumented(o.path()+"/@"+a.Name, a.Value)
			continue
		}
		d.addField(known, a.Value)
	}
}

// addLeaf adds a simple element in one step.
func (d *Decoder) addLeaf() {
	o := &d.object
	top := &o.frames[len(o.frames)-1]
	n := top.node.child(d.scanner.Name)
	if n != nil && n.field != Unknown {
		top.hasChildren = true
		d.addField(n, d.scanner.Text)
		return
	}
	text := d.scanner.Text
	d.scanner.Attributes = d.scanner.Attributes[:0]
	d.openElement()
	o.frames[len(o.frames)-1].text = text
	d.closeElement()
}

// addText adds text to the open element. The scanner may return a text in several pieces.
// Blanks before the first one, as between the children of a container, are trimmed later.
func (d *Decoder) addText() {
	top := &d.object.frames[len(d.object.frames)-1]
	text := d.scanner.Text
	switch {
	case !top.hasText:
		top.text, top.hasText = text, trimBlanks(text) != ""
	case top.textPieces == nil:
		top.textPieces = append([]byte(top.text), text...)
	default:
		top.textPieces = append(top.textPieces, text...)
	}
}

// closeElement closes an element. An empty element is a value too: the presence of <ivr/> has
// a meaning.
func (d *Decoder) closeElement() {
	o := &d.object
	top := &o.frames[len(o.frames)-1]
	isObject := len(o.frames) == 1
	text := top.content()
	switch {
	case top.node != nil && top.node.alarm:
		d.alarms = append(d.alarms, o.alarm)
		if trimBlanks(text) != "" {
			d.addUndocumented(o.path(), text)
		}
	case top.node != nil && top.node.field != Unknown:
		d.addField(top.node, text)
	case trimBlanks(text) != "" || !top.hasChildren && !isObject:
		d.addUndocumented(o.path(), text)
	}
	o.frames = o.frames[:len(o.frames)-1]
}

// addField adds a documented value to the record or to the open alarm. It keeps a repeated
// value, which no real bridge sends, under its path.
func (d *Decoder) addField(n *node, text string) {
	o := &d.object
	switch n.field {
	case CallLegAlarmType, CallLegAlarmTypeElement:
		if o.alarm.Type == "" {
			o.alarm.Type = trimBlanks(text)
			return
		}
	case CallLegAlarmDurationPercentage, CallLegAlarmDurationPercentageElement:
		if o.alarm.DurationPercentage.Text == "" {
			o.alarm.DurationPercentage = parse(text, n.kind)
			return
		}
	default:
		if o.seenFields.add(n.field) {
			d.fields = append(d.fields, Field{ID: n.field, Value: parse(text, n.kind)})
			return
		}
	}
	d.addUndocumented(definitions[n.field].Path, text)
}

// path returns the path of the open element below the object. The text of an unknown object
// has the path "".
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
