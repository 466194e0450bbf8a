// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package mediasense

import (
	"maps"
)

// Misuse is a kind of error or bad practice of a client of the API.
type Misuse string

// The kinds of misuse; each is counted and logged.
const (
	// BadLogin is a sign-in with wrong credentials.
	BadLogin Misuse = "bad_login"
	// NoSession is a request without JSESSIONID.
	NoSession Misuse = "no_session"
	// UnknownSession is a JSESSIONID this server never gave out.
	UnknownSession Misuse = "unknown_session"
	// DeadSession is a JSESSIONID used again after error 4021, save for signing it out.
	DeadSession Misuse = "dead_session"
	// ManySessions is a sign-in of a client that has many sessions already.
	ManySessions Misuse = "many_sessions"
	// NoSignOut is a session that is still good when the simulation ends.
	NoSignOut Misuse = "no_sign_out"
	// NeedlessSubscription is a second request, within one session, for an existing
	// subscription.
	NeedlessSubscription Misuse = "needless_subscription"
	// UnknownFilter is a subscription filter there is not.
	UnknownFilter Misuse = "unknown_filter"
	// Malformed is a request that is no JSON of the right shape.
	Malformed Misuse = "malformed_request"
	// NoBackoff is a request right after error 5042.
	NoBackoff Misuse = "no_backoff"
	// BadMethod is a method other than POST.
	BadMethod Misuse = "bad_method"
	// UnknownPath is a path that leads nowhere.
	UnknownPath Misuse = "unknown_path"
)

// maxLoggedMisuse is how many times each kind is logged, by server; further ones are only
// counted.
const maxLoggedMisuse = 10

// Account has the counters of a server and of the clients of its API.
type Account struct {
	// Server is ms1 or ms2.
	Server string `json:"server"`
	// Posts is how many bodies were posted.
	Posts int `json:"posts"`
	// Acknowledged of them were answered with a 2xx, Refused with something
	// else, Unanswered not at all.
	Acknowledged int `json:"acknowledged"`
	Refused      int `json:"refused"`
	Unanswered   int `json:"unanswered"`
	// Dropped were never posted, because the subscriber was too slow.
	Dropped int `json:"dropped"`
	// Malformed bodies that were acknowledged.
	Malformed int `json:"malformed"`
	// Sent is the events in the bodies acknowledged, each time, by type and action.
	Sent map[string]int `json:"sent"`
	// SignIns that succeeded.
	SignIns int `json:"sign_ins"`
	// SignOuts of good sessions.
	SignOuts int `json:"sign_outs"`
	// MostSessions that were good at once.
	MostSessions int `json:"most_sessions"`
	// InvalidSessions is how many requests were answered with error 4021.
	InvalidSessions int `json:"invalid_sessions"`
	// Busy is how many requests were answered with error 5042.
	Busy int `json:"busy"`
	// Subscribed is the new subscriptions by API call.
	Subscribed map[string]int `json:"subscribed"`
	// Identical is how many requests asked for a subscription there was.
	Identical int `json:"identical"`
	// Replaced is how many requests changed the filters of one there was.
	Replaced int `json:"replaced"`
	// Verified is how many times a client asked whether its subscription is there.
	Verified int `json:"verified"`
	// Unsubscribed by clients.
	Unsubscribed int `json:"unsubscribed"`
	// Subscriptions left.
	Subscriptions int `json:"subscriptions"`
	// Faults counts the faults by kind.
	Faults map[string]int `json:"faults"`
	// Misuse by clients, by kind.
	Misuse map[Misuse]int `json:"misuse"`

	loggedLosses int
}

func newAccount(name string) Account {
	return Account{Server: name, Sent: map[string]int{}, Subscribed: map[string]int{}, Faults: map[string]int{}, Misuse: map[Misuse]int{}}
}

// recordMisuse counts a misuse and logs the first ones of its kind.
func (s *server) recordMisuse(kind Misuse, format string, args ...any) {
	s.account.Misuse[kind]++
	if n := s.account.Misuse[kind]; n <= maxLoggedMisuse {
		s.logf("%s: "+format, append([]any{kind}, args...)...)
	} else if n == maxLoggedMisuse+1 {
		s.logf("%s: more of it, only counted from here on", kind)
	}
}

// logLostPost logs the first posts that failed.
func (s *server) logLostPost(problem string) {
	s.cluster.mu.Lock()
	defer s.cluster.mu.Unlock()
	s.account.loggedLosses++
	if s.account.loggedLosses <= maxLoggedMisuse && !s.cluster.closed {
		s.logf("a post is lost: %s", problem)
	}
}

// recordOpenSessions records a misuse for each session without a sign-out. Clients may sign
// out until the end.
func (s *server) recordOpenSessions() {
	s.expire()
	for range s.sessions {
		s.recordMisuse(NoSignOut, "a session is still good")
	}
	s.account.Subscriptions = len(s.subscriptions)
}

// Report is the result of all servers.
type Report struct {
	Accounts []Account
	// Happened counts the events of the scenario by type and action, Arrived those with at
	// least one acknowledgement.
	Happened, Arrived map[string]int
	// States is the ends of sessions that arrived, by state; Tags the tags added,
	// by type.
	States, Tags map[string]int
	// Deleted and Pruned sessions named by events that arrived.
	Deleted, Pruned int
	// Damaged bodies that were acknowledged, those of the same bytes once; 0
	// unless it was kept.
	Damaged int
	// Missed are the events without an acknowledgement, in their order; nil unless
	// Options.Keep.
	Missed []Missed
}

// Report returns the result so far.
func (c *Cluster) Report() Report {
	c.mu.Lock()
	defer c.mu.Unlock()
	r := Report{
		Happened: byName(c.deliveries.happened), Arrived: byName(c.deliveries.arrived), States: maps.Clone(c.deliveries.states), Tags: maps.Clone(c.deliveries.tags),
		Deleted: c.deliveries.deleted, Pruned: c.deliveries.pruned, Damaged: len(c.deliveries.damaged), Missed: c.deliveries.missed(),
	}
	for _, s := range c.servers {
		a := s.account
		a.Sent, a.Subscribed = maps.Clone(a.Sent), maps.Clone(a.Subscribed)
		a.Faults, a.Misuse = maps.Clone(a.Faults), maps.Clone(a.Misuse)
		r.Accounts = append(r.Accounts, a)
	}
	return r
}

func byName(counts map[Kind]int) map[string]int {
	out := map[string]int{}
	for kind, n := range counts {
		out[kind.String()] = n
	}
	return out
}

// Sum returns the numbers of posts and of acknowledged posts so far.
func (c *Cluster) Sum() (posts, acknowledged int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, s := range c.servers {
		posts, acknowledged = posts+s.account.Posts, acknowledged+s.account.Acknowledged
	}
	return posts, acknowledged
}
