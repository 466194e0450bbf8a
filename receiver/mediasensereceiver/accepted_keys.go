// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package mediasensereceiver

import (
	"context"
	"time"

	"github.com/legato-otel/legato/internal/ingest/dedup"
)

// acceptedKeys are the keys of accepted events. Events of servers that a subscription names
// have a set of their own, so that made-up events of other senders cannot evict them.
type acceptedKeys struct {
	fromNamed *dedup.Set
	// fromOthers is nil without a subscription: fromNamed has the keys of all senders.
	fromOthers *dedup.Set
}

// othersShare is the share of max_entries (a quarter) for other senders, in addition to
// max_entries.
const othersShare = 4

// newAcceptedKeys returns empty sets for maxEntries events of named servers.
func newAcceptedKeys(maxEntries int, hasNamed bool) *acceptedKeys {
	k := &acceptedKeys{fromNamed: dedup.New(maxEntries)}
	if hasNamed {
		k.fromOthers = dedup.New(maxEntries / othersShare)
	}
	return k
}

// lock locks keys of any sender, because servers forward each other's events.
func (k *acceptedKeys) lock(ctx context.Context, keys []dedup.Key) (unlock func(), err error) {
	return k.fromNamed.Lock(ctx, keys)
}

// contains reports whether an event was accepted from any sender.
func (k *acceptedKeys) contains(key dedup.Key, now time.Time) bool {
	return k.fromNamed.Contains(key, now) || k.fromOthers != nil && k.fromOthers.Contains(key, now)
}

// markAccepted marks events as accepted. isNamed reports that a named server sent them.
func (k *acceptedKeys) markAccepted(entries []dedup.Entry, now time.Time, isNamed bool) {
	if isNamed || k.fromOthers == nil {
		k.fromNamed.MarkAccepted(entries, now)
		return
	}
	k.fromOthers.MarkAccepted(entries, now)
}

func (k *acceptedKeys) count() int {
	n := k.fromNamed.Len()
	if k.fromOthers != nil {
		n += k.fromOthers.Len()
	}
	return n
}

func (k *acceptedKeys) hasChanges() bool {
	return k.fromNamed.HasChanges() || k.fromOthers != nil && k.fromOthers.HasChanges()
}
