// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package mediasensereceiver

import (
	"context"
	"time"

	"github.com/legato-otel/legato/internal/ingest/dedup"
)

// known is what was accepted. Events of servers that a subscription names and
// events of other senders are kept apart, so that a stranger who posts made-up
// events pushes out no event of a named server.
type known struct {
	named *dedup.Set
	// others is nil if no subscription names a server: all senders are alike then.
	others *dedup.Set
}

// othersShare is which part of max_entries senders get that no subscription names,
// in addition to max_entries itself.
const othersShare = 4

// newKnown returns an empty memory of maxEntries events of named servers.
func newKnown(maxEntries int, hasNamed bool) *known {
	k := &known{named: dedup.New(maxEntries)}
	if hasNamed {
		k.others = dedup.New(maxEntries / othersShare)
	}
	return k
}

// lock locks keys, whoever sends them: servers forward each other's events.
func (k *known) lock(ctx context.Context, keys []dedup.Key) (unlock func(), err error) {
	return k.named.Lock(ctx, keys)
}

// contains tells whether an event was accepted, from whomever.
func (k *known) contains(key dedup.Key, now time.Time) bool {
	return k.named.Contains(key, now) || k.others != nil && k.others.Contains(key, now)
}

// accept marks events as accepted. isNamed tells that a named server sent them.
func (k *known) accept(entries []dedup.Entry, now time.Time, isNamed bool) {
	if isNamed || k.others == nil {
		k.named.Accept(entries, now)
		return
	}
	k.others.Accept(entries, now)
}

func (k *known) len() int {
	n := k.named.Len()
	if k.others != nil {
		n += k.others.Len()
	}
	return n
}

func (k *known) unsaved() bool {
	return k.named.Unsaved() || k.others != nil && k.others.Unsaved()
}
