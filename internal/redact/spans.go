// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package redact

import "strings"

// spans are the secrets of a text, in order.
type spans struct {
	single finder // of a text that has one view only
	merged *merger
}

// newSpans returns the secrets of a text. isAddress tells that it is the address of
// a party.
func newSpans(text string, isAddress bool) spans {
	if strings.IndexByte(text, 0) < 0 && !hasEscape(text) {
		s := spans{single: finder{view: view{text: text, plain: true}}}
		if isAddress {
			s.single.bare(0, false)
		}
		return s
	}
	m := new(merger)
	m.reset(text, isAddress)
	return spans{merged: m}
}

func (s *spans) next() (span, bool) {
	if s.merged == nil {
		return s.single.next()
	}
	return s.merged.next()
}

// merger merges what the views of a text show.
type merger struct {
	finders [maxViews]finder
	heads   [maxViews]span
	more    [maxViews]bool
	count   int
}

func (m *merger) reset(text string, isAddress bool) {
	var buffer [maxViews]view
	for i, v := range viewsOf(text, buffer[:0]) {
		m.finders[i] = finder{view: v}
		if isAddress {
			m.finders[i].bare(0, false)
		}
		m.heads[i], m.more[i] = m.finders[i].next()
		m.count = i + 1
	}
}

// next returns the next secret. Secrets that overlap are one.
func (m *merger) next() (s span, found bool) {
	first := -1
	for i := range m.count {
		if m.more[i] && (first < 0 || m.heads[i].from < m.heads[first].from) {
			first = i
		}
	}
	if first < 0 {
		return span{}, false
	}
	s = m.take(first)
	for joined := true; joined; {
		joined = false
		for i := range m.count {
			for m.more[i] && m.heads[i].from < s.to {
				s.to = max(s.to, m.take(i).to)
				joined = true
			}
		}
	}
	return s, true
}

// take returns the head of a finder, with its mark in the text's encoding.
func (m *merger) take(i int) span {
	s := m.heads[i]
	switch m.finders[i].encoding {
	case littleEndian:
		s.mark = widened(s.mark, "", "\x00")
	case bigEndian:
		s.mark = widened(s.mark, "\x00", "")
	}
	m.heads[i], m.more[i] = m.finders[i].next()
	return s
}

func widened(mark, before, behind string) string {
	var b strings.Builder
	for i := range len(mark) {
		b.WriteString(before)
		b.WriteByte(mark[i])
		b.WriteString(behind)
	}
	return b.String()
}
