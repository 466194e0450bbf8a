// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package stitch

import (
	"slices"
	"strings"

	"github.com/legato-otel/legato/internal/names"
)

// listsOf converts the items of an object to lists; empty lists are left out.
func listsOf(f *factsCodec, d *dictionary, t *valueDecoder, keys ...key) (lists []List) {
	for _, k := range keys {
		items := f.list(k)
		if len(items) == 0 {
			continue
		}
		list := List{Key: d.texts[k], Maps: make([][]Field, len(items))}
		for i := range items {
			list.Maps[i] = itemFields(&items[i], d, t)
		}
		lists = append(lists, list)
	}
	return lists
}

// itemFields returns the fields of an item in key order.
func itemFields(it *item, d *dictionary, t *valueDecoder) []Field {
	fields := make([]Field, len(it.fields))
	for i, field := range it.fields {
		fields[i] = Field{Key: d.texts[field.key], Value: t.value(field.raw)}
	}
	slices.SortFunc(fields, func(a, b Field) int { return strings.Compare(a.Key, b.Key) })
	return fields
}

// tagIntervals describes intervals that a pair of system tags delimits.
type tagIntervals struct {
	key        string // of the list
	begin, end string // names of the tags
}

var (
	pauses   = tagIntervals{names.MediaSensePauses, "Pause", "Resume"}
	silences = tagIntervals{names.MediaSenseSilences, "TrackInactive", "TrackActive"}
)

// between returns the intervals that the tags mark, and their total duration in nanoseconds.
// Tags are at offsets from the session's start, in milliseconds. An interval without an end
// tag ends with the object.
func (s *tagIntervals) between(tags []item, start, end int64) (list List, total int64) {
	list.Key = s.key
	limit := max(0, end-start) / millisecond
	since, lasting := int64(0), false
	add := func(until int64) {
		list.Maps = append(list.Maps, []Field{
			{names.ElementDuration, Int(until - since)}, {names.ElementOffset, Int(since)},
		})
		total += (until - since) * millisecond
		lasting = false
	}
	for i := range tags {
		at := min(tags[i].at, limit)
		if tags[i].at < 0 || !bySystem(&tags[i]) {
			continue
		}
		switch name := tags[i].value(keyTagName); {
		case !lasting && equalsText(name, s.begin):
			since, lasting = at, true
		case lasting && equalsText(name, s.end):
			add(at)
		}
	}
	if lasting {
		add(limit)
	}
	return list, total
}

// bySystem reports whether the system set a tag, and not a user.
func bySystem(tag *item) bool {
	kind := tag.value(keyTagType)
	return kind == nil || equalFold(kind, "SYSTEM_DEFINED")
}
