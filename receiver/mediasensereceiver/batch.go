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
	in := &batch{acceptor: a, request: request, decoded: decoder.Decode(request.Body), receivedAt: receivedAt}
	in.events = make([]part, len(in.decoded.Events))
	in.malformed = make([]part, len(in.decoded.Malformed))
	for i := range in.decoded.Events {
		in.events[i].firstKey = len(in.keys)
		in.keys = in.decoded.Events[i].Keys(in.keys)
		in.events[i].endKey = len(in.keys)
	}
	for i := range in.decoded.Malformed {
		in.malformed[i].firstKey = len(in.keys)
		in.keys = append(in.keys, in.decoded.Malformed[i].Key())
		in.malformed[i].endKey = len(in.keys)
	}
	return in
}

// findNewParts finds the parts that are no duplicates. The caller holds the lock of the
// batch's keys. The method does not change the accepted keys.
func (in *batch) findNewParts(accepted *acceptedKeys, windows *DeduplicationConfig) {
	keysInBody := make(map[dedup.Key]bool, len(in.keys))
	isNew := func(key dedup.Key, window time.Duration) bool {
		if window == 0 {
			return true // without a window there are no duplicates
		}
		if keysInBody[key] || accepted.contains(key, in.receivedAt) {
			return false
		}
		keysInBody[key] = true
		in.entries = append(in.entries, dedup.Entry{Key: key, ExpiresAt: in.receivedAt.Add(window)})
		return true
	}
	for i := range in.decoded.Events {
		window := windows.Window
		if in.decoded.Events[i].Type.Object() == event.Storage {
			window = windows.StorageWindow
		}
		in.events[i].firstEntry = len(in.entries)
		in.findNewSessions(i, func(key dedup.Key) bool { return isNew(key, window) })
	}
	for i := range in.malformed {
		p := &in.malformed[i]
		p.firstEntry = len(in.entries)
		if p.isDuplicate = !isNew(in.keys[p.firstKey], windows.Window); !p.isDuplicate {
			in.pendingParts++
		}
	}
}

// findNewSessions reports whether an event is new. An event about several sessions has a
// key for each; it is new if one of them is.
func (in *batch) findNewSessions(number int, isNew func(dedup.Key) bool) {
	p := &in.events[number]
	keys := in.keys[p.firstKey:p.endKey]
	var newSessions []string
	newKeys := 0
	ids := in.decoded.Events[number].SessionIDs()
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
		in.pendingParts++
	}
	if newKeys < len(keys) {
		p.newSessions = newSessions
	}
}
