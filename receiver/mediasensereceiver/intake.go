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

// intake is the work on one body: what is in it, and what of it is new.
type intake struct {
	request  *webhook.Request
	batch    event.Batch
	received time.Time
	keys     []dedup.Key // of everything in the body

	events    []judged // of batch.Events
	malformed []judged // of batch.Malformed
	entries   []dedup.Entry
	fresh     int  // events and malformed parts that are new and not marked yet
	isNamed   bool // a subscription names the sender
	expansion outbox.Expansion
}

// judged is what is to be done with one event or malformed part.
type judged struct {
	from, to  int // its keys
	duplicate bool
	// sessions are those of an event about several that are new, nil if all are.
	sessions []string
	// entries is how many of the intake's belong to the parts before.
	entries int
}

// newIntake decodes a body.
func newIntake(req *webhook.Request, received time.Time) *intake {
	var decoder event.Decoder
	in := &intake{request: req, batch: decoder.Decode(req.Body), received: received}
	in.events = make([]judged, len(in.batch.Events))
	in.malformed = make([]judged, len(in.batch.Malformed))
	for i := range in.batch.Events {
		in.events[i].from = len(in.keys)
		in.keys = in.batch.Events[i].Keys(in.keys)
		in.events[i].to = len(in.keys)
	}
	for i := range in.batch.Malformed {
		in.malformed[i].from = len(in.keys)
		in.keys = append(in.keys, in.batch.Malformed[i].Key())
		in.malformed[i].to = len(in.keys)
	}
	return in
}

// judge finds out what of the body is new. The caller holds the lock of its
// keys. It changes nothing of what is known.
func (in *intake) judge(accepted *known, windows *DeduplicationConfig) {
	here := make(map[dedup.Key]bool, len(in.keys))
	isNew := func(key dedup.Key, window time.Duration) bool {
		if window == 0 {
			return true // nothing is a copy
		}
		if here[key] || accepted.contains(key, in.received) {
			return false
		}
		here[key] = true
		in.entries = append(in.entries, dedup.Entry{Key: key, Until: in.received.Add(window)})
		return true
	}
	for i := range in.batch.Events {
		window := windows.Window
		if in.batch.Events[i].Type.Object() == event.Storage {
			window = windows.StorageWindow
		}
		in.events[i].entries = len(in.entries)
		in.judgeEvent(i, func(key dedup.Key) bool { return isNew(key, window) })
	}
	for i := range in.malformed {
		j := &in.malformed[i]
		j.entries = len(in.entries)
		if j.duplicate = !isNew(in.keys[j.from], windows.Window); !j.duplicate {
			in.fresh++
		}
	}
}

// judgeEvent judges one event. One about several sessions is new if any of them
// is.
func (in *intake) judgeEvent(i int, isNew func(dedup.Key) bool) {
	j := &in.events[i]
	keys := in.keys[j.from:j.to]
	var sessions []string
	fresh := 0
	ids := in.batch.Events[i].SessionIDs()
	for k, key := range keys {
		if !isNew(key) {
			continue
		}
		fresh++
		if len(keys) > 1 {
			sessions = append(sessions, ids[k])
		}
	}
	if j.duplicate = fresh == 0; !j.duplicate {
		in.fresh++
	}
	if fresh < len(keys) {
		j.sessions = sessions
	}
}
