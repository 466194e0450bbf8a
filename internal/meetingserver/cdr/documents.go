// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package cdr

import (
	"slices"

	"github.com/legato-otel/legato/internal/scan/xmlscan"
)

const rootElement = "records"

// nextDocument reads the root's start tag of a document that follows a closed
// one in the same body, behind blanks, comments and a declaration. It returns
// false if the batch ends: nothing follows, or another batch.
func (d *Decoder) nextDocument() bool {
	closed := d.scanner
	if !d.scanner.NextDocument() {
		return true // what follows is no document; records reads it
	}
	kind, err := d.scanner.Next()
	start := d.scanner.Start()
	switch {
	case err == nil && kind == xmlscan.StartElement && d.continues():
		return true
	case isTag(d.body, rootElement, start):
		d.endAt(start)
		return false
	default:
		d.scanner = closed
		return true
	}
}

// endAt ends the batch before the document at offset.
func (d *Decoder) endAt(offset int) {
	if d.batches < maxBatches {
		d.batch.Next = offset
		return
	}
	// Without indices: they are not of this session.
	d.batch.Malformed = append(d.batch.Malformed, Malformed{Raw: d.body[offset:], Offset: offset, Err: ErrManyBatches})
}

// continues tells whether the root's start tag that was just read has the same
// session as the batch, and nothing that contradicts it.
func (d *Decoder) continues() bool {
	if d.scanner.Name != rootElement {
		return false
	}
	next := Batch{}
	next.readRoot(d.scanner.Attributes)
	if next.Session != d.batch.Session || next.CallBridge != "" && d.batch.CallBridge != "" && next.CallBridge != d.batch.CallBridge {
		return false
	}
	if !slices.Equal(next.Attributes, d.batch.Attributes) {
		return false
	}
	if d.batch.CallBridge == "" {
		d.batch.CallBridge = next.CallBridge
	}
	return true
}

// readRoot takes what a root's start tag says.
func (b *Batch) readRoot(attributes []xmlscan.Attribute) {
	for _, a := range attributes {
		switch a.Name {
		case "session":
			b.Session = withoutBlanks(a.Value)
		case "callBridge":
			b.CallBridge = withoutBlanks(a.Value)
		default:
			b.Attributes = append(b.Attributes, unknown("records/@"+a.Name, a.Value))
		}
	}
}

// isOtherRoot tells whether the child of the root whose start tag was just read is
// the root of a document of another session: the end tag of this one is missing.
func (d *Decoder) isOtherRoot(start int) bool {
	return d.scanner.Name == rootElement && d.isOfOtherSession(start)
}

// isOfOtherSession tells whether the root's start tag at an offset has another
// session than the batch.
func (d *Decoder) isOfOtherSession(offset int) bool {
	session := withoutBlanks(tagAttribute(tagAt(d.body, offset), "session"))
	return session != "" && session != d.batch.Session
}
