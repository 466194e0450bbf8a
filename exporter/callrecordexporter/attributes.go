// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package callrecordexporter

import (
	"encoding/json"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"go.opentelemetry.io/collector/pdata/pcommon"
)

const (
	// maxText is how much of a text a column has, in bytes; an index of
	// PostgreSQL takes no more than about 2700. The whole is in the details.
	maxText = 1024
	// maxID is how long an id may be. It is a key; half of one is no key.
	maxID = 256
	// maxDepth of maps and lists in the details. Senders have three at most.
	maxDepth = 32
)

// fields says which attributes have a column: by key, a pointer into the row.
type fields[T any] map[string]func(*T) any

// identifier is an id that other rows have as theirs: in lower case, as those.
type identifier string

// set writes an attribute into a field. It returns false if the field cannot
// hold the whole of it; then it is to be kept elsewhere.
func set(field any, from pcommon.Value) bool {
	switch to := field.(type) {
	case *string:
		text, whole := cut(clean(from.AsString()))
		*to = text
		return whole && from.Type() == pcommon.ValueTypeStr
	case *identifier:
		text, whole := cut(lower(clean(from.AsString())))
		*to = identifier(text)
		return whole && from.Type() == pcommon.ValueTypeStr
	case **float64:
		v, ok := number(from)
		if ok {
			*to = &v
		}
		return ok
	case **int64:
		v, ok := number(from)
		if !ok || v != math.Trunc(v) || math.Abs(v) > 1<<53 {
			return false
		}
		whole := int64(v)
		*to = &whole
		return true
	case **bool:
		v, ok := truth(from)
		if ok {
			*to = &v
		}
		return ok
	case *time.Time:
		v, ok := milliseconds(from)
		if ok {
			*to = v
		}
		return ok
	case *json.RawMessage:
		*to = appendValue(nil, from, 0)
		return true
	}
	return false
}

func number(from pcommon.Value) (v float64, ok bool) {
	switch from.Type() {
	case pcommon.ValueTypeDouble:
		v = from.Double()
	case pcommon.ValueTypeInt:
		v = float64(from.Int())
	case pcommon.ValueTypeStr:
		var err error
		if v, err = strconv.ParseFloat(strings.TrimSpace(from.Str()), 64); err != nil {
			return 0, false
		}
	default:
		return 0, false
	}
	return v, !math.IsNaN(v) && !math.IsInf(v, 0)
}

func truth(from pcommon.Value) (v, ok bool) {
	switch from.Type() {
	case pcommon.ValueTypeBool:
		return from.Bool(), true
	case pcommon.ValueTypeStr:
		switch strings.ToLower(strings.TrimSpace(from.Str())) {
		case "true":
			return true, true
		case "false":
			return false, true
		}
	default:
	}
	return false, false
}

// milliseconds reads a time in milliseconds since 1970, of a year that a database
// can hold.
func milliseconds(from pcommon.Value) (time.Time, bool) {
	v, ok := number(from)
	if !ok || v <= 0 || v > float64(maxUnixMilli) {
		return time.Time{}, false
	}
	return time.UnixMilli(int64(v)).UTC(), true
}

// maxUnixMilli is the end of the year 9999, the last that sorts as text.
const maxUnixMilli = 253_402_300_799_999

// clean makes a text that both databases take: UTF-8 without zero bytes.
func clean(text string) string {
	if !utf8.ValidString(text) {
		text = strings.ToValidUTF8(text, "\uFFFD")
	}
	if strings.IndexByte(text, 0) >= 0 {
		text = strings.ReplaceAll(text, "\x00", "\uFFFD")
	}
	return text
}

// cut shortens a text to the length of a column.
func cut(text string) (short string, whole bool) {
	if len(text) <= maxText {
		return text, true
	}
	end := maxText
	for !utf8.RuneStart(text[end]) {
		end--
	}
	return text[:end], false
}

// details collects the attributes that have no column.
type details struct {
	keys   []string
	values []pcommon.Value
}

func (d *details) reset() { d.keys, d.values = d.keys[:0], d.values[:0] }

func (d *details) add(key string, value pcommon.Value) {
	d.keys, d.values = append(d.keys, clean(key)), append(d.values, value)
}

// json is an object with the keys in order, each once; nil if there are none.
func (d *details) json() json.RawMessage {
	if len(d.keys) == 0 {
		return nil
	}
	order := make([]int, len(d.keys))
	for i := range order {
		order[i] = i
	}
	// Stitched records have their attributes in order.
	if !slices.IsSorted(d.keys) {
		slices.SortStableFunc(order, func(a, b int) int { return strings.Compare(d.keys[a], d.keys[b]) })
	}
	text := make([]byte, 0, 64*len(order))
	text = append(text, '{')
	for n, i := range order {
		if n > 0 {
			if d.keys[i] == d.keys[order[n-1]] {
				continue
			}
			text = append(text, ',')
		}
		text = appendText(text, d.keys[i])
		text = append(text, ':')
		text = appendValue(text, d.values[i], 0)
	}
	return append(text, '}')
}

// appendValue writes a value as JSON. A number that JSON has not is a text.
func appendValue(to []byte, from pcommon.Value, depth int) []byte {
	if depth > maxDepth {
		return append(to, "null"...)
	}
	switch from.Type() {
	case pcommon.ValueTypeEmpty:
		return append(to, "null"...)
	case pcommon.ValueTypeBool:
		return strconv.AppendBool(to, from.Bool())
	case pcommon.ValueTypeInt:
		return strconv.AppendInt(to, from.Int(), 10)
	case pcommon.ValueTypeDouble:
		v := from.Double()
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return appendText(to, strconv.FormatFloat(v, 'g', -1, 64))
		}
		// As encoding/json: without an exponent where people would write none.
		format := byte('f')
		if size := math.Abs(v); size != 0 && (size < 1e-6 || size >= 1e21) {
			format = 'e'
		}
		return strconv.AppendFloat(to, v, format, -1, 64)
	case pcommon.ValueTypeSlice:
		to = append(to, '[')
		for i := range from.Slice().Len() {
			if i > 0 {
				to = append(to, ',')
			}
			to = appendValue(to, from.Slice().At(i), depth+1)
		}
		return append(to, ']')
	case pcommon.ValueTypeMap:
		return appendMap(to, from.Map(), depth)
	default:
		return appendText(to, clean(from.AsString()))
	}
}

func appendMap(to []byte, from pcommon.Map, depth int) []byte {
	to = append(to, '{')
	seen := make(map[string]struct{}, from.Len())
	for key, value := range from.All() {
		key = clean(key)
		if _, twice := seen[key]; twice {
			continue
		}
		if len(seen) > 0 {
			to = append(to, ',')
		}
		seen[key] = struct{}{}
		to = appendText(to, key)
		to = append(to, ':')
		to = appendValue(to, value, depth+1)
	}
	return append(to, '}')
}

const hexDigits = "0123456789abcdef"

// appendText writes a text that is clean as JSON.
func appendText(to []byte, text string) []byte {
	to = append(to, '"')
	start := 0
	for i := range len(text) {
		c := text[i]
		if c >= ' ' && c != '"' && c != '\\' {
			continue
		}
		to = append(to, text[start:i]...)
		start = i + 1
		switch c {
		case '"', '\\':
			to = append(to, '\\', c)
		case '\n':
			to = append(to, '\\', 'n')
		default:
			to = append(to, '\\', 'u', '0', '0', hexDigits[c>>4], hexDigits[c&15])
		}
	}
	return append(append(to, text[start:]...), '"')
}
