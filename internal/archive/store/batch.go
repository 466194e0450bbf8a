// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package store

// digest sets the digests, which order statements of equal revisions.
func (b *Batch) digest() {
	digestAll(&calls, b.Calls)
	digestAll(&legs, b.Legs)
	digestAll(&recordings, b.Recordings)
	digestAll(&sessions, b.Sessions)
	digestAll(&tracks, b.Tracks)
	digestAll(&dialogs, b.Dialogs)
}

func digestAll[T any](t *table[T], rows []T) {
	for i := range rows {
		t.object(&rows[i]).Revision.Digest = t.digest(&rows[i])
	}
}

// concat returns a batch with the statements of all. They are copied: writing one
// batch leaves no mark in the others.
func concat(batches []*Batch) *Batch {
	all := &Batch{}
	for _, b := range batches {
		all.Calls = append(all.Calls, b.Calls...)
		all.Legs = append(all.Legs, b.Legs...)
		all.Recordings = append(all.Recordings, b.Recordings...)
		all.Sessions = append(all.Sessions, b.Sessions...)
		all.Tracks = append(all.Tracks, b.Tracks...)
		all.Dialogs = append(all.Dialogs, b.Dialogs...)
		all.StorageEvents = append(all.StorageEvents, b.StorageEvents...)
		all.Gaps = append(all.Gaps, b.Gaps...)
		all.Qualities = append(all.Qualities, b.Qualities...)
		all.LegChanges = append(all.LegChanges, b.LegChanges...)
	}
	return all
}

// halves divides a batch of two statements or more. They alias it.
func (b *Batch) halves() (first, second *Batch) {
	first, second = &Batch{}, &Batch{}
	left := b.Len() / 2
	first.Calls, second.Calls = cut(b.Calls, &left)
	first.Legs, second.Legs = cut(b.Legs, &left)
	first.Recordings, second.Recordings = cut(b.Recordings, &left)
	first.Sessions, second.Sessions = cut(b.Sessions, &left)
	first.Tracks, second.Tracks = cut(b.Tracks, &left)
	first.Dialogs, second.Dialogs = cut(b.Dialogs, &left)
	first.StorageEvents, second.StorageEvents = cut(b.StorageEvents, &left)
	first.Gaps, second.Gaps = cut(b.Gaps, &left)
	first.Qualities, second.Qualities = cut(b.Qualities, &left)
	first.LegChanges, second.LegChanges = cut(b.LegChanges, &left)
	return first, second
}

// cut takes the first of the rows, as many as are left to take.
func cut[T any](rows []T, left *int) (first, second []T) {
	n := min(*left, len(rows))
	*left -= n
	return rows[:n], rows[n:]
}

// only names the statement of a batch that has one.
func (b *Batch) only() Rejected {
	for _, find := range []func() (string, string){
		func() (string, string) { return onlyOf(&calls, b.Calls) },
		func() (string, string) { return onlyOf(&legs, b.Legs) },
		func() (string, string) { return onlyOf(&recordings, b.Recordings) },
		func() (string, string) { return onlyOf(&sessions, b.Sessions) },
		func() (string, string) { return onlyOf(&tracks, b.Tracks) },
		func() (string, string) { return onlyOf(&dialogs, b.Dialogs) },
	} {
		if table, span := find(); table != "" {
			return Rejected{Table: table, SpanID: span}
		}
	}
	if len(b.Gaps) > 0 {
		return Rejected{Table: gaps.name}
	}
	if len(b.Qualities) > 0 {
		return Rejected{Table: legQualities.name}
	}
	if len(b.LegChanges) > 0 {
		return Rejected{Table: legStates.name, SpanID: b.LegChanges[0].LegSpanID}
	}
	return Rejected{Table: storageEvents.name}
}

func onlyOf[T any](t *table[T], rows []T) (table, span string) {
	if len(rows) == 0 {
		return "", ""
	}
	return t.name, t.object(&rows[0]).SpanID
}
