// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package event

import (
	"math"
	"slices"
	"strconv"
	"strings"
)

// setTypes converts the elements of an object to their documented types.
func setTypes(members []Member, of Object) {
	for i := range members {
		m := &members[i]
		m.Field = byName[of][m.Name]
		if m.Field == Unknown {
			setUnknownType(&m.Value)
			continue
		}
		setType(&m.Value, documented[m.Field].expected)
	}
}

// setUnknownType makes a scalar a text, because the next value of an undocumented element may
// be of another type. It does not change nested values.
func setUnknownType(v *Value) {
	if v.isScalar() {
		v.setText()
	}
}

func setType(v *Value, w expectedType) {
	switch w {
	case expectText:
		setUnknownType(v)
	case expectInt:
		parseInt(v)
	case expectDate:
		if parseInt(v); v.Kind == KindInt {
			v.setInt(milliseconds(v.Int()))
		}
	case expectBool:
		parseBool(v)
	case expectTexts:
		parseTexts(v)
	case expectURLs:
		parseURLs(v)
	case expectTracks:
		parseList(v, Track)
	case expectParticipants:
		parseList(v, Participant)
	case expectTags:
		parseList(v, Tag)
	case expectAny:
	}
}

// parseInt accepts quoted numbers and numbers with a fraction of zero. Other values become
// text.
func parseInt(v *Value) {
	switch v.Kind {
	case KindText:
		text := strings.TrimSpace(v.Text)
		if n, err := strconv.ParseInt(text, 10, 64); err == nil {
			v.setInt(n)
		}
	case KindDouble:
		// A float64 has all integers up to 2^53.
		if x := v.Double(); x == math.Trunc(x) && math.Abs(x) <= 1<<53 {
			v.setInt(int64(x))
		}
	case KindBool:
		v.setText()
	}
}

// parseBool accepts true and false in any case of letters, 1 and 0. Other values become text.
func parseBool(v *Value) {
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

// Bounds of the units of dates: smaller numbers are seconds or milliseconds, for dates up to
// the year 5138. The guide's example of a tag is in seconds.
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

// parseTexts makes a list of texts. It makes a single text a list.
func parseTexts(v *Value) {
	if v.isScalar() {
		alone := *v
		*v = Value{Kind: KindList, Items: []Value{alone}}
	}
	for i := range v.Items {
		setUnknownType(&v.Items[i])
	}
}

// parseList converts the objects of a list. It makes a single object a list.
func parseList(v *Value, of Object) {
	switch v.Kind {
	case KindMap:
		alone := *v
		*v = Value{Kind: KindList, Items: []Value{alone}}
	case KindList:
	default:
		setUnknownType(v)
	}
	for i := range v.Items {
		if item := &v.Items[i]; item.Kind == KindMap {
			setTypes(item.Members, of)
		} else {
			setUnknownType(item)
		}
	}
}

// urlKinds are the documented kinds by lower case, because sources spell them differently.
var urlKinds = map[string]string{"httpurl": "httpUrl", "rtspurl": "rtspUrl", "mp4url": "mp4Url", "wavurl": "wavUrl"}

// parseURLs makes a list of maps with one kind each. Events have such a list; responses of the
// API have one object with all kinds.
func parseURLs(v *Value) {
	if v.Kind != KindMap && v.Kind != KindList {
		setUnknownType(v)
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
			setUnknownType(&from[i])
			items = append(items, from[i])
			continue
		}
		for _, m := range from[i].Members {
			if name, ok := urlKinds[strings.ToLower(m.Name)]; ok {
				m.Name = name
			}
			setUnknownType(&m.Value)
			items = append(items, Value{Kind: KindMap, Members: []Member{m}})
		}
	}
	*v = Value{Kind: KindList, Items: items}
}
