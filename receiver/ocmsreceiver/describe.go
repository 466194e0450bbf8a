// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package ocmsreceiver

import (
	"strconv"

	"github.com/legato-otel/legato/internal/ocms"
	"github.com/legato-otel/legato/internal/otel/logrecord"
)

// describe returns the body of an event's record: one short sentence for people.
func describe(e *ocms.Event, w attributeWriter) string {
	var room [256]byte
	b := room[:0]
	switch e.Kind() {
	case ocms.Request:
		b = logrecord.AppendText(b, w.sanitize(e.Method))
	case ocms.Response:
		b = logrecord.AppendText(b, w.sanitize(e.Method))
		b = append(b, " answered "...)
		b = strconv.AppendInt(b, int64(e.Code), 10)
	case ocms.Generic:
		b = append(b, "event of "...)
		return string(logrecord.AppendText(b, w.sanitize(e.Service)))
	}
	b = append(b, ": "...)
	b = appendParty(b, &e.From, w)
	b = append(b, " to "...)
	return string(appendParty(b, &e.To, w))
}

// appendParty appends the display name of a party, or its user and host, or its URI.
func appendParty(b []byte, a *ocms.Address, w attributeWriter) []byte {
	switch {
	case a.Display != "":
		return logrecord.AppendText(b, w.sanitize(a.Display))
	case a.URI.User != "":
		b = logrecord.AppendText(b, w.sanitize(a.URI.User))
		return append(logrecord.AppendText(append(b, '@'), w.sanitize(a.URI.Host)), ""...)
	case a.URI.Text != "":
		return logrecord.AppendText(b, w.sanitize(a.URI.Text))
	default:
		return append(b, "unknown"...)
	}
}
