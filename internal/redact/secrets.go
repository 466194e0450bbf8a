// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package redact

import "strings"

// secrets iterates over the secrets of a text, in order.
type secrets struct {
	single finder  // for a text with one view
	merged *merger // nil for a text with one view
}

// newSecrets returns the secrets of a text. isAddress says that the text is the address of a
// party.
func newSecrets(text string, isAddress bool) secrets {
	if strings.IndexByte(text, 0) < 0 && !hasEscape(text) {
		s := secrets{single: finder{view: view{text: text, plain: true}}}
		if isAddress {
			s.single.scanBareAddress(0, false)
		}
		return s
	}
	m := new(merger)
	m.reset(text, isAddress)
	return secrets{merged: m}
}

func (s *secrets) next() (secret, bool) {
	if s.merged == nil {
		return s.single.next()
	}
	return s.merged.next()
}

// merger merges the secrets of several views.
type merger struct {
	finders [maxViews]finder
	heads   [maxViews]secret // next secret of each finder
	hasHead [maxViews]bool
	count   int
}

func (m *merger) reset(text string, isAddress bool) {
	var buffer [maxViews]view
	for i, v := range viewsOf(text, buffer[:0]) {
		m.finders[i] = finder{view: v}
		if isAddress {
			m.finders[i].scanBareAddress(0, false)
		}
		m.heads[i], m.hasHead[i] = m.finders[i].next()
		m.count = i + 1
	}
}

// next returns the next secret. Overlapping secrets become one.
func (m *merger) next() (s secret, found bool) {
	first := -1
	for i := range m.count {
		if m.hasHead[i] && (first < 0 || m.heads[i].from < m.heads[first].from) {
			first = i
		}
	}
	if first < 0 {
		return secret{}, false
	}
	s = m.takeHead(first)
	for joined := true; joined; {
		joined = false
		for i := range m.count {
			for m.hasHead[i] && m.heads[i].from < s.to {
				s.to = max(s.to, m.takeHead(i).to)
				joined = true
			}
		}
	}
	return s, true
}

// takeHead removes the head of a finder, and returns it with its mark in the text's
// encoding.
func (m *merger) takeHead(i int) secret {
	s := m.heads[i]
	switch m.finders[i].encoding {
	case littleEndian:
		s.mark = widen(s.mark, "", "\x00")
	case bigEndian:
		s.mark = widen(s.mark, "\x00", "")
	}
	m.heads[i], m.hasHead[i] = m.finders[i].next()
	return s
}

func widen(mark, before, behind string) string {
	var b strings.Builder
	for i := range len(mark) {
		b.WriteString(before)
		b.WriteByte(mark[i])
		b.WriteString(behind)
	}
	return b.String()
}
