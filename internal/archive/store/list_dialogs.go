// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package store

import (
	"context"
	"io"
	"strings"
)

// walkDialogs is how many rows a page of DialogsWithoutLeg looks at. Most dialogs have
// a leg.
var walkDialogs = 5000

// DialogsWithoutLeg is a page of the SIP calls that a filter lets through and that no
// Meeting Server has a leg of, newest first: they failed, were cancelled, or went
// elsewhere before they reached one. Of the filter only the times, the durations, the
// state, the party (either one), the result and the code say something about a dialog;
// a filter that asks for anything else finds nothing.
func (v *View) DialogsWithoutLeg(ctx context.Context, f Filter, page Page) (List[Dialog], error) {
	w := walk[Dialog]{
		key: "id", index: "dialogs_by_start", rows: walkDialogs,
		at:      func(d *Dialog) Cursor { return Cursor{d.StartedAt, d.ID} },
		indexed: func(*conditions) {},
		others:  func(c *conditions) { c.dialogWithoutLeg(&f) },
	}
	if f.Party != "" && !f.PartyAnywhere {
		few, err := v.dialogsAreFew(ctx, func(c *conditions, column string) string { return c.begins(column, f.Party) })
		if err != nil {
			return List[Dialog]{}, err
		}
		if few {
			return w.matched(ctx, v, &f, page, func(c *conditions) (queries []string) {
				for _, column := range dialogParties {
					queries = append(queries, "SELECT id AS found FROM dialogs WHERE "+c.begins(column, f.Party))
				}
				return queries
			})
		}
	}
	return w.run(ctx, v, &f, page)
}

// dialogWithoutLeg adds the conditions on a dialog that has no leg, such that no index
// but that of the legs' Call-IDs is used.
func (c *conditions) dialogWithoutLeg(f *Filter) {
	c.all = append(c.all, "NOT EXISTS (SELECT 1 FROM call_legs WHERE call_legs.sip_call_id IS NOT NULL AND call_legs.sip_call_id = dialogs.sip_call_id)")
	c.over(f)
	if f.State == StateRunning {
		c.and("state = 'running'")
	}
	if f.Party != "" {
		var parties []string
		for _, column := range dialogParties {
			parties = append(parties, c.like(column, f.Party, f.PartyAnywhere))
		}
		c.all = append(c.all, "("+strings.Join(parties, " OR ")+")")
	}
	if f.Result != "" {
		c.and("COALESCE(result, '') = ?", f.Result)
	}
	if f.Code != 0 {
		c.and("COALESCE(code, 0) = ?", f.Code)
	}
	if f.Reason != "" || f.Room != "" || f.Tenant != "" || f.Bridge != "" || f.Dialled != "" || f.Owner != "" || f.MinLoss > 0 {
		c.and("1 = 0")
	}
}

// csvDialogs is a SIP call in a CSV.
var csvDialogs = func() csvSource {
	source := csvSource{table: dialogs.name, key: "id"}
	for _, c := range dialogs.columns {
		switch c.name {
		case "responses", "links", "details": // documents
		default:
			source.fields = append(source.fields, csvField{c.name, "l." + c.name, c.kind})
		}
	}
	return source
}()

// WriteDialogsCSV writes a line for every SIP call that DialogsWithoutLeg lists, by
// start, with all columns of the table dialogs that hold one value.
func (s *Store) WriteDialogsCSV(ctx context.Context, to io.Writer, filter CSVFilter) error {
	return s.writeCSV(ctx, to, &csvDialogs, &filter, func(c *conditions) {
		c.dialogWithoutLeg(&filter.Filter)
		if filter.Tag != "" || filter.RoomName != "" { // which no dialog has
			c.and("1 = 0")
		}
		if filter.Of.Address != "" {
			c.and("(lower(from_party) = ? OR lower(to_party) = ?)", asciiLower(filter.Of.Address), asciiLower(filter.Of.Address))
		} else if filter.Of.Name != "" {
			c.and("(lower(from_name) = ? OR lower(to_name) = ?)", asciiLower(filter.Of.Name), asciiLower(filter.Of.Name))
		}
	})
}
