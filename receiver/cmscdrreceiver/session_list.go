// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package cmscdrreceiver

import (
	"context"
	"fmt"
	"slices"
	"sync"

	"go.opentelemetry.io/collector/extension/xextension/storage"

	"github.com/legato-otel/legato/internal/concurrency/groupcall"
	"github.com/legato-otel/legato/internal/ingest/ledger"
)

// sessionList is the stored list of sessions. Bodies that change it at the same time share a
// write: when an estate posts for the first time, each of its bridges adds a session to a
// list as long as the estate is large. A body that changes nothing waits for no write.
type sessionList struct {
	client storage.Client
	// changes makes one write at a time. Only that write changes listed.
	changes *groupcall.Group[listChange]

	mu     sync.Mutex // guards everything below; not held during a write
	listed []string   // stored under keySessions
	set    map[string]struct{}
	// toDelete are evicted sessions. The list and the storage have them until a write has
	// removed both.
	toDelete []string
}

// listChange is the sessions of a body.
type listChange struct {
	ledger  *ledger.Ledger
	touched []string
}

// maxListChanges bounds the bodies that share a write. Each has at most some sessions.
const maxListChanges = 1024

func newSessionList(client storage.Client) *sessionList {
	l := &sessionList{client: client}
	l.changes = groupcall.New(context.Background(), groupcall.Options[listChange]{
		Call: l.write, Size: func(listChange) int { return 0 }, MaxRequests: maxListChanges,
	})
	return l
}

// save adds new sessions to the stored list and removes evicted ones, before the sessions
// are written: restore skips a listed session without state, but never finds an unlisted
// one.
func (l *sessionList) save(ctx context.Context, from *ledger.Ledger, touched, evicted []string) error {
	if l.isSaved(touched, evicted) {
		return nil
	}
	if err := l.changes.Do(ctx, listChange{from, touched}); err != nil {
		return fmt.Errorf("%w: %w", errStorage, err)
	}
	return nil
}

// isSaved reports whether all touched sessions are listed and no session is to be removed.
// It keeps the evicted ones for the next write.
func (l *sessionList) isSaved(touched, evicted []string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.toDelete = append(l.toDelete, evicted...)
	return len(l.toDelete) == 0 && !slices.ContainsFunc(touched, func(id string) bool {
		_, isListed := l.set[id]
		return !isListed
	})
}

// write writes the list for several bodies. After a failure the next write removes what this
// one did not.
func (l *sessionList) write(ctx context.Context, bodies []*groupcall.Request[listChange]) {
	next, toDelete, changed := l.next(bodies)
	var err error
	if changed {
		if err = l.store(ctx, next, toDelete); err == nil {
			l.markStored(next, toDelete)
		}
	}
	for _, b := range bodies {
		b.Answer(err)
	}
}

// next returns the list with the new sessions of the bodies and without the evicted ones.
func (l *sessionList) next(bodies []*groupcall.Request[listChange]) (next, toDelete []string, changed bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	// A session that was evicted and sent records again must not be deleted. Its next
	// state overwrites a damaged one.
	l.toDelete = slices.DeleteFunc(l.toDelete, bodies[0].Value.ledger.Contains)
	toDelete = slices.Clone(l.toDelete)
	gone := setOf(toDelete)
	next = slices.DeleteFunc(slices.Clone(l.listed), func(id string) bool { _, isGone := gone[id]; return isGone })
	added := make(map[string]struct{})
	for _, b := range bodies {
		for _, id := range b.Value.touched {
			_, isListed := l.set[id]
			_, isAdded := added[id]
			if !isListed && !isAdded && b.Value.ledger.Contains(id) {
				added[id] = struct{}{}
				next = append(next, id)
			}
		}
	}
	return next, toDelete, len(added)+len(toDelete) > 0
}

func (l *sessionList) store(ctx context.Context, sessions, toDelete []string) error {
	list, err := encodeList(sessions)
	if err != nil {
		return err
	}
	operations := make([]*storage.Operation, 0, 1+len(toDelete))
	operations = append(operations, storage.SetOperation(keySessions, list))
	for _, id := range toDelete {
		operations = append(operations, storage.DeleteOperation(keySession+id))
	}
	return l.client.Batch(ctx, operations...)
}

func (l *sessionList) markStored(sessions, deleted []string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.listed, l.set = sessions, setOf(sessions)
	l.toDelete = slices.Delete(l.toDelete, 0, len(deleted)) // others may have evicted more since
}

// restored sets the list that is stored, before anybody uses it. unreadable are sessions of
// it that the next write removes.
func (l *sessionList) restored(sessions, unreadable []string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.listed, l.set, l.toDelete = sessions, setOf(sessions), unreadable
}

func setOf(ids []string) map[string]struct{} {
	set := make(map[string]struct{}, len(ids))
	for _, id := range ids {
		set[id] = struct{}{}
	}
	return set
}
