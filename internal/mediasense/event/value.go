// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package event

import "math"

// Kind is the type of a value.
type Kind uint8

// The kinds of values. KindInt and KindDouble are numbers, also if the wire has a quoted
// number.
const (
	KindNull Kind = iota
	KindBool
	KindInt
	KindDouble
	KindText
	KindList
	KindMap
)

// Value is one JSON value, typed as its element is documented.
type Value struct {
	Kind Kind
	// Text is the content of a text, and the received characters of other scalars.
	Text string
	// Items of a list, Members of a map.
	Items   []Value
	Members []Member

	number uint64
}

// Member is one element of an object. The last one of a name counts.
type Member struct {
	// Name as on the wire.
	Name string
	// Field is the documented element, or Unknown.
	Field Field
	Value Value
}

// Int returns the number of a KindInt.
func (v *Value) Int() int64 { return int64(v.number) } //nolint:gosec // the bits, as they were put in

// Double returns the number of a KindDouble or KindInt.
func (v *Value) Double() float64 {
	if v.Kind == KindInt {
		return float64(v.Int())
	}
	return math.Float64frombits(v.number)
}

// Bool returns the truth of a KindBool.
func (v *Value) Bool() bool { return v.number == 1 }

// Member returns the documented element of a map.
func (v *Value) Member(f Field) (Value, bool) { return find(v.Members, f) }

func find(members []Member, f Field) (Value, bool) {
	for i := range members {
		if members[i].Field == f {
			return members[i].Value, true
		}
	}
	return Value{}, false
}

func (v *Value) setInt(n int64)      { v.Kind, v.number = KindInt, uint64(n) } //nolint:gosec // the bits
func (v *Value) setDouble(x float64) { v.Kind, v.number = KindDouble, math.Float64bits(x) }

// setText makes a scalar a text of its received characters.
func (v *Value) setText() { v.Kind, v.number = KindText, 0 }

func (v *Value) setBool(b bool) {
	v.Kind, v.number = KindBool, 0
	if b {
		v.number = 1
	}
}

// isScalar reports whether the value has a Text.
func (v *Value) isScalar() bool { return v.Kind != KindNull && v.Kind < KindList }
