// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package mediasense

import (
	"bytes"
	"encoding/json"
	"strconv"
)

// object is a JSON object whose members keep their order.
type object []member

type member struct {
	name  string
	value any
}

// MarshalJSON implements json.Marshaler.
func (o object) MarshalJSON() ([]byte, error) {
	var out bytes.Buffer
	enc := json.NewEncoder(&out)
	enc.SetEscapeHTML(false)
	out.WriteByte('{')
	for i, m := range o {
		if i > 0 {
			out.WriteByte(',')
		}
		out.WriteString(strconv.Quote(m.name) + ":")
		if err := enc.Encode(m.value); err != nil {
			return nil, err
		}
		out.Truncate(out.Len() - 1) // the line feed
	}
	out.WriteByte('}')
	return out.Bytes(), nil
}

// text is the object in JSON.
func (o object) text() []byte {
	var out bytes.Buffer
	enc := json.NewEncoder(&out)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(o); err != nil {
		panic(err) // nothing here can fail to be JSON
	}
	return bytes.TrimSuffix(out.Bytes(), []byte("\n"))
}

// withTextNumbers returns the value with all its numbers as strings.
func withTextNumbers(value any) any {
	switch v := value.(type) {
	case int64:
		return strconv.FormatInt(v, 10)
	case object:
		list := make(object, len(v))
		for i, m := range v {
			list[i] = member{m.name, withTextNumbers(m.value)}
		}
		return list
	case []object:
		list := make([]object, len(v))
		for i, o := range v {
			list[i] = withTextNumbers(o).(object)
		}
		return list
	}
	return value
}
