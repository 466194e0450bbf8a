// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package stitch

import (
	"bytes"
	"encoding/binary"
	"strings"

	"github.com/legato-otel/legato/internal/names"
)

// sipCall is the course of a SIP call. Times are 0 if unknown.
type sipCall struct {
	invited   int64 // time of the first INVITE
	attempt   uint32
	cancelled int64 // time of the CANCEL of the newest attempt
	code      int64 // final response to the newest attempt, unless it was an answer
	final     int64 // time of that response
	ringing   int64 // time of the first 180
	first     *item // the branch that was answered first; it may have only a logged BYE
}

// marks returns the item of the marks, nil if there is none.
func (f *factsCodec) marks() *item {
	for i := range f.items {
		if f.items[i].list == keyMarks {
			return &f.items[i]
		}
	}
	return nil
}

// branches returns the items of branches with an answer or a BYE.
func (f *factsCodec) branches() []item {
	start := 0
	for start < len(f.items) && f.items[start].list != keyBranches {
		start++
	}
	end := start
	for end < len(f.items) && f.items[end].list == keyBranches {
		end++
	}
	return f.items[start:end]
}

// firstBranch returns the branch that was answered first, nil if there is none. A branch
// without a logged answer comes last.
func (f *factsCodec) firstBranch() (first *item) {
	branches := f.branches()
	for i := range branches {
		if first == nil || compareBranches(&branches[i], first) < 0 {
			first = &branches[i]
		}
	}
	return first
}

func compareBranches(a, b *item) int {
	// The larger value is the earlier time.
	x, y := markContent(a.value(keyAnswer)), markContent(b.value(keyAnswer))
	if order := bytes.Compare(y[:min(len(y), timeSize)], x[:min(len(x), timeSize)]); order != 0 {
		return order
	}
	return bytes.Compare(a.id, b.id)
}

// sipCall returns the course of the call that the facts describe.
func (f *factsCodec) sipCall() (c sipCall) {
	c.first = f.firstBranch()
	for i := range f.items {
		if it := &f.items[i]; it.list == keyResponses && it.at == ringing {
			c.ringing = timeOfMark(it.value(keyFirst))
		}
	}
	marks := f.marks()
	if marks == nil {
		return c
	}
	c.invited = timeOfMark(marks.value(keyInvited))
	if attempt := markContent(marks.value(keyAttempt)); len(attempt) == cseqSize {
		c.attempt = binary.BigEndian.Uint32(attempt)
	}
	if b := markContent(marks.value(keyCancelled)); len(b) == cseqSize+timeSize && binary.BigEndian.Uint32(b) >= c.attempt {
		c.cancelled = decodeEarliest(b[cseqSize:])
	}
	if b := markContent(marks.value(keyFinal)); len(b) == cseqSize+codeSize+timeSize && binary.BigEndian.Uint32(b) >= c.attempt {
		c.code = int64(binary.BigEndian.Uint16(b[cseqSize:]))
		c.final = decodeEarliest(b[cseqSize+codeSize:])
	}
	return c
}

const (
	codeSize = 2
	timeSize = 8
)

// markContent returns the bytes of a mark, nil if it is absent or of another type.
func markContent(raw []byte) []byte {
	if len(raw) == 0 || raw[0]&tagMask != tagOpaque {
		return nil
	}
	return textOf(raw)
}

// decodeEarliest decodes a time of appendEarliest; it returns at least 1.
func decodeEarliest(b []byte) int64 {
	return max(1, int64(^binary.BigEndian.Uint64(b))) //nolint:gosec // the bits of it
}

// timeOfMark returns the time of a mark, 0 if it is absent.
func timeOfMark(raw []byte) int64 {
	b := markContent(raw)
	if len(b) < timeSize {
		return 0
	}
	return decodeEarliest(b)
}

// answered returns when the first branch was answered, 0 if unknown.
func (c *sipCall) answered() int64 {
	if c.first == nil {
		return 0
	}
	return timeOfMark(c.first.value(keyAnswer))
}

// end returns when the call ended, 0 if it has not. A failure, a challenge or a redirection
// ends the call unless the caller tries again.
func (c *sipCall) end() int64 {
	switch {
	case c.first != nil:
		return endOfBranch(c.first)
	case c.final != 0:
		return c.final
	default:
		return c.cancelled
	}
}

// endOfBranch returns when a branch ended: the time of its BYE or, if that was not logged, of
// the response.
func endOfBranch(b *item) int64 {
	if bye := timeOfMark(b.value(keyBye)); bye != 0 {
		return bye
	}
	return timeOfMark(b.value(keyByeResponse))
}

// result returns how a call went, "" if unknown.
func (c *sipCall) result() string {
	switch {
	case c.first != nil:
		if c.answered() == 0 {
			return ""
		}
		return names.DialogAnswered
	case c.code == terminated:
		return names.DialogCancelled
	case isChallenge(c.code):
		return names.DialogChallenged
	case c.code >= 400:
		return names.DialogFailed
	case c.code >= 300:
		return names.DialogRedirected
	case c.cancelled != 0:
		return names.DialogCancelled
	default:
		return ""
	}
}

// answerOf returns the status code and the tags of a branch's answer.
func answerOf(b *item) (code int64, from, to string) {
	answer := markContent(b.value(keyAnswer))
	if len(answer) < timeSize+codeSize {
		return 0, "", ""
	}
	code = int64(binary.BigEndian.Uint16(answer[timeSize:]))
	from, to, _ = strings.Cut(string(answer[timeSize+codeSize:]), tagSeparator)
	return code, from, to
}

// lastSeenOf returns the time of the last message of a branch.
func lastSeenOf(b *item) int64 {
	if heard := markContent(b.value(keyLastSeen)); len(heard) == timeSize {
		return int64(binary.BigEndian.Uint64(heard) & (1<<63 - 1))
	}
	return 0
}

// timeRange returns the times of the span of the call or, if b is not nil, of a fork's branch.
// A branch without a logged answer has no start, because its INVITE is not known.
func (c *sipCall) timeRange(heard timeRange, b *item) timeRange {
	s := timeRange{start: c.invited, first: earliestSet(heard.first, c.invited), last: max(heard.last, c.invited)}
	if b == nil {
		s.end = c.end()
		return s
	}
	answered := timeOfMark(b.value(keyAnswer))
	if answered == 0 {
		s.start = 0
	}
	s.end = endOfBranch(b)
	s.first = earliestSet(s.first, earliestSet(answered, s.end))
	s.last = max(s.last, lastSeenOf(b))
	return s
}
