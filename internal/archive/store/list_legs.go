// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package store

import "context"

// Legs is a page of the legs that a filter lets through, newest first.
func (v *View) Legs(ctx context.Context, f Filter, page Page) (List[Leg], error) {
	w := walk[Leg]{
		key: "id", index: "call_legs_by_start", rows: walkLegs,
		at: func(l *Leg) Cursor { return Cursor{l.StartedAt, l.ID} },
	}
	var legs func(*conditions, string) []string
	if f.Party != "" {
		// What has a reason is found in the order of time by its index.
		var err error
		if legs, err = v.legsIndexed(ctx, &Filter{Party: f.Party, PartyAnywhere: f.PartyAnywhere}); err != nil {
			return List[Leg]{}, err
		}
	}
	switch {
	case f.State == StateRunning:
		w.index = "call_legs_running"
	case f.Reason == ReasonFailure:
		w.index = "call_legs_failed"
	case f.Reason != "":
		w.index = "call_legs_by_reason"
	case f.MinLoss > 0:
		w.index = "call_legs_with_loss"
	}
	w.indexed = func(c *conditions) {
		switch w.index {
		case "call_legs_running":
			c.and("state = 'running'")
		case "call_legs_failed":
			c.and("error_type IS NOT NULL")
		case "call_legs_by_reason":
			c.and("reason = ?", f.Reason)
		case "call_legs_with_loss":
			c.and("packet_loss_percent > 0")
		}
	}
	w.others = func(c *conditions) {
		c.leg(&f)
		c.over(&f)
		c.room(&f, false)
		c.ownerOfLeg(&f)
	}
	if legs != nil {
		return w.matched(ctx, v, &f, page, func(c *conditions) []string { return legs(c, "id") })
	}
	return w.run(ctx, v, &f, page)
}
