// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package events

// Misuse is a kind of thing a client must not do, or had better not.
type Misuse string

// What is counted, and told to the log.
const (
	// AckOfAck is an acknowledgement of an acknowledgement.
	AckOfAck Misuse = "ack_of_ack"
	// DuplicateAck is an acknowledgement of a message that has one already.
	DuplicateAck Misuse = "duplicate_ack"
	// UnknownAck is an acknowledgement of a message that was never sent.
	UnknownAck Misuse = "unknown_ack"
	// FailedAck is an acknowledgement with a status other than success.
	FailedAck Misuse = "failed_ack"
	// WithheldAck is an acknowledgement that did not come in time.
	WithheldAck Misuse = "withheld_ack"
	// Backlog is a client so slow that too much waits for it.
	Backlog Misuse = "backlog"
	// Ping is a ping frame.
	Ping Misuse = "ping_frame"
	// Pong is a pong frame; the server sends no pings.
	Pong Misuse = "pong_frame"
	// Binary is a binary frame.
	Binary Misuse = "binary_frame"
	// Fragmented is a message in several frames.
	Fragmented Misuse = "fragmented_frame"
	// Malformed is a frame that is no JSON of the right shape.
	Malformed Misuse = "malformed_frame"
	// UnknownMessage is a message of a type a server does not take.
	UnknownMessage Misuse = "unknown_message"
	// UnknownType is a subscription to a resource there is not.
	UnknownType Misuse = "unknown_type"
	// UnknownElement is an element the resource does not have.
	UnknownElement Misuse = "unknown_element"
	// MissingIndex is a subscription without index.
	MissingIndex Misuse = "missing_index"
	// IndexReused is an index that meant another resource before.
	IndexReused Misuse = "index_reused"
	// DuplicateIndex is an index twice in one request.
	DuplicateIndex Misuse = "duplicate_index"
	// DuplicateResource is a resource twice in one request.
	DuplicateResource Misuse = "duplicate_resource"
	// Renumbered is a new index for a resource already subscribed to, which
	// costs a snapshot.
	Renumbered Misuse = "renumbered"
	// OverLimit is a request for more subscriptions than a socket may have.
	OverLimit Misuse = "over_limit"
	// BadLogin is a request with wrong credentials, or none.
	BadLogin Misuse = "bad_login"
)

// told is how many times each kind is told to the log, by server; the rest is
// only counted.
const told = 10

// Account is what an Events server saw of its clients.
type Account struct {
	// Tokens given out.
	Tokens int `json:"tokens"`
	// Sockets opened.
	Sockets int `json:"sockets"`
	// MostSockets open at once.
	MostSockets int `json:"most_sockets"`
	// RefusedTokens is how many upgrades came with a token that was not good.
	RefusedTokens int `json:"refused_tokens"`
	// RefusedSockets is how many upgrades came when all sockets were taken.
	RefusedSockets int `json:"refused_sockets"`
	// Messages sent.
	Messages int `json:"messages"`
	// Acknowledged messages.
	Acknowledged int `json:"acknowledged"`
	// Requests for subscriptions.
	Requests int `json:"requests"`
	// MostSubscriptions of one socket at once.
	MostSubscriptions int `json:"most_subscriptions"`
	// Faults played, by kind.
	Faults map[string]int `json:"faults"`
	// Misuse by clients, by kind.
	Misuse map[Misuse]int `json:"misuse"`
}

func newAccount() Account { return Account{Faults: map[string]int{}, Misuse: map[Misuse]int{}} }

// blame counts a misuse and tells the first ones.
func (s *server) blame(kind Misuse, format string, args ...any) {
	s.account.Misuse[kind]++
	if n := s.account.Misuse[kind]; n <= told {
		s.logf("%s: "+format, append([]any{kind}, args...)...)
	} else if n == told+1 {
		s.logf("%s: more of it, only counted from here on", kind)
	}
}

func (s *server) logf(format string, args ...any) {
	s.cluster.opts.Logf(s.stage.Name+" events: "+format, args...)
}
