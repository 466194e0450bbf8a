// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"time"
)

// wireRecord is a record as callsim wrote it, with the parts that differ from one generation
// to the next: see record.
type wireRecord struct {
	text []byte
	// tags, digits and time are where the ids, the index and the time begin.
	tags   []int
	digits int
	time   int
}

const timeOpen = `time="`

var otherDialog = regexp.MustCompile("(<[a-zA-Z]*[sS]ipCallId>)(link-)")

// newWireRecord finds the parts to be written over. Ids are found by their looks: those that
// are values as well as the object's own.
func newWireRecord(text []byte) (w wireRecord, err error) {
	// Space for the prefix of Call-IDs that do not look like ids.
	text = otherDialog.ReplaceAll(text, []byte("${1}"+strings.Repeat("0", tagLength)+"-$2"))
	t, err := render("", "", [][]byte{text})
	if err != nil {
		return w, err
	}
	open := bytes.Index(t.text, recordOpen)
	w.text = bytes.TrimSuffix(t.text[open:], []byte("</records>\n"))
	w.digits = t.digits[0] - open
	if w.time = bytes.Index(w.text, []byte(timeOpen)); w.time < 0 || w.text[w.time+len(timeOpen)+len(time.DateTime)] != 'Z' {
		return w, errors.New("callsim printed a record without a time in UTC")
	}
	w.time += len(timeOpen)
	for at := 1; at+tagLength < len(w.text); at++ {
		if c := w.text[at-1]; (c == '>' || c == '"') && isID(string(w.text[at:at+tagLength+1])) {
			w.tags = append(w.tags, at)
		}
	}
	return w, nil
}

// appendTo appends the record of a generation.
func (w *wireRecord) appendTo(body []byte, e event) []byte {
	at := len(body)
	body = append(body, w.text...)
	digits := tag(e.generation)
	for _, place := range w.tags {
		copy(body[at+place:], digits[:])
	}
	putDigits(body[at+w.digits:at+w.digits+indexDigits], e.index)
	copy(body[at+w.time:], recordTime(e.index).Format(time.DateTime))
	body[at+w.time+len(time.DateOnly)] = 'T'
	return body
}

// legPosts posts the records of a stream.
type legPosts struct {
	stream *stream
	texts  []wireRecord // by number of the record in the world
	batch  int
	open   string // how a body begins

	body, request []byte
}

// newLegPosts continues at the stream's position.
func newLegPosts(s *stream, texts []wireRecord, batch int) *legPosts {
	session, callBridge := laneNames(s.lane)
	open := fmt.Sprintf(`<?xml version="1.0"?><records session="%s" callBridge="%s">`, session, callBridge)
	return &legPosts{stream: s, texts: texts, batch: batch, open: open}
}

func (l *legPosts) next() []byte {
	l.body = append(l.body[:0], l.open...)
	for range l.batch {
		e, _ := l.stream.next()
		l.body = l.texts[e.record].appendTo(l.body, e)
	}
	l.body = append(l.body, "</records>\n"...)
	wire := wires[cdrXML]
	l.request = append(appendHead(l.request[:0], wire.path, wire.contentType, len(l.body)), l.body...)
	return l.request
}

// wireRecords returns the texts of a world's records. The world left out those
// of other objects.
func wireRecords(c *corpus) ([]wireRecord, error) {
	var texts []wireRecord
	for _, text := range c.records {
		if kind := string(text[len(recordOpen):min(len(text), len(recordOpen)+len(`"call`))]); !strings.HasPrefix(kind, `"call`) {
			continue
		}
		w, err := newWireRecord(text)
		if err != nil {
			return nil, err
		}
		texts = append(texts, w)
	}
	if len(texts) != len(c.world.records) {
		return nil, fmt.Errorf("%d records were made of %d", len(c.world.records), len(texts))
	}
	return texts, nil
}
