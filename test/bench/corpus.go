// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
)

// The scenario the records come from: about 3500 of them, more than the caches
// next to a core hold.
const (
	callsim         = "github.com/legato-otel/legato/cmd/callsim"
	callsimSeed     = "1"
	callsimMeetings = "150"
)

// simulate returns the posts of a simulated cluster as callsim prints them. It
// is run, not linked, so that it stays a witness that shares no code. more are flags
// that do not change the records.
func simulate(ctx context.Context, more ...string) ([]byte, error) {
	arguments := append([]string{"run", callsim, "-print", "-seed", callsimSeed, "-meetings", callsimMeetings}, more...)
	cmd := exec.CommandContext(ctx, "go", arguments...)
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("run callsim: %w", err)
	}
	return out, nil
}

// simulatedRecords returns the records of a simulated cluster.
func simulatedRecords(ctx context.Context, more ...string) ([][]byte, error) {
	printed, err := simulate(ctx, more...)
	if err != nil {
		return nil, err
	}
	return cutRecords(printed)
}

var (
	recordOpen   = []byte("<record type=")
	recordClose  = []byte("</record>\n")
	indexOpen    = []byte(`correlatorIndex="`)
	errNoRecords = errors.New("no whole batch of records in what callsim printed")
)

// cutRecords returns the records in printed posts, each up to the line feed
// behind it. The number is a multiple of every batch size, so that the same
// records are posted whatever the size.
func cutRecords(printed []byte) ([][]byte, error) {
	var records [][]byte
	for {
		start := bytes.Index(printed, recordOpen)
		if start < 0 {
			break
		}
		length := bytes.Index(printed[start:], recordClose)
		if length < 0 {
			return nil, errors.New("callsim printed a record without an end tag")
		}
		end := start + length + len(recordClose)
		records = append(records, printed[start:end])
		printed = printed[end:]
	}
	records = records[:len(records)-len(records)%largestBatch]
	if len(records) == 0 {
		return nil, errNoRecords
	}
	return records, nil
}

// indexDigits is the fixed width of a record's index: it is written over with each post,
// because the receiver drops duplicates.
const indexDigits = 10

// template is a post whose record indices are still to be filled in.
type template struct {
	text   []byte
	digits []int // where the indices begin in text
}

// render puts records into the body of one post of the session.
func render(session, callBridge string, records [][]byte) (template, error) {
	var t template
	t.text = fmt.Appendf(nil, `<?xml version="1.0"?><records session="%s" callBridge="%s">`, session, callBridge)
	for _, record := range records {
		tagEnd := bytes.IndexByte(record, '>')
		at := bytes.Index(record[:max(tagEnd, 0)], indexOpen)
		if at < 0 {
			return t, fmt.Errorf("record has no correlatorIndex: %.100q", record)
		}
		at += len(indexOpen)
		length := bytes.IndexByte(record[at:], '"')
		if length < 0 {
			return t, fmt.Errorf("correlatorIndex is not closed: %.100q", record)
		}
		t.text = append(t.text, record[:at]...)
		t.digits = append(t.digits, len(t.text))
		t.text = append(t.text, bytes.Repeat([]byte{'0'}, indexDigits)...)
		t.text = append(t.text, record[at+length:]...)
	}
	t.text = append(t.text, "</records>\n"...)
	return t, nil
}

// number fills in the indices from next on and returns the next free one.
func (t *template) number(next uint64) uint64 {
	for _, at := range t.digits {
		putDigits(t.text[at:at+indexDigits], next)
		next++
	}
	return next
}

// putDigits writes n in decimal over all of place.
func putDigits(place []byte, n uint64) {
	for i := len(place) - 1; i >= 0; i-- {
		place[i] = byte('0' + n%10)
		n /= 10
	}
}

// withHeader puts the head of an HTTP request before a body.
func (t template) withHeader(path, contentType string) template {
	head := appendHead(nil, path, contentType, len(t.text))
	out := template{text: append(head, t.text...)}
	for _, at := range t.digits {
		out.digits = append(out.digits, len(head)+at)
	}
	return out
}

func appendHead(to []byte, path, contentType string, length int) []byte {
	return fmt.Appendf(to, "POST %s HTTP/1.1\r\nHost: collector.example.test\r\nUser-Agent: bench\r\nContent-Type: %s\r\nContent-Length: %d\r\n\r\n",
		path, contentType, length)
}
