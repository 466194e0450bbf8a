// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package mediasense

import (
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"slices"
	"time"
)

// subscription is one URI that a server posts to.
type subscription struct {
	server       *server
	id           string
	uri          string
	filters      []string       // none: everything
	tags         *regexp.Regexp // names of the tags wanted, nil for all
	firstRelease bool           // made by the call of the first release
	session      string         // API session that made it, or found it

	queue       []post
	pendingHalf *post // waits for the other half of a pair
	posting     bool  // a post is under way
	wake        chan struct{}
	cancel      context.CancelFunc
}

// maxBacklog is how many posts wait for a slow subscriber; above it the oldest are dropped.
const maxBacklog = 100_000

// subscribe begins to post.
func (s *server) subscribe(sub *subscription) {
	sub.server, sub.wake = s, make(chan struct{}, 1)
	s.subscriptions = append(s.subscriptions, sub)
	s.numbers++
	var ctx context.Context
	ctx, sub.cancel = context.WithCancel(s.cluster.ctx)
	if s.cluster.opts.Print == nil {
		s.cluster.running.Go(func() { sub.run(ctx) })
	}
	s.cluster.notifyWaiters()
}

// unsubscribe ends a subscription and drops its queue.
func (s *server) unsubscribe(sub *subscription) {
	s.subscriptions = slices.DeleteFunc(s.subscriptions, func(x *subscription) bool { return x == sub })
	sub.queue = nil
	sub.cancel()
	s.cluster.notifyWaiters()
}

func (s *server) find(ok func(*subscription) bool) *subscription {
	if i := slices.IndexFunc(s.subscriptions, ok); i >= 0 {
		return s.subscriptions[i]
	}
	return nil
}

// filters are the subscription filters, by the actions of the events.
var filters = map[string]map[string][]string{
	"RECORDING_EVENTS":      {typeSession: {"STARTED", "UPDATED", "ENDED"}},
	"CLEANUP_EVENTS":        {typeSession: {"DELETED", "PRUNED"}},
	"TAG_EVENTS":            {typeTag: nil},
	"STORAGE_EVENTS":        {typeStorage: nil},
	"SESSION_STARTED_EVENT": {typeSession: {"STARTED"}},
	"SESSION_UPDATED_EVENT": {typeSession: {"UPDATED"}},
	"SESSION_ENDED_EVENT":   {typeSession: {"ENDED"}},
	"SESSION_DELETED_EVENT": {typeSession: {"DELETED"}},
	"SESSION_PRUNED_EVENT":  {typeSession: {"PRUNED"}},
	"TAG_ADDED_EVENT":       {typeTag: {"ADDED"}},
	"TAG_UPDATED_EVENT":     {typeTag: {"UPDATED"}},
	"TAG_DELETED_EVENT":     {typeTag: {"DELETED"}},
}

// wants reports whether the filters of the subscription include a post.
func (sub *subscription) wants(p post) bool {
	if p.tag != "" && sub.tags != nil && !sub.tags.MatchString(p.tag) {
		return false
	}
	return len(sub.filters) == 0 || slices.ContainsFunc(sub.filters, func(name string) bool {
		actions, ok := filters[name][p.kind.Type]
		return ok && (actions == nil || slices.Contains(actions, p.kind.Action))
	})
}

// addPost queues a post, or keeps it for the other half of a pair.
func (sub *subscription) addPost(p post) {
	if first := sub.pendingHalf; first != nil {
		if p.damaged { // it would take the good half with it
			sub.releaseHalf()
		} else {
			sub.pendingHalf = nil
			p.body = slices.Concat(first.body, []byte("\n"), p.body)
			p.events = slices.Concat(first.events, p.events)
			sub.enqueue(p)
			return
		}
	}
	if p.pair {
		sub.pendingHalf = &p
		return
	}
	sub.enqueue(p)
}

// releaseHalf queues a half without its pair.
func (sub *subscription) releaseHalf() {
	if sub.pendingHalf != nil {
		p := *sub.pendingHalf
		sub.pendingHalf = nil
		sub.enqueue(p)
	}
}

func (sub *subscription) enqueue(p post) {
	if show := sub.server.cluster.opts.Print; show != nil {
		show(sub.uri, p.body)
		sub.recordResult(p, http.StatusOK)
		return
	}
	if len(sub.queue) >= maxBacklog {
		sub.queue = sub.queue[1:]
		sub.server.account.Dropped++
	}
	sub.queue = append(sub.queue, p)
	select {
	case sub.wake <- struct{}{}:
	default:
	}
}

// run posts one after the other until ctx ends.
func (sub *subscription) run(ctx context.Context) {
	c := sub.server.cluster
	for {
		c.mu.Lock()
		var p post
		more := len(sub.queue) > 0
		if more {
			p = sub.queue[0]
			sub.queue[0] = post{}
			sub.queue = sub.queue[1:]
		}
		sub.posting = more
		c.notifyWaiters()
		c.mu.Unlock()
		if !more {
			select {
			case <-sub.wake:
				continue
			case <-ctx.Done():
				return
			}
		}
		status := sub.deliver(ctx, p.body)
		c.mu.Lock()
		sub.recordResult(p, status)
		c.mu.Unlock()
		if ctx.Err() != nil {
			return
		}
	}
}

// deliver posts a body once, and again after a 503 when that is wanted. It
// returns the last status, 0 when there was no answer.
func (sub *subscription) deliver(ctx context.Context, body []byte) int {
	c := sub.server.cluster
	for {
		status, err := sub.attempt(ctx, body)
		if err != nil {
			sub.server.logLostPost(err.Error())
		} else if status/100 != 2 {
			sub.server.logLostPost(fmt.Sprintf("the subscriber answered %d %s", status, http.StatusText(status)))
		}
		if status != http.StatusServiceUnavailable || c.opts.Retry == 0 {
			return status
		}
		timer := time.NewTimer(c.opts.Retry)
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return status
		}
	}
}

func (sub *subscription) attempt(ctx context.Context, body []byte) (int, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, sub.uri, bytes.NewReader(body))
	if err != nil {
		return 0, err
	}
	req.Header.Set("Content-Type", "application/json")
	res, err := sub.server.cluster.client.Do(req)
	if err != nil {
		return 0, err
	}
	_, _ = io.Copy(io.Discard, io.LimitReader(res.Body, 1<<20)) // reading to the end allows reuse of the connection
	_ = res.Body.Close()
	return res.StatusCode, nil
}

// recordResult records the result of a post.
func (sub *subscription) recordResult(p post, status int) {
	a := &sub.server.account
	a.Posts++
	good := status/100 == 2
	switch {
	case good:
		a.Acknowledged++
	case status == 0:
		a.Unanswered++
	default:
		a.Refused++
	}
	if p.damaged && good {
		a.Malformed++
		if desk := &sub.server.cluster.deliveries; desk.keepPending {
			desk.damaged[sha256.Sum256(p.body)] = true
		}
	}
	for _, n := range p.events {
		n.tried = true
		if good {
			a.Sent[n.kind.String()]++
			sub.server.cluster.deliveries.markArrived(n)
		}
	}
}
