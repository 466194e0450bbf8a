// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package stitch

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"strings"
)

// Message is one SIP message of a call, as an accounting event reports it.
type Message struct {
	// CallID as on the wire.
	CallID string
	// Method of the request, or of the request that a response answers.
	Method string
	// Code is the status of a response, 0 for a request.
	Code int64
	// CSeq is the sequence number, -1 if unknown.
	CSeq int64
	// FromTag and ToTag are empty if the message has none.
	FromTag, ToTag string
	// Time by the sender's clock, in nanoseconds since 1970.
	Time   int64
	Source Source
	// Fields are attributes of the whole call, without those of its id.
	Fields []Field
}

// SIP methods of a call. Other methods may be sent outside a call.
const (
	methodInvite = "INVITE"
	methodAck    = "ACK"
	methodCancel = "CANCEL"
	methodBye    = "BYE"
	methodPrack  = "PRACK"
	methodUpdate = "UPDATE"
)

// maxCallID is the longest Call-ID of a stitched call, in bytes. Real ones have fewer than
// 100.
const maxCallID = 1 << 10

// maxTag is the longest tag that is stored unhashed, in bytes.
const maxTag = 100

// Record converts the message to a record of its call; ok is false if it belongs to no call.
// The record shares the message's fields.
func (m *Message) Record() (r Record, ok bool) {
	if m.CallID == "" || len(m.CallID) > maxCallID {
		return r, false
	}
	r = Record{Kind: Dialog, Phase: Update, ID: m.CallID, Time: m.Time, Source: m.Source, Fields: m.Fields}
	rank := uint64(rankOther)
	switch m.Method {
	case methodInvite:
		rank = m.describeInvite(&r)
	case methodCancel:
		if m.Code == 0 {
			r.Items = append(r.Items, marksItem(Field{keyOfMark(keyCancelled), markTime(m.appendCSeq(nil), m.Time)}))
		}
	case methodBye:
		m.describeBye(&r)
	case methodAck, methodPrack, methodUpdate:
	default:
		return r, false
	}
	r.Index = messageIndex(rank, m.Time)
	return r, true
}

// Ranks of messages: an attribute has the value of the message with the highest rank, and of
// several the earliest. The called party may send a later INVITE, whose From is the caller's
// To.
const (
	rankOther = iota
	rankInviteResponse
	rankInvite
)

const rankBits = 62

func messageIndex(rank uint64, at int64) uint64 {
	const latest = 1<<rankBits - 1
	return rank<<rankBits | uint64(latest-min(max(at, 0), latest))
}

func (m *Message) describeInvite(r *Record) (rank uint64) {
	attempt := Field{keyOfMark(keyAttempt), Opaque(string(m.appendCSeq(nil)))}
	if m.Code == 0 {
		r.Items = append(r.Items, marksItem(attempt, Field{keyOfMark(keyInvited), markTime(nil, m.Time)}))
		return rankInvite
	}
	marks := []Field{attempt}
	if m.Code >= 300 {
		final := binary.BigEndian.AppendUint16(m.appendCSeq(nil), uint16(min(m.Code, 999)))
		marks = append(marks, Field{keyOfMark(keyFinal), markTime(final, m.Time)})
	}
	r.Items = append(r.Items, marksItem(marks...))
	if m.Code > trying {
		r.Items = append(r.Items, Item{
			List: keyOfMark(keyResponses), At: m.Code, Fields: []Field{{keyOfMark(keyFirst), markTime(nil, m.Time)}},
		})
	}
	if m.Code >= 200 && m.Code < 300 {
		answer := binary.BigEndian.AppendUint16(appendEarliest(nil, m.Time), uint16(m.Code))
		answer = append(answer, hashLongTag(m.FromTag)...)
		answer = append(append(answer, tagSeparator...), hashLongTag(m.ToTag)...)
		r.Items = append(r.Items, m.branch(Field{keyOfMark(keyAnswer), Opaque(string(answer))}))
	}
	return rankInviteResponse
}

// describeBye records a BYE, or a final response to it, as the end of a branch.
func (m *Message) describeBye(r *Record) {
	switch {
	case m.Code == 0:
		r.Items = append(r.Items, m.branch(Field{keyOfMark(keyBye), markTime(nil, m.Time)}))
	case m.Code >= 200 && !isChallenge(m.Code): // the party repeats a challenged BYE
		r.Items = append(r.Items, m.branch(Field{keyOfMark(keyByeResponse), markTime(nil, m.Time)}))
	}
}

// branch returns an item of the branch that the message's tags name.
func (m *Message) branch(field Field) Item {
	return Item{List: keyOfMark(keyBranches), ID: branchID(m.FromTag, m.ToTag), Fields: []Field{
		field, {keyOfMark(keyLastSeen), Opaque(string(binary.BigEndian.AppendUint64(nil, uint64(max(m.Time, 0)))))},
	}}
}

// branchID identifies a branch of a call by both tags in byte order: the From tag of one
// party's requests is the To tag of the other's.
func branchID(a, b string) string {
	a, b = lowerASCII(hashLongTag(a)), lowerASCII(hashLongTag(b))
	if a > b {
		a, b = b, a
	}
	return a + tagSeparator + b
}

// tagSeparator separates the parts of a dialog's id. Neither a Call-ID nor a tag contains it
// (RFC 3261, section 25.1: word, token).
const tagSeparator = ";"

// hashLongTag returns a tag, or its hash if it is too long or not a token.
func hashLongTag(tag string) string {
	if len(tag) <= maxTag && !strings.Contains(tag, tagSeparator) {
		return tag
	}
	sum := sha256.Sum256([]byte(lowerASCII(tag)))
	return hex.EncodeToString(sum[:])
}

// forkID returns the id of a branch that is not the first of its call.
func forkID(call, branch string) string { return call + tagSeparator + branch }

// callOfFork returns the Call-ID in the id of a fork.
func callOfFork(id string) string {
	for range 2 {
		id = id[:max(0, strings.LastIndex(id, tagSeparator))]
	}
	return id
}

// marksItem returns the item that holds a call's marks: facts that a call has once.
func marksItem(fields ...Field) Item { return Item{List: keyOfMark(keyMarks), Fields: fields} }

func keyOfMark(k key) string { return wellKnownTexts[k] }

// Values of marks are bytes of one length, of which the largest stays (items.go). Times are
// encoded so that the earlier one is larger; a prefix counts before the time.

// appendEarliest appends a time so that an earlier one is larger.
func appendEarliest(b []byte, at int64) []byte {
	return binary.BigEndian.AppendUint64(b, ^uint64(max(at, 0)))
}

func markTime(b []byte, at int64) Value { return Opaque(string(appendEarliest(b, at))) }

const cseqSize = 4

func (m *Message) appendCSeq(b []byte) []byte {
	const most = 1<<32 - 1
	return binary.BigEndian.AppendUint32(b, uint32(min(max(m.CSeq+1, 0), most)))
}

const (
	trying       = 100
	ringing      = 180
	unauthorized = 401
	proxyAuth    = 407
	terminated   = 487
)

func isChallenge(code int64) bool { return code == unauthorized || code == proxyAuth }
