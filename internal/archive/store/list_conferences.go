// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package store

import (
	"context"
	"strings"
)

// Conferences is a page of the conferences that a filter lets through, newest
// first.
func (v *View) Conferences(ctx context.Context, f Filter, page Page) (List[Conference], error) {
	w := walk[Conference]{
		key: "trace_id", index: "conferences_by_start", rows: walkConferences,
		at: func(c *Conference) Cursor { return Cursor{c.StartedAt, c.TraceID} },
	}
	legs, err := v.legsIndexed(ctx, &f)
	if err != nil {
		return List[Conference]{}, err
	}
	roomIndexed := false
	if legs == nil {
		if roomIndexed, err = v.roomIndexed(ctx, &f); err != nil {
			return List[Conference]{}, err
		}
	}
	// One of the indexes; the rest is tested.
	switch room := isID(f.Room); {
	case f.State == StateRunning:
		w.index = "conferences_running"
	case room:
		w.index = "conferences_by_room"
	case f.Tenant != "":
		w.index = "conferences_by_tenant"
	case f.MinLoss > 0:
		w.index = "conferences_with_loss"
	}
	w.indexed = func(c *conditions) {
		switch w.index {
		case "conferences_running":
			c.and("state = 'running'")
		case "conferences_by_room":
			c.and("room_id = ?", strings.ToLower(f.Room))
		case "conferences_by_tenant":
			c.and("tenant_id = ?", strings.ToLower(f.Tenant))
		case "conferences_with_loss":
			c.and("packet_loss_percent IS NOT NULL")
		}
	}
	w.others = func(c *conditions) { c.conference(&f, roomIndexed, legs == nil) }
	switch {
	case legs != nil:
		return w.matched(ctx, v, &f, page, func(c *conditions) []string { return legs(c, "trace_id") })
	case roomIndexed:
		return w.matched(ctx, v, &f, page, func(c *conditions) []string {
			return []string{"SELECT trace_id AS found FROM conferences WHERE " + c.begins("room_name", f.Room)}
		})
	case f.PartyAnywhere && f.Party != "":
		w.rows = walkAnywhere
	case f.ofOneLeg():
		w.rows = walkByLegs
	}
	return w.run(ctx, v, &f, page)
}

// conference adds the conditions on a conference, without that on its room's name if an
// index has tested it. withLegs adds the conditions on one of its legs.
func (c *conditions) conference(f *Filter, roomKnown, withLegs bool) {
	c.over(f)
	c.room(f, roomKnown)
	c.owner(f)
	if f.MinLoss > 0 {
		c.and("packet_loss_percent >= ?", f.MinLoss)
	}
	if f.Reason == ReasonFailure {
		c.and("failed_legs > 0")
	}
	if withLegs && f.ofOneLeg() {
		of := conditions{args: c.args}
		of.and("call_legs.trace_id = conferences.trace_id")
		of.leg(f)
		c.args = of.args
		c.all = append(c.all, "EXISTS (SELECT 1 FROM call_legs"+of.where()+")")
	}
}

// roomIndexed reports whether few conferences are of rooms whose name begins so.
func (v *View) roomIndexed(ctx context.Context, f *Filter) (bool, error) {
	if f.Room == "" || isID(f.Room) {
		return false, nil
	}
	var c conditions
	query := "SELECT 1 FROM conferences WHERE " + c.begins("room_name", f.Room)
	n, err := v.few(ctx, &c, query)
	return n < int64(fewEnough), err
}

// few counts the rows that a query finds, up to a limit.
func (v *View) few(ctx context.Context, c *conditions, query string) (int64, error) {
	return v.number(ctx, c.fill("SELECT COUNT(*) FROM ("+query+" LIMIT ?) AS counted", fewEnough), c.args...)
}

// legsIndexed returns queries for the legs that a filter asks for, if an index
// finds few enough of them; else nil.
func (v *View) legsIndexed(ctx context.Context, f *Filter) (func(c *conditions, column string) []string, error) {
	index, err := v.legIndex(ctx, f)
	if err != nil || index == nil {
		return nil, err
	}
	return func(c *conditions, column string) (queries []string) {
		for _, of := range index {
			each := conditions{args: c.args}
			each.all = append(each.all, of(&each))
			each.leg(f)
			c.args = each.args
			queries = append(queries, "SELECT DISTINCT "+column+" AS found FROM call_legs"+each.where())
		}
		return queries
	}, nil
}

// indexKey is the part of a filter that an index of legs may answer.
type indexKey struct {
	party, reason string
	anywhere      bool
}

// legIndex returns the conditions that an index answers and that few legs meet, nil if
// there is none. Both parts of a list ask for it: the view keeps the answer.
func (v *View) legIndex(ctx context.Context, f *Filter) ([]condition, error) {
	key := indexKey{f.Party, f.Reason, f.PartyAnywhere}
	if index, known := v.legIndexes[key]; known {
		return index, nil
	}
	candidates, err := v.legCandidates(ctx, f)
	if err != nil {
		return nil, err
	}
	var index []condition
	for _, candidate := range candidates {
		few, err := v.legsAreFew(ctx, candidate)
		if err != nil {
			return nil, err
		}
		if few {
			index = candidate
			break
		}
	}
	if v.legIndexes == nil {
		v.legIndexes = map[indexKey][]condition{}
	}
	v.legIndexes[key] = index
	return index, nil
}

// legsAreFew reports whether few legs meet each of some conditions.
func (v *View) legsAreFew(ctx context.Context, index []condition) (bool, error) {
	for _, of := range index {
		var c conditions
		query := "SELECT 1 FROM call_legs WHERE " + of(&c)
		if n, err := v.few(ctx, &c, query); err != nil || n >= int64(fewEnough) {
			return false, err
		}
	}
	return true, nil
}

// legCandidates are the conditions that an index answers.
func (v *View) legCandidates(ctx context.Context, f *Filter) (indexes [][]condition, err error) {
	if f.Party != "" && f.PartyAnywhere {
		keys, ok, err := v.partiesWith(ctx, f.Party)
		if err != nil {
			return nil, err
		}
		if ok {
			if ok, err = v.dialogsAreFew(ctx, func(c *conditions, column string) string { return v.isOne(c, column, keys) }); err != nil {
				return nil, err
			}
		}
		if ok {
			indexes = append(indexes, v.ofParties(keys))
		}
	}
	if f.Party != "" && !f.PartyAnywhere {
		// The dialogs themselves have to be few, because all of them are read.
		few, err := v.dialogsAreFew(ctx, func(c *conditions, column string) string { return c.begins(column, f.Party) })
		if err != nil {
			return nil, err
		}
		if few {
			indexes = append(indexes, []condition{
				func(c *conditions) string { return c.begins("remote_party", f.Party) },
				func(c *conditions) string { return c.begins("display_name", f.Party) },
				func(c *conditions) string { return c.ofDialogs(f.Party) },
			})
		}
	}
	if f.Reason != "" && f.Reason != ReasonFailure {
		indexes = append(indexes, []condition{func(c *conditions) string { return c.fill("reason = ?", f.Reason) }})
	}
	return indexes, nil
}

// condition of a query, with its parameters in c.
type condition = func(c *conditions) string

// isOne is the condition that a column, in lower case, is one of some texts, such
// that the index of lower(column) is used.
func (v *View) isOne(c *conditions, column string, keys []string) string {
	return "(" + column + " IS NOT NULL AND " + v.d.in("lower("+column+")", c.parameter(v.d.list(keys))) + ")"
}

// ofParties are the conditions that a leg's far end, or that of the dialog of its
// SIP call, is one of some names and addresses.
func (v *View) ofParties(keys []string) []condition {
	in := func(c *conditions, column string) string { return v.isOne(c, column, keys) }
	return []condition{
		func(c *conditions) string { return in(c, "remote_party") },
		func(c *conditions) string { return in(c, "display_name") },
		func(c *conditions) string {
			var queries []string
			for _, column := range dialogParties {
				queries = append(queries, "SELECT sip_call_id FROM dialogs WHERE sip_call_id IS NOT NULL AND "+in(c, column))
			}
			return "(sip_call_id IS NOT NULL AND sip_call_id IN (" + strings.Join(queries, " UNION ") + "))"
		},
	}
}

// dialogParties are the columns of a dialog that name its parties.
var dialogParties = []string{"from_party", "to_party", "from_name", "to_name"}

// dialogsAreFew reports whether few dialogs have a party that meets a condition, whichever
// column it is in.
func (v *View) dialogsAreFew(ctx context.Context, party func(c *conditions, column string) string) (bool, error) {
	for _, column := range dialogParties {
		var c conditions
		query := "SELECT 1 FROM dialogs WHERE " + party(&c, column)
		if n, err := v.few(ctx, &c, query); err != nil || n >= int64(fewEnough) {
			return false, err
		}
	}
	return true, nil
}

// ofDialogs is the condition that the SIP call of a leg has a party whose name or
// address begins so.
func (c *conditions) ofDialogs(party string) string {
	var queries []string
	for _, column := range dialogParties {
		queries = append(queries, "SELECT sip_call_id FROM dialogs WHERE sip_call_id IS NOT NULL AND "+c.begins(column, party))
	}
	return "(sip_call_id IS NOT NULL AND sip_call_id IN (" + strings.Join(queries, " UNION ") + "))"
}
