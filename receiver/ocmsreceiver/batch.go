// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package ocmsreceiver

import (
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"strings"
	"time"

	"github.com/legato-otel/legato/internal/ingest/dedup"
	"github.com/legato-otel/legato/internal/ocms"
)

// origin describes the file or sender of lines.
type origin struct {
	attributes map[string]any // of the file, nil for syslog
	resource   resource
	rereadable bool // after a restart, the input reads undelivered lines again
}

// rawLine is a line as the input read it.
type rawLine struct {
	text       string
	offset     int64 // in its file
	unfinished bool  // the file has no line end behind it
}

// uid identifies a line of a file, also after the file was renamed.
type uid = [16]byte

func (l *rawLine) uid() uid {
	b := binary.BigEndian.AppendUint64(make([]byte, 0, 8+len(l.text)), uint64(l.offset)) //nolint:gosec // an offset is not negative
	hash := sha256.Sum256(append(b, l.text...))
	return uid(hash[:16])
}

// kind is the kind of a line.
type kind uint8

const (
	isEvent kind = iota
	isMalformed
	isXML
)

// batchLine is one line of a batch with its decoded event and its state.
type batchLine struct {
	rawLine
	uid           uid
	kind          kind
	event         *ocms.Event // of a malformed line: the values that could be decoded
	err           error       // why it is malformed
	key           dedup.Key
	hasKey        bool
	duplicate     bool
	entriesBefore int // number of dedupEntries of the preceding lines
}

// batch is a number of lines of one origin on their way to the next consumer.
type batch struct {
	origin       *origin
	received     time.Time
	lines        []batchLine
	keys         []dedup.Key
	dedupEntries []dedup.Entry
	newLines     int // number of lines that are not duplicates
}

// errLoggingXML means that a line belongs to a file in XML.
var errLoggingXML = errors.New("the file is the XML of java.util.logging, as release 10g R3 writes it: configure Log4j's BasicLayout for the event log")

// errUnfinished means that a line reads like an event, but that its last value may be cut.
var errUnfinished = errors.New("the line has no end: its writer did not finish it within force_flush_period, or it is longer than max_log_size")

// newBatch decodes lines. It skips blank ones.
func (d *delivery) newBatch(from *origin, lines []rawLine) *batch {
	in := &batch{origin: from, received: time.Now(), lines: make([]batchLine, 0, len(lines))}
	for _, l := range lines {
		if strings.TrimSpace(l.text) == "" {
			continue
		}
		p := batchLine{rawLine: l}
		if from.rereadable {
			p.uid = l.uid()
		}
		switch p.event, p.err = d.decode(l.text); {
		case errors.Is(p.err, errLoggingXML):
			p.kind = isXML
		case p.err == nil && l.unfinished:
			p.kind, p.err = isMalformed, errUnfinished
		case p.err != nil:
			p.kind = isMalformed
		default:
			if p.key, p.hasKey = p.event.Identity(); p.hasKey {
				in.keys = append(in.keys, p.key)
			}
		}
		in.lines = append(in.lines, p)
	}
	return in
}

// decode decodes a line, which may have the header of a syslog daemon in front.
func (d *delivery) decode(text string) (*ocms.Event, error) {
	event, err := d.newDecoder().Decode(text)
	if !errors.Is(err, ocms.ErrNoAttribute) {
		return event, err
	}
	if ocms.IsLoggingXML(text) {
		return event, errLoggingXML
	}
	if header, rest := ocms.CutSyslogHeader(text); header.Text != "" {
		if behind, err := d.newDecoder().Decode(rest); err == nil {
			return behind, nil
		}
	}
	return event, err
}

// newDecoder returns a decoder for one line. Events live as long as their batch, and an
// event is valid only until the next use of its decoder.
func (d *delivery) newDecoder() *ocms.Decoder {
	return &ocms.Decoder{Splitter: ocms.Splitter{ExtraKeys: d.extraKeys}, CreationTimeIsLocal: d.creationTimeIsLocal}
}

// markDuplicates marks the lines that were delivered before a crash, and those about a
// message that was accepted before. The caller holds the lock of the keys.
func (d *delivery) markDuplicates(in *batch) {
	here := make(map[dedup.Key]bool, len(in.keys))
	for i := range in.lines {
		p := &in.lines[i]
		p.entriesBefore = len(in.dedupEntries)
		switch {
		case in.origin.rereadable && d.store.wasTaken(p.uid):
			p.duplicate = true
		case p.hasKey && d.deduplication.Window > 0:
			if p.duplicate = here[p.key] || d.acceptedKeys.Contains(p.key, in.received); !p.duplicate {
				here[p.key] = true
				in.dedupEntries = append(in.dedupEntries, dedup.Entry{Key: p.key, ExpiresAt: in.received.Add(d.deduplication.Window)})
			}
		}
		if !p.duplicate {
			in.newLines++
		}
	}
}

// lineSize returns the length of a line in bytes, and whether it is new.
func (in *batch) lineSize(i int) (bytes int, fresh bool) {
	return len(in.lines[i].text), !in.lines[i].duplicate
}

// dedupEntriesOf returns the entries that mark the messages of a piece as accepted.
func (in *batch) dedupEntriesOf(from, to int) []dedup.Entry {
	end := len(in.dedupEntries)
	if to < len(in.lines) {
		end = in.lines[to].entriesBefore
	}
	return in.dedupEntries[in.lines[from].entriesBefore:end]
}
