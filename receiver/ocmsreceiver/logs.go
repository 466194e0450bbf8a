// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package ocmsreceiver

import (
	"encoding/hex"
	"strconv"
	"strings"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/legato-otel/legato/internal/ingest/outbox"
	"github.com/legato-otel/legato/internal/names"
	"github.com/legato-otel/legato/internal/ocms"
	"github.com/legato-otel/legato/internal/otel/logrecord"
	"github.com/legato-otel/legato/internal/redact"
)

// The values of error.type.
const (
	errorMalformed = "malformed_line"
	errorXML       = "java_util_logging_xml"
	errorRejected  = "rejected_by_pipeline"
)

var eventNames = [...]string{ocms.Generic: names.EventOCMSEvent, ocms.Request: names.EventOCMSRequest, ocms.Response: names.EventOCMSResponse}

// maxMessage is the longest error text of another component that is kept, in bytes.
const maxMessage = 1024

// addRecords adds the log records of the new lines of a piece.
func (d *delivery) addRecords(in *batch, p *outbox.Chunk, to *outbox.PayloadWriter) {
	for i := p.From; i < p.To; i++ {
		part := &in.lines[i]
		switch {
		case part.duplicate:
		case part.kind != isEvent:
			addMalformedRecord(in, part, to)
		default:
			d.addEventRecord(in, part, to)
		}
	}
}

// eventAttributes is the capacity for the attributes of an event. Few events have more.
const eventAttributes = 40

// addEventRecord adds the record of an event. For a line that is too long for an attribute
// it adds the line as records of its own and clips the values.
func (d *delivery) addEventRecord(in *batch, part *batchLine, to *outbox.PayloadWriter) {
	e := part.event
	isLong := len(part.text) > logrecord.MaxRaw
	if isLong {
		addRaw(in, part, to, names.EventOCMSLong, plog.SeverityNumberInfo, nil)
	}
	lr := to.Records.AppendEmpty()
	lr.SetEventName(eventNames[e.Kind()])
	lr.SetObservedTimestamp(to.ReceivedAt)
	lr.SetTimestamp(to.ReceivedAt)
	if !e.Time.IsZero() && e.Time.Unix() > 0 {
		lr.SetTimestamp(pcommon.NewTimestampFromTime(e.Time))
	}
	logrecord.SetSeverity(lr, severityOf(e))
	w := attributeWriter{attributes: lr.Attributes(), invalidUTF8: e.Flags().Has(ocms.InvalidText), clip: isLong}
	w.attributes.EnsureCapacity(eventAttributes + logrecord.StampAttributes)
	putLineOrigin(w.attributes, in, part, "")
	w.writeEvent(e)
	if d.keepOriginal && !isLong {
		putText(w.attributes.PutEmpty(names.LogRecordOriginal), redact.Text(part.text), w.invalidUTF8)
	}
	lr.Body().SetStr(describe(e, w))
}

// putText writes text as a string, or as bytes if it is not UTF-8, so that no byte
// changes.
func putText(to pcommon.Value, text string, invalid bool) {
	if invalid {
		to.SetEmptyBytes().FromRaw([]byte(text))
	} else {
		to.SetStr(text)
	}
}

// severityOf returns the severity for the status code. 401 and 407 ask for credentials and
// 3xx for another address; they are not failures.
func severityOf(e *ocms.Event) plog.SeverityNumber {
	switch {
	case e.Code >= 500:
		return plog.SeverityNumberError
	case e.Code >= 400 && !isStep(e.Code):
		return plog.SeverityNumberWarn
	default:
		return plog.SeverityNumberInfo
	}
}

// putLineOrigin writes the file, offset and uid of a line. suffix makes the uid of each
// record unique if a line has several.
func putLineOrigin(m pcommon.Map, in *batch, part *batchLine, suffix string) {
	for _, key := range [...]string{names.LogFileName, names.LogFilePath} {
		if value, ok := in.origin.attributes[key].(string); ok {
			m.PutStr(key, strings.ToValidUTF8(value, "\ufffd"))
		}
	}
	for key, value := range in.origin.attributes { // as configured: owner, resolved names
		if _, known := m.Get(key); !known {
			_ = m.PutEmpty(key).FromRaw(value)
		}
	}
	if in.origin.rereadable {
		m.PutInt(names.LogRecordOffset, part.offset)
		m.PutStr(names.LogRecordUID, hex.EncodeToString(part.uid[:])+suffix)
	}
}

// addMalformedRecord adds a record with the bytes of a line that is not an event, and the
// attributes that could be decoded.
func addMalformedRecord(in *batch, part *batchLine, to *outbox.PayloadWriter) {
	kind := errorMalformed
	if part.kind == isXML {
		kind = errorXML
	}
	message := part.err.Error()
	addRaw(in, part, to, names.EventOCMSMalformed, plog.SeverityNumberError, func(lr plog.LogRecord, first bool) {
		if first && part.event.Line.Len() > 0 {
			e := part.event
			w := attributeWriter{attributes: lr.Attributes(), invalidUTF8: e.Flags().Has(ocms.InvalidText), clip: len(part.text) > logrecord.MaxRaw}
			w.writeEvent(e)
			if !e.Time.IsZero() && e.Time.Unix() > 0 {
				lr.SetTimestamp(pcommon.NewTimestampFromTime(e.Time))
			}
		}
		lr.Attributes().PutStr(names.ErrorType, kind)
		lr.Attributes().PutStr(names.ErrorMessage, message)
	})
}

// addQuarantined adds records with the bytes of new lines that the pipeline refused
// permanently.
func addQuarantined(in *batch, p *outbox.Chunk, to *outbox.PayloadWriter) {
	message := p.QuarantineReason.Error()
	message = strings.ToValidUTF8(message[:min(len(message), maxMessage)], "")
	for i := p.From; i < p.To; i++ {
		if part := &in.lines[i]; !part.duplicate {
			addRaw(in, part, to, names.EventOCMSMalformed, plog.SeverityNumberError, func(lr plog.LogRecord, _ bool) {
				lr.Attributes().PutStr(names.ErrorType, errorRejected)
				lr.Attributes().PutStr(names.ErrorMessage, message)
			})
		}
	}
}

// addRaw adds a line as it was read, without recognizable secrets, and split into several
// records if it is long. complete, if not nil, adds attributes to each record.
func addRaw(in *batch, part *batchLine, to *outbox.PayloadWriter, event string, severity plog.SeverityNumber, complete func(lr plog.LogRecord, first bool)) {
	number := 0
	to.AddRaw(&logrecord.Raw{
		EventName: event, Severity: severity, PartKey: names.OCMSRecordPart, PartsKey: names.OCMSRecordParts, Text: part.text,
	}, func(lr plog.LogRecord, first bool) {
		number++
		suffix := ""
		if number > 1 || event == names.EventOCMSLong {
			suffix = "-" + strconv.Itoa(number)
		}
		lr.SetTimestamp(to.ReceivedAt)
		putLineOrigin(lr.Attributes(), in, part, suffix)
		if complete != nil {
			complete(lr, first)
		}
	})
}

// isStep reports whether a final response asks for another request instead of ending the
// call.
func isStep(code int) bool { return code == 401 || code == 407 || code >= 300 && code < 400 }
