// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package bridge

import (
	"maps"
	"slices"
)

// Waiting returns the number of items without an acknowledgement.
func (q *Queue) Waiting() int {
	q.mu.Lock()
	defer q.mu.Unlock()
	return len(q.items)
}

// Acknowledged counts the good records released by a 200, by type.
func (q *Queue) Acknowledged() map[string]uint64 {
	q.mu.Lock()
	defer q.mu.Unlock()
	return maps.Clone(q.counts)
}

// Garbage lists the garbage bodies released by a 200.
func (q *Queue) Garbage() [][]byte {
	q.mu.Lock()
	defer q.mu.Unlock()
	return slices.Clone(q.garbage)
}

// Reports returns the outcome of all records so far, session by session.
func (q *Queue) Reports() []Report {
	q.mu.Lock()
	defer q.mu.Unlock()
	list := make([]Report, len(q.runs))
	for i, r := range q.runs {
		list[i] = r.Report
		list[i].Acknowledged = slices.Clone(r.Acknowledged)
		list[i].Dropped = slices.Clone(r.Dropped)
		for _, it := range q.items {
			switch {
			case it.run != r:
			case it.tried:
				list[i].InDoubt.Add(it.Correlator)
			default:
				list[i].Unsent.Add(it.Correlator)
			}
		}
	}
	return list
}
