// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package events

// Misuse is a kind of error or bad practice of a client.
type Misuse string

// The kinds of misuse; each is counted and logged.
const (
	// AckOfAck is an acknowledgement of an acknowledgement.
	AckOfAck Misuse = "ack_of_ack"
	// DuplicateAck is an acknowledgement of a message that has one already.
	DuplicateAck Misuse = "duplicate_ack"
	// UnknownAck is an acknowledgement of a message that was never sent.
	UnknownAck Misuse = "unknown_ack"
	// FailedAck is an acknowledgement with a status other than success.
	FailedAck Misuse = "failed_ack"
	// WithheldAck is an acknowledgement that did not arrive in time.
	WithheldAck Misuse = "withheld_ack"
	// Backlog is a client that is too slow for its queue.
	Backlog Misuse = "backlog"
	// Ping is a ping frame.
	Ping Misuse = "ping_frame"
	// Pong is a pong frame; the server sends no pings.
	Pong Misuse = "pong_frame"
	// Binary is a binary frame.
	Binary Misuse = "binary_frame"
	// Fragmented is a message in several frames.
	Fragmented Misuse = "fragmented_frame"
	// Malformed is a frame that is not JSON of the right form.
	Malformed Misuse = "malformed_frame"
	// UnknownMessage is a message of a type that servers do not accept.
	UnknownMessage Misuse = "unknown_message"
	// UnknownType is a subscription of an unknown type.
	UnknownType Misuse = "unknown_type"
	// UnknownElement is an element the resource does not have.
	UnknownElement Misuse = "unknown_element"
	// MissingIndex is a subscription without index.
	MissingIndex Misuse = "missing_index"
	// IndexReused is an index that belonged to another resource before.
	IndexReused Misuse = "index_reused"
	// DuplicateIndex is an index twice in one request.
	DuplicateIndex Misuse = "duplicate_index"
	// DuplicateResource is a resource twice in one request.
	DuplicateResource Misuse = "duplicate_resource"
	// Renumbered is a new index for a resource with a subscription, which costs a snapshot.
	Renumbered Misuse = "renumbered"
	// OverLimit is a request for more subscriptions than a socket may have.
	OverLimit Misuse = "over_limit"
	// BadLogin is a request with wrong credentials, or none.
	BadLogin Misuse = "bad_login"
)

// maxLoggedMisuse is how many times each kind is logged, by server; further ones are only
// counted.
const maxLoggedMisuse = 10

// Account has the counters of an Events server.
type Account struct {
	// Tokens issued.
	Tokens int `json:"tokens"`
	// Sockets opened.
	Sockets int `json:"sockets"`
	// MostSockets open at once.
	MostSockets int `json:"most_sockets"`
	// RefusedTokens counts upgrades with an invalid token.
	RefusedTokens int `json:"refused_tokens"`
	// RefusedSockets counts upgrades without a free place.
	RefusedSockets int `json:"refused_sockets"`
	// Messages sent.
	Messages int `json:"messages"`
	// Acknowledged messages.
	Acknowledged int `json:"acknowledged"`
	// Requests for subscriptions.
	Requests int `json:"requests"`
	// MostSubscriptions of one socket at once.
	MostSubscriptions int `json:"most_subscriptions"`
	// Faults counts the faults by kind.
	Faults map[string]int `json:"faults"`
	// Misuse by clients, by kind.
	Misuse map[Misuse]int `json:"misuse"`
}

func newAccount() Account { return Account{Faults: map[string]int{}, Misuse: map[Misuse]int{}} }

// recordMisuse counts a misuse and logs the first ones of its kind.
func (s *server) recordMisuse(kind Misuse, format string, args ...any) {
	s.account.Misuse[kind]++
	if n := s.account.Misuse[kind]; n <= maxLoggedMisuse {
		s.logf("%s: "+format, append([]any{kind}, args...)...)
	} else if n == maxLoggedMisuse+1 {
		s.logf("%s: more of it, only counted from here on", kind)
	}
}

func (s *server) logf(format string, args ...any) {
	s.cluster.opts.Logf(s.stage.Name+" events: "+format, args...)
}
