// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package api

import "errors"

// ReceiverMatch finds a CDR receiver in the list of a bridge by its normalized URI. The zero
// value is not set and matches none.
type ReceiverMatch struct {
	uri   receiverURI
	isSet bool
}

// NewReceiverMatch returns a match for the URI, or the zero value for "". A URI without a query
// matches every query, because each bridge of a cluster may have its own.
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

// IsSet reports whether there is a receiver to find.
func (m ReceiverMatch) IsSet() bool { return m.isSet }

// FindIn reports whether the receiver is in a list. known is false if it was not found and the
// list has entries without a URI.
func (m ReceiverMatch) FindIn(list []CDRReceiver) (present, known bool) {
	known = true
	for _, r := range list {
		u, ok := parseReceiverURI(r.URI)
		if ok && u.target == m.uri.target && (m.uri.query == "" || u.query == m.uri.query) {
			return true, true
		}
		known = known && r.uriStated
	}
	return false, known
}
