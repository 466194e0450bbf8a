// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package store

import "slices"

// Sort is the order of a list that is not by start. Rows without a value come last.
//
// No index has these orders: a sorted list is the first page, and there is no next
// one. It is of all rows that a list looks at; if there are older ones,
// List.SearchedTo says how far it got.
type Sort struct {
	Column     string
	Descending bool
}

// sortColumns are those that a list of each table can be sorted by.
var sortColumns = map[string][]string{
	conferenceTable.name: {"started_at", "room_name", "duration_seconds", "participants", "legs", "failed_legs", "packet_loss_percent"},
	legs.name:            {"started_at", "display_name", "room_name", "duration_seconds", "reason", "packet_loss_percent"},
	sessions.name:        {"started_at", "parties", "controller_address", "duration_seconds", "media_state"},
	dialogs.name:         {"started_at", "from_party", "to_party", "ring_seconds", "duration_seconds", "code"},
}

// SortColumns returns the columns that a list of such rows can be sorted by.
func SortColumns[T Row]() []string { return slices.Clone(sortColumns[tableOf[T]().name]) }

// order is the ORDER BY of a list; ok is false if it cannot be sorted so.
func (s Sort) order(table, key string) (clause string, ok bool) {
	byStart := "started_at DESC, " + key + " DESC"
	if s == (Sort{}) {
		return byStart, true
	}
	if !slices.Contains(sortColumns[table], s.Column) {
		return "", false
	}
	column := s.Column
	if slices.Contains([]string{"room_name", "display_name", "parties", "from_party", "to_party"}, column) {
		column = "lower(" + column + ")"
	}
	direction := ""
	if s.Descending {
		direction = " DESC"
	}
	return "CASE WHEN " + s.Column + " IS NULL THEN 1 ELSE 0 END, " + column + direction + ", " + byStart, true
}
