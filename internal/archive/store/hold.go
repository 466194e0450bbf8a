// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"time"
)

// Hold keeps a meeting, or whatever else has a trace, beyond the retention.
type Hold struct {
	TraceID string
	Reason  string
	HeldAt  time.Time
}

// ErrNoTrace says that the archive has nothing of a trace.
var ErrNoTrace = errors.New("the archive has nothing of this trace")

// notHeld is the condition that retention may delete a row.
const notHeld = "trace_id NOT IN (SELECT trace_id FROM holds)"

// Hold keeps a trace until it is released. The reason replaces that of an earlier
// hold.
func (s *Store) Hold(ctx context.Context, trace, reason string, now time.Time) error {
	trace = strings.ToLower(strings.TrimSpace(trace))
	return s.inTurn(ctx, func(ctx context.Context, tx transaction) error {
		known := false
		for _, table := range []string{conferenceTable.name, calls.name, legs.name, recordings.name, sessions.name, tracks.name, dialogs.name} {
			keys, err := (&write{dialect: s.d, tx: tx}).keys(ctx, "SELECT trace_id FROM "+table+" WHERE trace_id = $1 LIMIT 1", trace)
			if err != nil {
				return err
			}
			known = known || len(keys) > 0
		}
		if !known {
			return fmt.Errorf("%w: %q", ErrNoTrace, trace)
		}
		return insertJSON(ctx, s.d, tx, "holds (trace_id, reason, held_at)", []jsonType{jsonText, jsonText, jsonInstant}, [][]any{{trace, reason, instantText(now)}},
			"ON CONFLICT (trace_id) DO UPDATE SET reason = excluded.reason")
	})
}

// Release ends a hold. It reports whether there was one.
func (s *Store) Release(ctx context.Context, trace string) (released bool, err error) {
	err = s.inTurn(ctx, func(ctx context.Context, tx transaction) error {
		n, err := tx.exec(ctx, "DELETE FROM holds WHERE trace_id = $1", strings.ToLower(strings.TrimSpace(trace)))
		released = n > 0
		return err
	})
	return released, err
}

// Holds returns all holds, the oldest first.
func (v *View) Holds(ctx context.Context) (holds []Hold, err error) {
	err = v.each(ctx, func(found *sql.Rows) error {
		var h Hold
		if err := found.Scan(&h.TraceID, &h.Reason, v.target(&h.HeldAt)); err != nil {
			return err
		}
		holds = append(holds, h)
		return nil
	}, "SELECT trace_id, reason, held_at FROM holds ORDER BY held_at, trace_id")
	return holds, err
}
