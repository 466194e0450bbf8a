// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package event

import (
	"math"
	"slices"
	"strconv"
	"strings"
)

// typeMembers gives the elements of an object their documented types.
func typeMembers(members []Member, of Object) {
	for i := range members {
		m := &members[i]
		m.Field = byName[of][m.Name]
		if m.Field == Unknown {
			typeUnknown(&m.Value)
			continue
		}
		typeValue(&m.Value, documented[m.Field].want)
	}
}

// typeUnknown leaves nested values as they are; a scalar is text, because
// nobody knows whether the next one is a number too.
func typeUnknown(v *Value) {
	if v.scalar() {
		v.setText()
	}
}

func typeValue(v *Value, w want) {
	switch w {
	case wantText:
		typeUnknown(v)
	case wantInt:
		typeInt(v)
	case wantDate:
		if typeInt(v); v.Kind == KindInt {
			v.setInt(milliseconds(v.Int()))
		}
	case wantBool:
		typeBool(v)
	case wantTexts:
		typeTexts(v)
	case wantURLs:
		typeURLs(v)
	case wantTracks:
		typeList(v, Track)
	case wantParticipants:
		typeList(v, Participant)
	case wantTags:
		typeList(v, Tag)
	case wantAny:
	}
}

// typeInt takes quoted numbers and whole numbers with a fraction of zero. What
// is no number is text.
func typeInt(v *Value) {
	switch v.Kind {
	case KindText:
		text := strings.TrimSpace(v.Text)
		if n, err := strconv.ParseInt(text, 10, 64); err == nil {
			v.setInt(n)
		}
	case KindDouble:
		// The largest numbers that a double holds exactly.
		if x := v.Double(); x == math.Trunc(x) && math.Abs(x) <= 1<<53 {
			v.setInt(int64(x))
		}
	case KindBool:
		v.setText()
	}
}

// typeBool reads what can mean one thing only: true and false in any case of
// letters, 1 and 0. Anything else is text.
func typeBool(v *Value) {
	if v.Kind == KindInt || v.Kind == KindDouble {
		v.setText()
	}
	if v.Kind != KindText {
		return
	}
	switch text := strings.TrimSpace(v.Text); {
	case text == "1", strings.EqualFold(text, "true"):
		v.setBool(true)
	case text == "0", strings.EqualFold(text, "false"):
		v.setBool(false)
	}
}

// Bounds of the units that dates come in: seconds until the year 5138,
// milliseconds until then. The guide's own example of a tag is in seconds.
const (
	leastMilliseconds = 100_000_000_000
	leastMicroseconds = 100_000_000_000_000
)

func milliseconds(date int64) int64 {
	switch {
	case date <= 0:
		return date
	case date < leastMilliseconds:
		return date * 1000
	case date < leastMicroseconds:
		return date
	default:
		return date / 1000
	}
}

// typeTexts makes a list of texts; one text alone is a list of it.
func typeTexts(v *Value) {
	if v.scalar() {
		alone := *v
		*v = Value{Kind: KindList, Items: []Value{alone}}
	}
	for i := range v.Items {
		typeUnknown(&v.Items[i])
	}
}

// typeList types the objects of a list; one object alone is a list of it.
func typeList(v *Value, of Object) {
	switch v.Kind {
	case KindMap:
		alone := *v
		*v = Value{Kind: KindList, Items: []Value{alone}}
	case KindList:
	default:
		typeUnknown(v)
	}
	for i := range v.Items {
		if item := &v.Items[i]; item.Kind == KindMap {
			typeMembers(item.Members, of)
		} else {
			typeUnknown(item)
		}
	}
}

// urlKinds are the documented kinds by their lower case: sources differ.
var urlKinds = map[string]string{"httpurl": "httpUrl", "rtspurl": "rtspUrl", "mp4url": "mp4Url", "wavurl": "wavUrl"}

// typeURLs makes a list of maps with one kind each: events have that, answers
// of the API one object with all kinds.
func typeURLs(v *Value) {
	if v.Kind != KindMap && v.Kind != KindList {
		typeUnknown(v)
		return
	}
	from := v.Items
	if v.Kind == KindMap {
		from = []Value{*v}
		// The elements of an object have no order, the items of a list do.
		slices.SortFunc(v.Members, func(a, b Member) int { return strings.Compare(a.Name, b.Name) })
	}
	items := make([]Value, 0, len(from))
	for i := range from {
		if from[i].Kind != KindMap {
			typeUnknown(&from[i])
			items = append(items, from[i])
			continue
		}
		for _, m := range from[i].Members {
			if name, ok := urlKinds[strings.ToLower(m.Name)]; ok {
				m.Name = name
			}
			typeUnknown(&m.Value)
			items = append(items, Value{Kind: KindMap, Members: []Member{m}})
		}
	}
	*v = Value{Kind: KindList, Items: items}
}
