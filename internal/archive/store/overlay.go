// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package store

import (
	"encoding/json"
	"slices"
	"time"
)

// rule is how the values of a column are merged.
type rule struct {
	// derived columns are set from all statements together, see entry.row.
	derived bool
	// leader is the column whose value this one belongs to: itself, or that of
	// table.follows.
	leader int
}

// isDerived reports whether a column is set from all statements together.
func isDerived(column string) bool {
	switch column {
	case "id", "state", "outcome", "started_at", "ended_at", "duration_seconds", "last_heard_at", "activity", "connected_seconds":
		return true
	default:
		return false
	}
}

// mergeRules are those of the columns, in their order.
func (t *table[T]) mergeRules() []rule {
	t.once.Do(func() {
		at := func(name string) int {
			return slices.IndexFunc(t.columns, func(c column[T]) bool { return c.name == name })
		}
		for i, c := range t.columns {
			r := rule{derived: isDerived(c.name), leader: i}
			if leader := t.follows[c.name]; leader != "" {
				r.leader = at(leader)
			}
			if c.name == "parent_span_id" {
				r.leader = at("trace_id")
			}
			t.rules = append(t.rules, r)
		}
	})
	return t.rules
}

// removeReplaced removes from an earlier statement the values that a later one replaces.
func (t *table[T]) removeReplaced(earlier, later *T) {
	rules := t.mergeRules()
	for i, c := range t.columns {
		field := c.field(earlier)
		if rules[i].derived || isZero(field) {
			continue
		}
		if text, ok := field.(*json.RawMessage); ok && c.name == "details" {
			*text = withoutMembers(*text, *c.field(later).(*json.RawMessage))
			continue
		}
		if !isZero(c.field(later)) || rules[i].leader != i && !isZero(t.columns[rules[i].leader].field(later)) {
			clearField(field)
		}
	}
}

// hasMergedValue reports whether a statement has a value in a merged column.
func (t *table[T]) hasMergedValue(statement *T) bool {
	rules := t.mergeRules()
	for i, c := range t.columns {
		if !rules[i].derived && !isZero(c.field(statement)) {
			return true
		}
	}
	return false
}

// overlay writes the values of a statement into a row. Statements that were merged
// have no value in common, but for the members of their details.
func (t *table[T]) overlay(row, statement *T) {
	for i, c := range t.columns {
		if t.mergeRules()[i].derived && c.name != "id" {
			continue
		}
		from := c.field(statement)
		if isZero(from) {
			continue
		}
		switch to := c.field(row).(type) {
		case *string:
			*to = *from.(*string)
		case *time.Time:
			*to = *from.(*time.Time)
		case **int64:
			*to = *from.(**int64)
		case **float64:
			*to = *from.(**float64)
		case **bool:
			*to = *from.(**bool)
		case *json.RawMessage:
			if c.name == "details" {
				*to = joinMembers(*to, *from.(*json.RawMessage))
			} else {
				*to = *from.(*json.RawMessage)
			}
		}
	}
}

// isZero reports whether a field has no value. Numbers that cannot be absent are not merged.
func isZero(field any) bool {
	switch v := field.(type) {
	case *string:
		return *v == ""
	case *time.Time:
		return v.IsZero()
	case **int64:
		return *v == nil
	case **float64:
		return *v == nil
	case **bool:
		return *v == nil
	case *json.RawMessage:
		return len(*v) == 0
	default:
		return true
	}
}

// clearField takes the value of a field away.
func clearField(field any) {
	switch v := field.(type) {
	case *string:
		*v = ""
	case *time.Time:
		*v = time.Time{}
	case **int64:
		*v = nil
	case **float64:
		*v = nil
	case **bool:
		*v = nil
	case *json.RawMessage:
		*v = nil
	}
}
