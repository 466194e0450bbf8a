// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package accounting

import "time"

// EventLog is the expected content of the event log. Times are on the proxy's clock, which
// is exact.
type EventLog struct {
	// Lines that were written, and their Bytes.
	Lines int   `json:"lines"`
	Bytes int64 `json:"bytes"`
	// Requests are SIP requests, each once.
	Requests int `json:"requests"`
	// Responses are SIP responses, each once.
	Responses int `json:"responses"`
	// Events are those that an application made.
	Events int `json:"events"`
	// Malformed lines are no events.
	Malformed int `json:"malformed"`
	// Copies are events about a message that has one already: a retransmission.
	Copies int `json:"copies"`
	// Latin1 is the number of calls with a name that is not UTF-8.
	Latin1 int `json:"latin1"`
	// Rotations is how often the file was renamed.
	Rotations int `json:"rotations"`
	// Calls in the order in which they began.
	Calls []*SIPCall `json:"calls"`
}

// SIPCall is the SIP call of one leg, or one that no bridge saw.
type SIPCall struct {
	// SIPCallID is the leg's.
	SIPCallID string `json:"sip_call_id"`
	// Leg is its id, absent for a call that no bridge saw.
	Leg string `json:"leg,omitempty"`
	// Result is answered, failed or cancelled; empty while it rings.
	Result string `json:"result,omitempty"`
	// Code of the response with which it failed or was cancelled.
	Code int `json:"code,omitempty"`
	// Branches that were answered: two of a fork.
	Branches int `json:"branches"`
	// Challenged is true if a 407 came before it.
	Challenged bool `json:"challenged"`
	// Answered is the time of its first 200.
	Answered *time.Time `json:"answered,omitempty"`
	// Ended is the time of its BYE, absent if none was logged.
	Ended *time.Time `json:"ended,omitempty"`

	tag string // of the side that answered
}

// EventLog returns the expected content so far.
func (p *Proxy) EventLog() EventLog {
	r := p.report
	r.Rotations = p.file.rotated
	if r.Calls == nil {
		r.Calls = []*SIPCall{}
	}
	return r
}
