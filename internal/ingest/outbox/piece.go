// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package outbox

import (
	"errors"
	"math"
)

// Limits of one piece of a body.
type Limits struct {
	// Bytes of its parts as they were posted. One part alone may be more.
	Bytes int
	// Records is the number of its parts.
	Records int
}

// Piece is a run of a body's parts that goes on in one payload: a consumer that
// takes no payload above some size takes a long body all the same.
type Piece struct {
	// From and To are the numbers of its first part and of the one behind it.
	From, To int
	// Fresh is how many of them are new. Duplicates belong to a piece and count
	// for nothing in it.
	Fresh int
	// Bytes of the new ones, as posted.
	Bytes int
	// Rejected is why the piece is in quarantine, nil if it is not.
	Rejected error
	// Lost tells that not even the quarantine was taken.
	Lost bool
}

// Cut returns the piece that begins with part from of a body of so many parts.
// bytes returns how long a part is, and whether it is new.
func (l Limits) Cut(from, parts int, bytes func(part int) (n int, fresh bool)) Piece {
	p := Piece{From: from, To: from}
	for ; p.To < parts; p.To++ {
		n, fresh := bytes(p.To)
		if !fresh {
			continue
		}
		if p.Fresh > 0 && (p.Fresh >= l.Records || p.Bytes+n > l.Bytes) {
			break
		}
		p.Fresh++
		p.Bytes += n
	}
	return p
}

// Between returns the parts of a body from one number to the one behind the last as
// a piece, however long it is. bytes is that of Cut.
func Between(from, to int, bytes func(part int) (n int, fresh bool)) Piece {
	return Limits{Bytes: math.MaxInt, Records: math.MaxInt}.Cut(from, to, bytes)
}

// Bounds of what a body may become, in bytes of OTLP: an element of four bytes is
// an attribute of forty. What servers send becomes at most twice its bytes; a few
// very short records may be more.
const (
	MaxExpansion  = 3
	freeExpansion = 64 << 10
)

// ErrExpands is why records are kept as bytes that would become far more than
// they are.
var ErrExpands = errors.New("as events, the records would be more than three times their bytes")

// Expansion is what a body has become so far.
type Expansion struct{ posted, become int }

// Add adds a piece of a body and tells whether it may become so much. One that
// may not is kept as bytes.
func (e *Expansion) Add(posted, becomes int) bool {
	e.posted += posted
	if e.become+becomes > MaxExpansion*e.posted+freeExpansion {
		e.become += posted
		return false
	}
	e.become += becomes
	return true
}

// SmallBody is the length of a body, in bytes, that cannot become too much,
// whatever is in it.
const SmallBody = 4 << 10
