// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package cdr

import (
	"slices"

	"github.com/legato-otel/legato/internal/scan/xmlscan"
)

const rootElement = "records"

// nextDocument reads the root's start tag of the next document in the same body, after
// blanks, comments and a declaration. It returns false at the end of the batch: at the end of
// the body, or before a document of another session.
func (d *Decoder) nextDocument() bool {
	closed := d.scanner
	if !d.scanner.NextDocument() {
		return true // no document follows; readRecords reads the rest
	}
	kind, err := d.scanner.Next()
	start := d.scanner.Start()
	switch {
	case err == nil && kind == xmlscan.StartElement && d.continuesSession():
		return true
	case isTag(d.body, rootElement, start):
		d.endBatchAt(start)
		return false
	default:
		d.scanner = closed
		return true
	}
}

// endBatchAt ends the batch before the document at offset.
func (d *Decoder) endBatchAt(offset int) {
	if d.batchCount < maxBatches {
		d.batch.Next = offset
		return
	}
	// The part has no indices, because they belong to another session.
	d.batch.Malformed = append(d.batch.Malformed, Malformed{Raw: d.body[offset:], Offset: offset, Err: ErrManyBatches})
}

// continuesSession reports whether the root's start tag has the session of the batch, and no
// other bridge or attributes.
func (d *Decoder) continuesSession() bool {
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

// readRoot reads the attributes of a root's start tag.
func (b *Batch) readRoot(attributes []xmlscan.Attribute) {
	for _, a := range attributes {
		switch a.Name {
		case "session":
			b.Session = withoutBlanks(a.Value)
		case "callBridge":
			b.CallBridge = withoutBlanks(a.Value)
		default:
			b.Attributes = append(b.Attributes, undocumentedField("records/@"+a.Name, a.Value))
		}
	}
}

// isOtherRoot reports whether a child of the root is the root of a document of another session,
// because this document has no end tag.
func (d *Decoder) isOtherRoot(start int) bool {
	return d.scanner.Name == rootElement && d.isOfOtherSession(start)
}

// isOfOtherSession reports whether the root's start tag at an offset has another
// session than the batch.
func (d *Decoder) isOfOtherSession(offset int) bool {
	session := withoutBlanks(tagAttribute(tagAt(d.body, offset), "session"))
	return session != "" && session != d.batch.Session
}
