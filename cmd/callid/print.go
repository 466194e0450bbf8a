// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"text/tabwriter"

	"github.com/legato-otel/legato/internal/ids"
)

// printer prints the ids of one object at a time, in one write each.
type printer struct {
	options
	out      io.Writer
	printIDs bool // several ids are possible, so print each id before its result
	count    int
	text     bytes.Buffer
}

func newPrinter(opts options, out io.Writer) *printer {
	return &printer{options: opts, out: out, printIDs: len(opts.ids) > 1 || opts.ids[0] == stdinArgument}
}

func (p *printer) print(id string) error {
	p.text.Reset()
	switch {
	case p.json:
		p.appendJSON(id)
	case p.oneKind:
		p.appendPair(id)
	default:
		p.appendTable(id)
	}
	p.count++
	if _, err := p.out.Write(p.text.Bytes()); err != nil {
		return fmt.Errorf("write: %w", err)
	}
	return nil
}

// object is the JSON output for one kind. The field names are those of OTLP's JSON in snake
// case, like the attributes of a span link.
type object struct {
	ID      string `json:"id"`
	Kind    string `json:"kind"`
	TraceID string `json:"trace_id"`
	SpanID  string `json:"span_id"`
}

func compute(kind, id string) object {
	trace, span := ids.Trace(kind, id), ids.Span(kind, id)
	return object{ID: id, Kind: kind, TraceID: hex.EncodeToString(trace[:]), SpanID: hex.EncodeToString(span[:])}
}

func (p *printer) appendJSON(id string) {
	encoder := json.NewEncoder(&p.text)
	encoder.SetEscapeHTML(false)
	for _, kind := range p.kinds {
		// Encoding strings into memory cannot fail.
		_ = encoder.Encode(compute(kind, id))
	}
}

func (p *printer) appendPair(id string) {
	if p.printIDs {
		fmt.Fprintf(&p.text, "id %s\n", id)
	}
	o := compute(p.kinds[0], id)
	fmt.Fprintf(&p.text, "trace %s\nspan %s\n", o.TraceID, o.SpanID)
}

func (p *printer) appendTable(id string) {
	if p.printIDs {
		if p.count > 0 {
			p.text.WriteByte('\n')
		}
		fmt.Fprintf(&p.text, "id %s\n", id)
	}
	w := tabwriter.NewWriter(&p.text, 0, 0, 2, ' ', 0)
	fmt.Fprintf(w, "kind\ttrace\tspan\n")
	for _, kind := range p.kinds {
		o := compute(kind, id)
		fmt.Fprintf(w, "%s\t%s\t%s\n", o.Kind, o.TraceID, o.SpanID)
	}
	// Writing into memory cannot fail.
	_ = w.Flush()
}
