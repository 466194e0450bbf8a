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

// origin is where lines come from.
type origin struct {
	attributes map[string]any // of the file, nil for syslog
	resource   resource
	again      bool // lines that are not taken are read again after a restart
}

// line is a line as it was read.
type line struct {
	text   string
	offset int64 // in its file
}

// uid tells a line of a file from every other one, also after the file was renamed.
type uid = [16]byte

func (l *line) uid() uid {
	b := binary.BigEndian.AppendUint64(make([]byte, 0, 8+len(l.text)), uint64(l.offset)) //nolint:gosec // an offset is not negative
	hash := sha256.Sum256(append(b, l.text...))
	return uid(hash[:16])
}

// kind is what a line is.
type kind uint8

const (
	isEvent kind = iota
	isMalformed
	isXML
)

// part is one line, and what is to be done with it.
type part struct {
	line
	uid       uid
	kind      kind
	event     *ocms.Event // of a malformed line, what could be read
	err       error       // why it is malformed
	key       dedup.Key
	hasKey    bool
	duplicate bool
	entries   int // how many of the intake's belong to the lines before
}

// intake is the work on some lines of one origin.
type intake struct {
	origin   *origin
	received time.Time
	parts    []part
	keys     []dedup.Key
	entries  []dedup.Entry
	fresh    int // lines that are new
}

// errXML is why a line of an XML file is no event.
var errXML = errors.New("the file is the XML of java.util.logging, as release 10g R3 writes it: configure Log4j's BasicLayout for the event log")

// newIntake decodes lines. Blank ones are nothing.
func (d *delivery) newIntake(from *origin, lines []line) *intake {
	in := &intake{origin: from, received: time.Now(), parts: make([]part, 0, len(lines))}
	for _, l := range lines {
		if strings.TrimSpace(l.text) == "" {
			continue
		}
		p := part{line: l}
		if from.again {
			p.uid = l.uid()
		}
		if p.event, p.err = d.decode(l.text); p.err != nil {
			p.kind = isMalformed
			if ocms.IsLoggingXML(l.text) {
				p.kind, p.err = isXML, errXML
			}
		} else if p.key, p.hasKey = p.event.Identity(); p.hasKey {
			in.keys = append(in.keys, p.key)
		}
		in.parts = append(in.parts, p)
	}
	return in
}

// decode decodes a line, with or without the header that a syslog daemon wrote in
// front of it.
func (d *delivery) decode(text string) (*ocms.Event, error) {
	event, err := d.newDecoder().Decode(text)
	if !errors.Is(err, ocms.ErrNoAttribute) {
		return event, err
	}
	if header, rest := ocms.CutSyslogHeader(text); header.Text != "" {
		if behind, err := d.newDecoder().Decode(rest); err == nil {
			return behind, nil
		}
	}
	return event, err
}

// newDecoder returns a decoder for one line: an event is valid as long as its decoder
// is not used again.
func (d *delivery) newDecoder() *ocms.Decoder {
	return &ocms.Decoder{Splitter: ocms.Splitter{ExtraKeys: d.extraKeys}, CreationTimeIsLocal: d.local}
}

// markDuplicates finds out which lines are new: not taken before a crash, and not
// about a message that is known. The caller holds the lock of the keys.
func (d *delivery) markDuplicates(in *intake) {
	here := make(map[dedup.Key]bool, len(in.keys))
	for i := range in.parts {
		p := &in.parts[i]
		p.entries = len(in.entries)
		switch {
		case in.origin.again && d.store.wasTaken(p.uid):
			p.duplicate = true
		case p.hasKey && d.windows.Window > 0:
			if p.duplicate = here[p.key] || d.known.Contains(p.key, in.received); !p.duplicate {
				here[p.key] = true
				in.entries = append(in.entries, dedup.Entry{Key: p.key, Until: in.received.Add(d.windows.Window)})
			}
		}
		if !p.duplicate {
			in.fresh++
		}
	}
}

// sizeOfPart returns how long a line is, and whether it is new.
func (in *intake) sizeOfPart(i int) (bytes int, fresh bool) {
	return len(in.parts[i].text), !in.parts[i].duplicate
}

// entriesOf returns what makes the lines of a piece known.
func (in *intake) entriesOf(from, to int) []dedup.Entry {
	end := len(in.entries)
	if to < len(in.parts) {
		end = in.parts[to].entries
	}
	return in.entries[in.parts[from].entries:end]
}
