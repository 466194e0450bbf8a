// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package cdr

import (
	"errors"
	"math"
	"strings"
	"time"

	"github.com/legato-otel/legato/internal/scan/xmlscan"
)

// What can be wrong with a part of a body besides its XML syntax, which is a
// *xmlscan.SyntaxError.
var (
	ErrRoot        = errors.New("root element is not <records>")
	ErrNested      = errors.New("<record> stands inside a <record>: the outer one is not closed")
	ErrNoObject    = errors.New("record holds no object")
	ErrManyObjects = errors.New("record holds more than one object")
	ErrStray       = errors.New("content between the records that is not a record")
	ErrManyFields  = errors.New("record has too many values")
	ErrManyBatches = errors.New("body has documents of too many sessions; the rest is not read")
)

const recordElement = "record"

// objectDepth is how many elements are open within an object: <records>,
// <record> and the object itself.
const objectDepth = 3

// Caps on what one body may cost those who work on the result. What lies
// beyond them is kept, as Malformed.
const (
	// maxFields of one record; a real one has at most about 60. Who writes the
	// fields into a map pays for their square.
	maxFields = 128
	// maxRecords of one batch, and maxValues of all of them: the memory of a batch
	// is bounded, however small its records are. The records behind them are
	// another batch of the same document.
	maxRecords = 1 << 15
	maxValues  = 1 << 18
	// maxRecordPaths and maxPaths bound the paths of undocumented values, of one
	// record and of one batch, in bytes.
	maxRecordPaths = 16 << 10
	maxPaths       = 4 << 20
	// maxMalformed parts, and faults, of one body; the rest of the body joins
	// the last one. Finding a fault may take a look at all of the body.
	maxMalformed = 64
	// maxBatches of one body: each has its cost for those who work on it. A
	// sender has one session, and one that collects for others has few.
	maxBatches = 256
)

// Decoder reads bodies. It keeps its buffers from one to the next, so that a
// record costs no allocation of its own. Not safe for concurrent use.
type Decoder struct {
	scanner xmlscan.Scanner
	batch   Batch
	fields  []Field
	alarms  []Alarm
	spans   []span
	object  objectReader
	body    string
	faults  int
	batches int  // of this body
	paths   int  // bytes of the paths of undocumented values, of this batch
	within  bool // the next batch goes on in the document of this one

	// The last time that was read, of this body.
	lastTime              time.Time
	lastText, lastTrimmed string
}

// span is where a record's fields and alarms lie in the decoder's slabs. The
// slabs may move while they grow, so slices of them are cut at the end.
type span struct {
	fields, fieldsEnd, alarms, alarmsEnd int
}

// Decode reads one body, up to the first document in it that is of another
// session or to the bounds of a batch; DecodeNext reads on. It never fails as a whole: what cannot be read is
// in the batch's Malformed parts. The batch's slices are valid until the next
// call; see the package comment.
func (d *Decoder) Decode(body string) *Batch {
	d.faults, d.batches, d.within = 0, 0, false
	return d.decode(body)
}

// DecodeNext reads the next batch of the same body. It returns nil after the last
// one.
func (d *Decoder) DecodeNext() *Batch {
	if d.batch.Next == 0 {
		return nil
	}
	return d.decode(d.body[d.batch.Next:])
}

func (d *Decoder) decode(body string) *Batch {
	d.body, d.lastText, d.paths = body, "", 0
	d.scanner.Reset(body, xmlscan.DefaultLimits)
	d.scanner.LeafDepth = objectDepth
	before := d.batch
	d.batch = Batch{Body: body, Records: before.Records[:0], Malformed: before.Malformed[:0], Attributes: before.Attributes[:0]}
	d.fields, d.alarms, d.spans = d.fields[:0], d.alarms[:0], d.spans[:0]

	if d.within {
		d.within, d.batch.Continues = false, true
		d.batch.Session, d.batch.CallBridge, d.batch.Attributes = before.Session, before.CallBridge, before.Attributes
		d.scanner.Resume(0, 1)
	} else {
		d.batches++
		if err := d.root(); err != nil {
			d.readUnreadable(err)
			return &d.batch
		}
	}
	d.records()
	if d.batch.Next > 0 {
		d.batch.Body = body[:d.batch.Next]
	}
	for i, s := range d.spans {
		d.batch.Records[i].Fields = d.fields[s.fields:s.fieldsEnd]
		d.batch.Records[i].Alarms = d.alarms[s.alarms:s.alarmsEnd]
	}
	return &d.batch
}

func (d *Decoder) root() error {
	kind, err := d.scanner.Next()
	if err != nil {
		return err
	}
	if kind != xmlscan.StartElement || d.scanner.Name != rootElement {
		return ErrRoot
	}
	d.batch.readRoot(d.scanner.Attributes)
	return nil
}

// records reads all children of the root and what follows it, the documents of
// the same session included.
func (d *Decoder) records() {
	for {
		kind, err := d.scanner.Next()
		start := d.scanner.Start()
		var header Header
		if err == nil {
			switch kind {
			case xmlscan.EndOfDocument:
				return
			case xmlscan.EndElement: // the root's
				if !d.nextDocument() {
					return
				}
				continue
			case xmlscan.Text:
				if trim(d.scanner.Text) == "" {
					continue
				}
				err = ErrStray
			case xmlscan.StartElement:
				if d.isOtherRoot(start) {
					d.malformed(start, start, Header{}, &xmlscan.SyntaxError{Offset: start, Err: xmlscan.ErrTruncated})
					d.endAt(start)
					return
				}
				if d.isFull() {
					d.batch.Next, d.within = start, true
					return
				}
				header, err = d.child(start)
				if err == nil {
					continue
				}
			}
		}
		if !d.skip(start, header, err) {
			return
		}
	}
}

// isFull tells that the batch holds no more records.
func (d *Decoder) isFull() bool {
	return len(d.batch.Records) >= maxRecords || len(d.fields)+len(d.alarms) >= maxValues || d.paths > maxPaths
}

// skip puts the part from start to the next record's start tag aside as
// malformed and continues there; false if no record follows.
func (d *Decoder) skip(start int, header Header, err error) bool {
	d.faults++
	from := d.scanner.Offset()
	if nested, ok := errors.AsType[*nestedError](err); ok {
		from, err = nested.offset, ErrNested
	} else if errors.Is(err, xmlscan.ErrTruncated) {
		// Something lacks its end, say a comment, and the scanner took all
		// that follows for a part of it. The next record need not be.
		from = start
	}
	if d.scanner.Depth() == 0 && d.faults < maxMalformed {
		if next := nextTag(d.body, rootElement, start+1); next >= 0 {
			// Something stands between two documents.
			d.malformed(start, next, header, err)
			d.endAt(next)
			return false
		}
	}
	next := nextTag(d.body, recordElement, max(from, start+1))
	if d.scanner.Depth() == 0 || next < 0 || d.faults == maxMalformed {
		d.malformed(start, d.rest(start), header, err)
		return false
	}
	if root := nextTag(d.body[:next], rootElement, start+1); root >= 0 && d.isOfOtherSession(root) {
		d.malformed(start, root, header, err)
		d.endAt(root)
		return false
	}
	d.malformed(start, next, header, err)
	d.scanner.Resume(next, 1)
	return true
}

// rest returns the end of what is left of the body from start: the root's end
// tag, if there is nothing behind it, else the end of the body.
func (d *Decoder) rest(start int) int {
	const rootEnd = "</records"
	if d.scanner.Depth() > 0 {
		i := strings.LastIndex(d.body[start:], rootEnd)
		if i > 0 && trim(d.body[start+i+len(rootEnd):]) == ">" {
			return start + i
		}
	}
	return len(d.body)
}

func (d *Decoder) malformed(start, end int, header Header, err error) {
	raw := d.body[start:end]
	var indices []IndexRange
	if header.Index.Valid || header.LegacyIndex.Valid {
		indices = appendIndices(nil, raw[1:]) // header has its own
	} else {
		indices = appendIndices(nil, raw)
	}
	// A part without a start tag of its own right behind another one is the
	// rest of it: one fault, one report.
	if n := len(d.batch.Malformed); n > 0 && header == (Header{}) {
		if last := &d.batch.Malformed[n-1]; last.Offset+len(last.Raw) == start {
			last.Raw = d.body[last.Offset:end]
			last.Indices = append(last.Indices, indices...)
			return
		}
	}
	d.batch.Malformed = append(d.batch.Malformed, Malformed{Raw: raw, Offset: start, Err: err, Header: header, Indices: indices})
}

// child reads one element below the root, whose start tag was just read.
func (d *Decoder) child(start int) (Header, error) {
	if d.scanner.Name != recordElement {
		return Header{}, d.drain(ErrStray)
	}
	mark := span{fields: len(d.fields), alarms: len(d.alarms)}
	record := Record{Header: d.header()}
	if err := d.record(&record); err != nil {
		d.fields, d.alarms = d.fields[:mark.fields], d.alarms[:mark.alarms]
		return record.Header, err
	}
	mark.fieldsEnd, mark.alarmsEnd = len(d.fields), len(d.alarms)
	record.Raw = d.body[start:d.scanner.Offset()]
	d.batch.Records = append(d.batch.Records, record)
	d.spans = append(d.spans, mark)
	return record.Header, nil
}

// header reads the attributes of a record's start tag.
func (d *Decoder) header() (h Header) {
	for _, a := range d.scanner.Attributes {
		switch a.Name {
		case "type":
			h.TypeText = trim(a.Value)
			h.Type = typeOf(h.TypeText)
		case "time":
			h.Time, h.TimeText = d.time(a.Value)
		case "correlatorIndex":
			h.Index = parseNumber(a.Value)
		case "recordIndex":
			h.LegacyIndex = parseNumber(a.Value)
		case "numPrecedingRecordsMissing", "numPreceedingRecordsMissing":
			if !h.Missing.Valid {
				h.Missing = parseNumber(a.Value)
				h.Missing.Valid = h.Missing.Valid && h.Missing.Value <= math.MaxUint32
			}
		default:
			d.addUnknown(recordElement+"/@"+a.Name, a.Value)
		}
	}
	return h
}

// time reads a time, or takes that of the record before: many records share a
// second.
func (d *Decoder) time(text string) (time.Time, string) {
	if text != d.lastText || text == "" {
		d.lastText = text
		d.lastTime, d.lastTrimmed = parseTime(text)
	}
	return d.lastTime, d.lastTrimmed
}

// record reads from behind a record's start tag to its end tag.
func (d *Decoder) record(r *Record) error {
	for {
		kind, err := d.next()
		switch {
		case err != nil:
			return err
		case kind == xmlscan.EndElement:
			if r.Element == "" {
				return ErrNoObject
			}
			return nil
		case kind == xmlscan.Text:
			if trim(d.scanner.Text) != "" {
				return d.drain(ErrStray)
			}
		case r.Element != "":
			return d.drain(ErrManyObjects)
		default:
			if err := d.readObject(r); err != nil {
				return err
			}
		}
	}
}

// drain reads to the end of the open child of the root, so that all of it is
// put aside, and returns err, or the syntax error met on the way.
func (d *Decoder) drain(err error) error {
	for d.scanner.Depth() > 1 {
		if _, syntax := d.next(); syntax != nil {
			return syntax
		}
	}
	return err
}

// nestedError is ErrNested with the offset of the inner record's start tag, at
// which reading can resume.
type nestedError struct{ offset int }

func (*nestedError) Error() string { return ErrNested.Error() }

// next returns the next token inside a record. A <record> there means that the
// end tag of the outer one is missing.
func (d *Decoder) next() (xmlscan.Kind, error) {
	kind, err := d.scanner.Next()
	if err == nil && (kind == xmlscan.StartElement || kind == xmlscan.Leaf) && d.scanner.Name == recordElement {
		return kind, &nestedError{offset: d.scanner.Start()}
	}
	return kind, err
}

func unknown(path, text string) Field {
	return Field{Path: path, Value: Value{Text: trim(text)}}
}
