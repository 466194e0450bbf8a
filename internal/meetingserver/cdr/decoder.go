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

// Errors of a malformed part with valid XML. Invalid XML is a *xmlscan.SyntaxError.
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

// objectDepth is the number of open elements in an object: <records>, <record> and the object
// itself.
const objectDepth = 3

// Bounds of the result of one body. Parts above them become Malformed.
const (
	// maxFields of one record, because writing the fields into a map takes quadratic
	// time. A real record has at most about 60.
	maxFields = 128
	// maxRecords and maxValues bound the memory of a batch, however small its records
	// are. Later records are the next batch of the same document.
	maxRecords = 1 << 15
	maxValues  = 1 << 18
	// maxRecordPaths and maxPaths bound the paths of undocumented values, of one
	// record and of one batch, in bytes.
	maxRecordPaths = 16 << 10
	maxPaths       = 4 << 20
	// maxMalformed bounds the malformed parts and the faults of a body, because each
	// fault may need a scan of the whole body. The rest is added to the last part.
	maxMalformed = 64
	// maxBatches of one body, because each batch needs a delivery of its own. A sender
	// has one session, or a few if it collects records of others.
	maxBatches = 256
)

// Decoder decodes bodies. It reuses its buffers for the next body, so that a record needs no
// allocation. It is not safe for concurrent use.
type Decoder struct {
	scanner         xmlscan.Scanner
	batch           Batch
	fields          []Field
	alarms          []Alarm
	recordRanges    []recordRange
	object          objectReader
	body            string
	faultCount      int
	batchCount      int  // of this body
	pathBytes       int  // bytes of the paths of undocumented values in this batch
	resumesDocument bool // the next batch continues the document of this one

	// Cache of the last parsed time.
	lastTime              time.Time
	lastText, lastTrimmed string
}

// recordRange is the range of a record's fields and alarms in the decoder's slices. The slices
// may move while they grow, so a record gets its subslices at the end of the batch.
type recordRange struct {
	fieldsStart, fieldsEnd, alarmsStart, alarmsEnd int
}

// Decode decodes a body up to the first document of another session, or to the bounds of a
// batch. DecodeNext decodes the next batch. Parts that it cannot decode become the batch's
// Malformed parts. The batch's slices are valid until the next call; see the package comment.
func (d *Decoder) Decode(body string) *Batch {
	d.faultCount, d.batchCount, d.resumesDocument = 0, 0, false
	return d.decode(body)
}

// DecodeNext decodes the next batch of the same body. It returns nil after the last one.
func (d *Decoder) DecodeNext() *Batch {
	if d.batch.Next == 0 {
		return nil
	}
	return d.decode(d.body[d.batch.Next:])
}

func (d *Decoder) decode(body string) *Batch {
	d.body, d.lastText, d.pathBytes = body, "", 0
	d.scanner.Reset(body, xmlscan.DefaultLimits)
	d.scanner.LeafDepth = objectDepth
	before := d.batch
	d.batch = Batch{Body: body, Records: before.Records[:0], Malformed: before.Malformed[:0], Attributes: before.Attributes[:0]}
	d.fields, d.alarms, d.recordRanges = d.fields[:0], d.alarms[:0], d.recordRanges[:0]

	if d.resumesDocument {
		d.resumesDocument, d.batch.Continues = false, true
		d.batch.Session, d.batch.CallBridge, d.batch.Attributes = before.Session, before.CallBridge, before.Attributes
		d.scanner.Resume(0, 1)
	} else {
		d.batchCount++
		if err := d.readRootTag(); err != nil {
			d.quarantineBody(err)
			return &d.batch
		}
	}
	d.readRecords()
	if d.batch.Next > 0 {
		d.batch.Body = body[:d.batch.Next]
	}
	for i, r := range d.recordRanges {
		d.batch.Records[i].Fields = d.fields[r.fieldsStart:r.fieldsEnd]
		d.batch.Records[i].Alarms = d.alarms[r.alarmsStart:r.alarmsEnd]
	}
	return &d.batch
}

func (d *Decoder) readRootTag() error {
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

// readRecords reads all children of the root, and the later documents of the same session.
func (d *Decoder) readRecords() {
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
				if trimBlanks(d.scanner.Text) == "" {
					continue
				}
				err = ErrStray
			case xmlscan.StartElement:
				if d.isOtherRoot(start) {
					d.addMalformed(start, start, Header{}, &xmlscan.SyntaxError{Offset: start, Err: xmlscan.ErrTruncated})
					d.endBatchAt(start)
					return
				}
				if d.isFull() {
					d.batch.Next, d.resumesDocument = start, true
					return
				}
				header, err = d.readChild(start)
				if err == nil {
					continue
				}
			}
		}
		if !d.skipToNextRecord(start, header, err) {
			return
		}
	}
}

// isFull reports whether the batch is at one of its bounds.
func (d *Decoder) isFull() bool {
	return len(d.batch.Records) >= maxRecords || len(d.fields)+len(d.alarms) >= maxValues || d.pathBytes > maxPaths
}

// skipToNextRecord adds the part from start to the next record's start tag as malformed, and
// continues there. It returns false if no record follows.
func (d *Decoder) skipToNextRecord(start int, header Header, err error) bool {
	d.faultCount++
	from := d.scanner.Offset()
	if nested, ok := errors.AsType[*nestedError](err); ok {
		from, err = nested.offset, ErrNested
	} else if errors.Is(err, xmlscan.ErrTruncated) {
		// An element or a comment without an end includes all following records. The next
		// record may still be readable.
		from = start
	}
	if d.scanner.Depth() == 0 && d.faultCount < maxMalformed {
		if next := nextTag(d.body, rootElement, start+1); next >= 0 {
			// The content between two documents is malformed.
			d.addMalformed(start, next, header, err)
			d.endBatchAt(next)
			return false
		}
	}
	next := nextTag(d.body, recordElement, max(from, start+1))
	if d.scanner.Depth() == 0 || next < 0 || d.faultCount == maxMalformed {
		d.addMalformed(start, d.endOfRest(start), header, err)
		return false
	}
	if root := nextTag(d.body[:next], rootElement, start+1); root >= 0 && d.isOfOtherSession(root) {
		d.addMalformed(start, root, header, err)
		d.endBatchAt(root)
		return false
	}
	d.addMalformed(start, next, header, err)
	d.scanner.Resume(next, 1)
	return true
}

// endOfRest returns the end of the malformed rest of the body: the root's end tag if nothing
// follows it, else the end of the body.
func (d *Decoder) endOfRest(start int) int {
	const rootEnd = "</records"
	if d.scanner.Depth() > 0 {
		i := strings.LastIndex(d.body[start:], rootEnd)
		if i > 0 && trimBlanks(d.body[start+i+len(rootEnd):]) == ">" {
			return start + i
		}
	}
	return len(d.body)
}

func (d *Decoder) addMalformed(start, end int, header Header, err error) {
	raw := d.body[start:end]
	var indices []IndexRange
	if header.Index.Valid || header.LegacyIndex.Valid {
		indices = appendIndices(nil, raw[1:]) // without the index of header
	} else {
		indices = appendIndices(nil, raw)
	}
	// A part without a start tag that directly follows another part belongs to that part, so
	// that each fault is reported once.
	if n := len(d.batch.Malformed); n > 0 && header == (Header{}) {
		if last := &d.batch.Malformed[n-1]; last.Offset+len(last.Raw) == start {
			last.Raw = d.body[last.Offset:end]
			last.Indices = append(last.Indices, indices...)
			return
		}
	}
	d.batch.Malformed = append(d.batch.Malformed, Malformed{Raw: raw, Offset: start, Err: err, Header: header, Indices: indices})
}

// readChild reads a child of the root after its start tag.
func (d *Decoder) readChild(start int) (Header, error) {
	if d.scanner.Name != recordElement {
		return Header{}, d.skipToRootLevel(ErrStray)
	}
	mark := recordRange{fieldsStart: len(d.fields), alarmsStart: len(d.alarms)}
	record := Record{Header: d.readHeader()}
	if err := d.readRecord(&record); err != nil {
		d.fields, d.alarms = d.fields[:mark.fieldsStart], d.alarms[:mark.alarmsStart]
		return record.Header, err
	}
	mark.fieldsEnd, mark.alarmsEnd = len(d.fields), len(d.alarms)
	record.Raw = d.body[start:d.scanner.Offset()]
	d.batch.Records = append(d.batch.Records, record)
	d.recordRanges = append(d.recordRanges, mark)
	return record.Header, nil
}

// readHeader reads the attributes of a record's start tag.
func (d *Decoder) readHeader() (h Header) {
	for _, a := range d.scanner.Attributes {
		switch a.Name {
		case "type":
			h.TypeText = trimBlanks(a.Value)
			h.Type = typeOf(h.TypeText)
		case "time":
			h.Time, h.TimeText = d.readTime(a.Value)
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
			d.addUndocumented(recordElement+"/@"+a.Name, a.Value)
		}
	}
	return h
}

// readTime parses a time. It caches the last one, because many records share a second.
func (d *Decoder) readTime(text string) (time.Time, string) {
	if text != d.lastText || text == "" {
		d.lastText = text
		d.lastTime, d.lastTrimmed = parseTime(text)
	}
	return d.lastTime, d.lastTrimmed
}

// readRecord reads a record after its start tag.
func (d *Decoder) readRecord(r *Record) error {
	for {
		kind, err := d.nextToken()
		switch {
		case err != nil:
			return err
		case kind == xmlscan.EndElement:
			if r.Element == "" {
				return ErrNoObject
			}
			return nil
		case kind == xmlscan.Text:
			if trimBlanks(d.scanner.Text) != "" {
				return d.skipToRootLevel(ErrStray)
			}
		case r.Element != "":
			return d.skipToRootLevel(ErrManyObjects)
		default:
			if err := d.readObject(r); err != nil {
				return err
			}
		}
	}
}

// skipToRootLevel reads to the end of the open child of the root, so that all of it becomes
// malformed. It returns err, or a syntax error in the rest.
func (d *Decoder) skipToRootLevel(err error) error {
	for d.scanner.Depth() > 1 {
		if _, syntax := d.nextToken(); syntax != nil {
			return syntax
		}
	}
	return err
}

// nestedError is ErrNested with the offset of the inner record's start tag, where decoding
// continues.
type nestedError struct{ offset int }

func (*nestedError) Error() string { return ErrNested.Error() }

// nextToken returns the next token inside a record. A <record> there means that the outer one
// has no end tag.
func (d *Decoder) nextToken() (xmlscan.Kind, error) {
	kind, err := d.scanner.Next()
	if err == nil && (kind == xmlscan.StartElement || kind == xmlscan.Leaf) && d.scanner.Name == recordElement {
		return kind, &nestedError{offset: d.scanner.Start()}
	}
	return kind, err
}

func undocumentedField(path, text string) Field {
	return Field{Path: path, Value: Value{Text: trimBlanks(text)}}
}
