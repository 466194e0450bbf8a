// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package api

import "errors"

// ReceiverMatch finds a CDR receiver in the list of a bridge, in whatever letters the
// bridge shows its URI. The zero value looks for none.
type ReceiverMatch struct {
	own    receiverURI
	wanted bool
}

// NewReceiverMatch returns a match of the URI, or of none for "". A URI without a
// query matches every query: bridges of a cluster may have one each.
func NewReceiverMatch(uri string) (ReceiverMatch, error) {
	if uri == "" {
		return ReceiverMatch{}, nil
	}
	own, ok := parseReceiverURI(uri)
	if !ok {
		return ReceiverMatch{}, errors.New("the URI of a CDR receiver must be an absolute URL")
	}
	return ReceiverMatch{own, true}, nil
}

// Wanted tells whether it looks for a receiver.
func (m ReceiverMatch) Wanted() bool { return m.wanted }

// In tells whether the receiver is in a list. It is not known for a list that has
// entries whose URI it does not show.
func (m ReceiverMatch) In(list []CDRReceiver) (present, known bool) {
	known = true
	for _, r := range list {
		u, ok := parseReceiverURI(r.URI)
		if ok && u.target == m.own.target && (m.own.query == "" || u.query == m.own.query) {
			return true, true
		}
		known = known && r.shown
	}
	return false, known
}
