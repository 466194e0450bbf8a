// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package wire

import (
	"bytes"
	"strconv"
	"time"
)

// Damage is how a record is spoilt on its way.
type Damage int

const (
	// Intact records are well formed.
	Intact Damage = iota
	// Mismatched records have an end tag inside the entity that fits no start tag.
	Mismatched
	// Truncated records break off inside the entity; nothing can follow them
	// in the body.
	Truncated
)

// Numbered is a record with its place in a session.
type Numbered struct {
	Record
	// Correlator is the index since the session began, from 0.
	Correlator uint64
	// Legacy is the index of records sent to this receiver, from 1.
	Legacy uint64
	// Missing counts the records just before this one that were discarded.
	Missing uint64
	Damage  Damage
}

// Body writes the body of one POST. A truncated record ends it.
func Body(session, callBridge string, records []Numbered) []byte {
	b := []byte(`<?xml version="1.0"?><records session="` + session + `"`)
	if callBridge != "" {
		b = append(b, ` callBridge="`+callBridge+`"`...)
	}
	b = append(b, '>')
	for _, r := range records {
		b = appendStart(b, r)
		switch r.Damage {
		case Truncated:
			return append(b, firstHalf(r.Entity)...)
		case Mismatched:
			b = append(b, mismatched(r.Entity)...)
		default:
			b = append(b, r.Entity...)
		}
		b = append(b, "</record>\n"...)
	}
	return append(b, "</records>\n"...)
}

func appendStart(b []byte, r Numbered) []byte {
	b = append(b, `<record type="`+r.Type+`" time="`...)
	b = r.Time.UTC().AppendFormat(b, time.RFC3339)
	b = append(b, `" recordIndex="`...)
	b = strconv.AppendUint(b, r.Legacy, 10)
	b = append(b, `" correlatorIndex="`...)
	b = strconv.AppendUint(b, r.Correlator, 10)
	if r.Missing > 0 {
		b = append(b, `" numPrecedingRecordsMissing="`...)
		b = strconv.AppendUint(b, r.Missing, 10)
	}
	return append(b, "\">\n"...)
}

// mismatched renames the first end tag of an entity, or gives one that has none
// an end tag of another name.
func mismatched(entity []byte) []byte {
	if at := bytes.Index(entity, []byte("</")); at >= 0 {
		return bytes.Join([][]byte{entity[:at+2], []byte("un"), entity[at+2:]}, nil)
	}
	return append(bytes.TrimSuffix(bytes.Clone(entity), []byte("/>")), "></unlike>"...)
}

// firstHalf cuts an entity in the middle, between two characters.
func firstHalf(entity []byte) []byte {
	at := len(entity) / 2
	for at > 1 && entity[at]&0xc0 == 0x80 {
		at--
	}
	return entity[:at]
}
