// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package store

import "context"

// Sessions is a page of MediaSense's sessions that a filter lets through, newest
// first. Of the filter only the times, the durations, the state, the party (of
// the session's), and ReasonFailure say something about a session; what asks for
// anything else finds nothing.
func (v *View) Sessions(ctx context.Context, f Filter, page Page) (List[Session], error) {
	w := walk[Session]{
		key: "id", index: "sessions_by_start", rows: walkSessions,
		at: func(s *Session) Cursor { return Cursor{s.StartedAt, s.ID} },
		indexed: func(c *conditions) {
			if f.State == StateRunning {
				c.and("state = 'running'")
			}
		},
		others: func(c *conditions) {
			c.over(&f)
			if f.Party != "" {
				// Parties stand in one column, with commas between.
				begin := c.like("parties", f.Party, f.PartyAnywhere)
				if !f.PartyAnywhere {
					begin = "(" + begin + " OR " + c.like("parties", ", "+f.Party, true) + ")"
				}
				c.all = append(c.all, begin)
			}
			switch f.Reason {
			case "":
			case ReasonFailure:
				c.and("error_type IS NOT NULL")
			default:
				c.and("error_type = ?", f.Reason)
			}
			if f.Room != "" || f.Tenant != "" || f.Bridge != "" || f.Dialled != "" || f.Owner != "" || f.MinLoss > 0 {
				c.and("1 = 0")
			}
		},
	}
	if f.State == StateRunning {
		w.index = "sessions_running"
	}
	return w.run(ctx, v, &f, page)
}
