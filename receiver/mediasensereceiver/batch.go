// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package mediasensereceiver

import (
	"time"

	"github.com/legato-otel/legato/internal/ingest/dedup"
	"github.com/legato-otel/legato/internal/ingest/outbox"
	"github.com/legato-otel/legato/internal/ingest/webhook"
	"github.com/legato-otel/legato/internal/mediasense/event"
)

// batch is a posted body, while the receiver accepts it.
type batch struct {
	acceptor   *acceptor
	request    *webhook.Request
	decoded    event.Batch
	receivedAt time.Time
	resource   resource    // of the log records, set if a part is new
	keys       []dedup.Key // of all parts

	events            []part // parallel to decoded.Events
	malformed         []part // parallel to decoded.Malformed
	entries           []dedup.Entry
	pendingParts      int  // new parts that are not yet marked as accepted
	isFromNamedSender bool // the sender is a server of the subscription
	expansion         outbox.Expansion
}

// part is one event or malformed part of a batch.
type part struct {
	firstKey, endKey int // interval of the batch's keys
	isDuplicate      bool
	// newSessions are the new sessions of an event about several, nil if all are new.
	newSessions []string
	// firstEntry is the position in the batch's entries at which the part's begin.
	firstEntry int
}

// newBatch decodes a body.
func newBatch(a *acceptor, request *webhook.Request, receivedAt time.Time) *batch {
	var decoder event.Decoder
	b := &batch{acceptor: a, request: request, decoded: decoder.Decode(request.Body), receivedAt: receivedAt}
	b.events = make([]part, len(b.decoded.Events))
	b.malformed = make([]part, len(b.decoded.Malformed))
	for i := range b.decoded.Events {
		b.events[i].firstKey = len(b.keys)
		b.keys = b.decoded.Events[i].Keys(b.keys)
		b.events[i].endKey = len(b.keys)
	}
	for i := range b.decoded.Malformed {
		b.malformed[i].firstKey = len(b.keys)
		b.keys = append(b.keys, b.decoded.Malformed[i].Key())
		b.malformed[i].endKey = len(b.keys)
	}
	return b
}

// findNewParts finds the parts that are no duplicates. The caller holds the lock of the
// batch's keys. The method does not change the accepted keys.
func (b *batch) findNewParts(accepted *acceptedKeys, windows *DeduplicationConfig) {
	keysInBody := make(map[dedup.Key]bool, len(b.keys))
	isNew := func(key dedup.Key, window time.Duration) bool {
		if window == 0 {
			return true // without a window there are no duplicates
		}
		if keysInBody[key] || accepted.contains(key, b.receivedAt) {
			return false
		}
		keysInBody[key] = true
		b.entries = append(b.entries, dedup.Entry{Key: key, ExpiresAt: b.receivedAt.Add(window)})
		return true
	}
	for i := range b.decoded.Events {
		window := windows.Window
		if b.decoded.Events[i].Type.Object() == event.Storage {
			window = windows.StorageWindow
		}
		b.events[i].firstEntry = len(b.entries)
		b.findNewSessions(i, func(key dedup.Key) bool { return isNew(key, window) })
	}
	for i := range b.malformed {
		p := &b.malformed[i]
		p.firstEntry = len(b.entries)
		if p.isDuplicate = !isNew(b.keys[p.firstKey], windows.Window); !p.isDuplicate {
			b.pendingParts++
		}
	}
}

// findNewSessions reports whether an event is new. An event about several sessions has a
// key for each; it is new if one of them is.
func (b *batch) findNewSessions(number int, isNew func(dedup.Key) bool) {
	p := &b.events[number]
	keys := b.keys[p.firstKey:p.endKey]
	var newSessions []string
	newKeys := 0
	ids := b.decoded.Events[number].SessionIDs()
	for i, key := range keys {
		if !isNew(key) {
			continue
		}
		newKeys++
		if len(keys) > 1 {
			newSessions = append(newSessions, ids[i])
		}
	}
	if p.isDuplicate = newKeys == 0; !p.isDuplicate {
		b.pendingParts++
	}
	if newKeys < len(keys) {
		p.newSessions = newSessions
	}
}
