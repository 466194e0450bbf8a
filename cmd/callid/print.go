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

// printer writes the ids of one object at a time, in one write each.
type printer struct {
	options
	out   io.Writer
	named bool // more than one id may come, so each is named
	count int
	text  bytes.Buffer
}

func newPrinter(opts options, out io.Writer) *printer {
	return &printer{options: opts, out: out, named: len(opts.ids) > 1 || opts.ids[0] == stdinArgument}
}

func (p *printer) print(id string) error {
	p.text.Reset()
	switch {
	case p.json:
		p.lines(id)
	case p.one:
		p.pair(id)
	default:
		p.table(id)
	}
	p.count++
	if _, err := p.out.Write(p.text.Bytes()); err != nil {
		return fmt.Errorf("write: %w", err)
	}
	return nil
}

// object is what is printed of one kind; its names are those of OTLP's JSON,
// in snake case like the attributes of a span link.
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

func (p *printer) lines(id string) {
	encoder := json.NewEncoder(&p.text)
	encoder.SetEscapeHTML(false)
	for _, kind := range p.kinds {
		// A struct of strings into memory: there is no error.
		_ = encoder.Encode(compute(kind, id))
	}
}

func (p *printer) pair(id string) {
	if p.named {
		fmt.Fprintf(&p.text, "id %s\n", id)
	}
	o := compute(p.kinds[0], id)
	fmt.Fprintf(&p.text, "trace %s\nspan %s\n", o.TraceID, o.SpanID)
}

func (p *printer) table(id string) {
	if p.named {
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
	// Into memory as well.
	_ = w.Flush()
}
