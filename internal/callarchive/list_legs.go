// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package callarchive

import "context"

// Legs is a page of the legs that a filter lets through, newest first.
func (v *View) Legs(ctx context.Context, f Filter, page Page) (List[Leg], error) {
	w := walk[Leg]{
		key: "id", rows: walkRows,
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
	w.indexed = func(c *conditions) {
		c.state(&f)
		if legs != nil {
			return
		}
		switch f.Reason {
		case "":
			if f.MinLoss > 0 {
				c.and("packet_loss_percent > 0")
			}
		case ReasonFailure:
			c.and("error_type IS NOT NULL")
		default:
			c.and("reason = ?", f.Reason)
		}
	}
	w.others = func(c *conditions) {
		c.leg(&f)
		c.duration(&f)
		if f.Tenant != "" {
			c.and("tenant_id = ?", f.Tenant)
		}
		switch {
		case f.Room == "":
		case isID(f.Room):
			c.and("room_id = ?", f.Room)
		default:
			c.all = append(c.all, c.like("room_name", f.Room, false))
		}
	}
	if legs != nil {
		return w.matched(ctx, v, &f, page, func(c *conditions) []string { return legs(c, "id") })
	}
	return w.run(ctx, v, &f, page)
}
