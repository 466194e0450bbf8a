// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package store

import (
	"context"
	"database/sql"
	"strings"
)

// Found is where an id leads to.
type Found struct {
	TraceID string
	// SpanID is empty if the id is that of the trace.
	SpanID string
}

// Find returns where an id leads to: that of a trace, a span, a call, a call leg, a
// recording, a session, a track or a dialog, a SIP Call-ID, the ccid of a recorded
// call, or the SIP address of a party of a dialog. Of several the newest.
func (v *View) Find(ctx context.Context, id string) (f Found, ok bool, err error) {
	id = strings.TrimSpace(id)
	lower := strings.ToLower(id)
	queries := []struct{ query, id string }{
		{"SELECT trace_id, NULL FROM conferences WHERE trace_id = $1", lower},
	}
	tables := []string{calls.name, legs.name, recordings.name, sessions.name, tracks.name, dialogs.name}
	for _, table := range tables {
		queries = append(queries, struct{ query, id string }{"SELECT trace_id, span_id FROM " + table + " WHERE id = $1", lower})
	}
	for _, table := range tables {
		queries = append(queries, struct{ query, id string }{"SELECT trace_id, span_id FROM " + table + " WHERE span_id = $1 LIMIT 1", lower})
	}
	for _, table := range tables {
		queries = append(queries, struct{ query, id string }{"SELECT trace_id, NULL FROM " + table + " WHERE trace_id = $1 LIMIT 1", lower})
	}
	queries = append(queries,
		struct{ query, id string }{"SELECT trace_id, span_id FROM call_legs WHERE sip_call_id = $1 ORDER BY started_at DESC LIMIT 1", id},
		struct{ query, id string }{"SELECT trace_id, span_id FROM dialogs WHERE sip_call_id = $1 ORDER BY started_at DESC LIMIT 1", id},
		struct{ query, id string }{"SELECT trace_id, span_id FROM sessions WHERE ccid = $1 ORDER BY started_at DESC LIMIT 1", id},
	)
	if address := sipAddress(asciiLower(id)); address != "" {
		for _, column := range []string{"from_party", "to_party"} {
			queries = append(queries, struct{ query, id string }{
				"SELECT trace_id, span_id FROM dialogs WHERE " + column + " IS NOT NULL AND lower(" + column + ") = $1 ORDER BY started_at DESC LIMIT 1", address,
			})
		}
	}
	for _, q := range queries {
		if err := v.each(ctx, func(found *sql.Rows) error {
			ok = true
			return found.Scan(&f.TraceID, scanTarget(&f.SpanID))
		}, q.query, q.id); err != nil || ok {
			return f, ok, err
		}
	}
	return f, false, nil
}

// sipAddress is the user@host of a SIP address, with or without a scheme, in lower
// case; "" if it is none.
func sipAddress(text string) string {
	for _, scheme := range []string{"sips:", "sip:"} {
		text = strings.TrimPrefix(text, scheme)
	}
	if end := strings.IndexAny(text, ";?>"); end >= 0 {
		text = text[:end]
	}
	if !strings.Contains(text, "@") {
		return ""
	}
	return text
}
