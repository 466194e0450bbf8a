// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package mediasense

import (
	"context"
	"crypto/tls"
	"fmt"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/legato-otel/legato/cmd/callsim/internal/chance"
	"github.com/legato-otel/legato/cmd/callsim/internal/recording"
)

// Options configure a Cluster.
type Options struct {
	Seed uint64
	// Servers is how many there are.
	Servers int
	// Addresses the API listens on, one for each server; port 0 is any free one.
	// None: no API.
	Addresses []string
	// Targets are the URLs that every server posts to without a subscription.
	Targets        []string
	User, Password string
	TLS            *tls.Config // nil for plain HTTP
	Faults         Faults
	// Timeout of a post.
	Timeout time.Duration
	// PostTLS is for posts to https; nil means the system's certificates.
	PostTLS *tls.Config
	// Retry is how long after a 503 a post is tried again; 0 is never.
	Retry time.Duration
	// Print receives the posts instead of their targets.
	Print func(url string, body []byte)
	// Keep stores the events without an acknowledgement, for [Report].
	Keep bool
	Logf func(format string, args ...any)
}

// Cluster is the MediaSense servers of a recording scenario.
type Cluster struct {
	opts    Options
	client  *http.Client
	ctx     context.Context
	stop    context.CancelFunc
	running sync.WaitGroup

	mu            sync.Mutex
	dice          chance.Dice    // of identifiers
	shapes        [5]chance.Dice // of how events look
	faultDice     chance.Dice    // of faults that come by the clock
	servers       []*server
	deliveries    deliveryLog
	closed        bool
	changedSignal chan struct{} // closed by notifyWaiters
}

// Streams of random numbers, far from those of the scenarios.
const (
	streamIDs uint64 = iota + 4000
	streamTrouble
	streamShapes = 4100 // and those that follow
	streamFates  = 5000 // and those that follow, by server and fault
)

// Open begins to listen if there is an API, or fails.
func Open(opts Options) (*Cluster, error) {
	c := &Cluster{
		opts: opts, dice: chance.NewDice(opts.Seed, streamIDs), faultDice: chance.NewDice(opts.Seed, streamTrouble),
		deliveries: newDeliveryLog(opts.Keep), changedSignal: make(chan struct{}),
		client: &http.Client{
			Timeout: opts.Timeout, Transport: &http.Transport{MaxIdleConnsPerHost: 4, TLSClientConfig: opts.PostTLS},
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
	}
	for i := range c.shapes {
		c.shapes[i] = chance.NewDice(opts.Seed, streamShapes+uint64(i))
	}
	c.ctx, c.stop = context.WithCancel(context.Background())
	c.mu.Lock()
	var err error
	for i := range opts.Servers {
		s := newServer(c, i)
		c.servers = append(c.servers, s)
		for _, target := range opts.Targets {
			s.subscribe(&subscription{id: fmt.Sprintf("s-%d", 1+len(s.subscriptions)), uri: target})
		}
		if len(opts.Addresses) > 0 && err == nil {
			err = s.listen()
		}
	}
	c.mu.Unlock()
	if err != nil {
		c.Close()
		return nil, err
	}
	c.startFaults()
	return c, nil
}

// URLs lists where the API of each server is, none without it.
func (c *Cluster) URLs() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	var list []string
	for _, s := range c.servers {
		switch {
		case s.address == "":
		case c.opts.TLS != nil:
			list = append(list, "https://"+s.address)
		default:
			list = append(list, "http://"+s.address)
		}
	}
	return list
}

// Observe applies one event of the scenario: its server sends it, and the other servers
// send tag and storage events too.
func (c *Cluster) Observe(ev recording.Event) {
	c.mu.Lock()
	defer c.mu.Unlock()
	n := c.deliveries.add(ev, c.drawShape())
	for _, s := range c.servers {
		if forwarded := s.index != ev.Server; !forwarded || n.kind.Type != typeSession {
			s.sendEvent(n, forwarded)
		}
	}
}

// End marks the end of the scenario: delayed posts are sent.
func (c *Cluster) End() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, s := range c.servers {
		s.flush()
	}
}

// drawShape draws the form of an event, the same at all servers. Each choice has dice of
// its own, so that one does not change the others.
func (c *Cluster) drawShape() shape {
	f := c.opts.Faults
	var is [5]bool
	for i, p := range []float64{0.5, f.Quoted, f.Seconds, f.URLs, f.Boolean} {
		is[i] = c.shapes[i].Chance(p)
	}
	return shape{actionFirst: is[0], quoted: is[1], seconds: is[2], urlObject: is[3], boolean: is[4]}
}

// Toggle takes all servers down, or up again; they forget who subscribed. It
// returns whether they are up. Without an API there is nothing to take down.
func (c *Cluster) Toggle() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.opts.Addresses) == 0 {
		return true
	}
	up := c.servers[0].outages&outageOperator != 0
	for _, s := range c.servers {
		s.setOutage(outageOperator, !up)
	}
	return up
}

// Close ends everything and waits for it.
func (c *Cluster) Close() {
	c.mu.Lock()
	if !c.closed {
		for _, s := range c.servers {
			s.recordOpenSessions()
		}
	}
	c.closed = true
	for _, s := range c.servers {
		s.setOutage(outageEnd, true)
	}
	c.mu.Unlock()
	c.stop()
	c.running.Wait()
	c.client.CloseIdleConnections()
}

// notifyWaiters wakes the callers of await.
func (c *Cluster) notifyWaiters() {
	close(c.changedSignal)
	c.changedSignal = make(chan struct{})
}

// await waits until ok returns true; it calls ok with the lock held. It returns false when
// ctx ends.
func (c *Cluster) await(ctx context.Context, ok func() bool) bool {
	for {
		c.mu.Lock()
		done, moved := ok(), c.changedSignal
		c.mu.Unlock()
		if done {
			return true
		}
		select {
		case <-moved:
		case <-ctx.Done():
			return false
		}
	}
}

// AwaitRoom blocks while more than limit posts wait for a subscriber. It is for scenarios
// without a pace of their own.
func (c *Cluster) AwaitRoom(ctx context.Context, limit int) bool {
	return c.await(ctx, func() bool {
		return !slices.ContainsFunc(c.subscriptions(), func(s *subscription) bool { return len(s.queue) > limit })
	})
}

// AwaitSubscribers blocks until somebody has subscribed at every server.
func (c *Cluster) AwaitSubscribers(ctx context.Context) bool {
	return c.await(ctx, func() bool {
		return !slices.ContainsFunc(c.servers, func(s *server) bool { return len(s.subscriptions) == 0 })
	})
}

// Drain blocks until everything has been posted.
func (c *Cluster) Drain(ctx context.Context) bool {
	return c.await(ctx, func() bool {
		return !slices.ContainsFunc(c.subscriptions(), func(s *subscription) bool { return len(s.queue) > 0 || s.posting })
	})
}

func (c *Cluster) subscriptions() []*subscription {
	var list []*subscription
	for _, s := range c.servers {
		list = append(list, s.subscriptions...)
	}
	return list
}
