// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package store

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"

	"github.com/legato-otel/legato/internal/scan/jsonscan"
)

// member of a JSON object: its name, decoded, and its text.
type member struct {
	name string
	text []byte
}

// membersOf reads the members of a JSON object; ok is false for anything else. The
// texts alias the document.
func membersOf(document json.RawMessage) (members []member, ok bool) {
	var s jsonscan.Scanner
	s.Reset(document)
	if s.Next() != '{' {
		return nil, false
	}
	err := s.Object(0, func(name []byte) error {
		m := member{name: string(name)}
		s.Next()
		start := s.Pos()
		if err := s.Skip(1); err != nil {
			return err
		}
		m.text = s.Since(start)
		members = append(members, m)
		return nil
	})
	return members, err == nil
}

func compareMembers(a, b member) int { return strings.Compare(a.name, b.name) }

// objectOf writes members as a JSON object, nil if there are none.
func objectOf(members []member) json.RawMessage {
	if len(members) == 0 {
		return nil
	}
	var text bytes.Buffer
	for i, m := range members {
		if i == 0 {
			text.WriteByte('{')
		} else {
			text.WriteByte(',')
		}
		name, _ := json.Marshal(m.name) // a text cannot fail
		text.Write(name)
		text.WriteByte(':')
		text.Write(m.text)
	}
	text.WriteByte('}')
	return text.Bytes()
}

// withoutMembers returns the members of a JSON object that another one does not
// have, nil if there are none. If either is no object, it is nil.
func withoutMembers(from, other json.RawMessage) json.RawMessage {
	if len(from) == 0 || len(other) == 0 {
		return from
	}
	left, ok := membersOf(from)
	taken, also := membersOf(other)
	if !ok || !also {
		return nil
	}
	slices.SortFunc(taken, compareMembers)
	before := len(left)
	left = slices.DeleteFunc(left, func(m member) bool {
		_, found := slices.BinarySearchFunc(taken, m, compareMembers)
		return found
	})
	if len(left) == before {
		return from
	}
	return objectOf(left)
}

// joinMembers makes one JSON object of two that have no member in common.
func joinMembers(a, b json.RawMessage) json.RawMessage {
	switch {
	case len(a) == 0:
		return b
	case len(b) == 0:
		return a
	}
	members, _ := membersOf(a)
	more, _ := membersOf(b)
	members = append(members, more...)
	slices.SortFunc(members, compareMembers)
	return objectOf(members)
}
