// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package wire

import (
	"strconv"
	"strings"
	"time"
)

// escaper covers text and attribute values alike, as the bridges do.
var escaper = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", `"`, "&quot;")

// element builds the XML of one entity. The methods that name an element write
// it whole.
type element struct{ text []byte }

func (e *element) raw(parts ...string) *element {
	for _, p := range parts {
		e.text = append(e.text, p...)
	}
	return e
}

// open writes the start tag of an entity.
func (e *element) open(name, id string) *element {
	return e.raw("<", name, ` id="`, id, `">`)
}

// selfClosed writes an entity without content.
func (e *element) selfClosed(name, id string) *element {
	return e.raw("<", name, ` id="`, id, `"/>`)
}

func (e *element) begin(name string) *element { return e.raw("<", name, ">") }

func (e *element) close(name string) *element { return e.raw("</", name, ">") }

// is writes an element with a value, even an empty one.
func (e *element) is(name, value string) *element {
	return e.begin(name).raw(escaper.Replace(value)).close(name)
}

// has writes an element with a value unless that is empty.
func (e *element) has(name, value string) *element {
	if value == "" {
		return e
	}
	return e.is(name, value)
}

// empty writes an element without content.
func (e *element) empty(name string) *element { return e.raw("<", name, "/>") }

// flag writes an element only when it is true.
func (e *element) flag(name string, value bool) *element {
	if !value {
		return e
	}
	return e.is(name, "true")
}

func (e *element) boolean(name string, value bool) *element {
	return e.is(name, strconv.FormatBool(value))
}

func (e *element) count(name string, n int) *element {
	return e.is(name, strconv.Itoa(n))
}

// seconds writes a duration of whole seconds.
func (e *element) seconds(name string, d time.Duration) *element {
	return e.count(name, int(d/time.Second))
}

// decimal writes a number with a fixed number of decimals.
func (e *element) decimal(name string, value float64, decimals int) *element {
	return e.is(name, strconv.FormatFloat(value, 'f', decimals, 64))
}
