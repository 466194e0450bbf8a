// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package store

import (
	"bytes"
	"encoding/json"
	"time"
)

// MarshalRow writes a row as a JSON object of its columns, without those that have no
// value. Times are RFC 3339 in UTC, with milliseconds.
func MarshalRow[T Row](row *T) (json.RawMessage, error) {
	var b bytes.Buffer
	b.WriteByte('{')
	for _, c := range tableOf[T]().columns {
		v := value(c.field(row), func(t time.Time) any { return t.UTC().Format("2006-01-02T15:04:05.000Z") })
		if v == nil {
			continue
		}
		if document, ok := c.field(row).(*json.RawMessage); ok {
			v = *document
		}
		text, err := json.Marshal(v)
		if err != nil {
			return nil, err
		}
		if b.Len() > 1 {
			b.WriteByte(',')
		}
		b.WriteString(`"` + c.name + `":`)
		b.Write(text)
	}
	b.WriteByte('}')
	return b.Bytes(), nil
}
