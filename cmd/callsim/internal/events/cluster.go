// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package events

import (
	"context"
	"crypto/tls"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"github.com/legato-otel/legato/cmd/callsim/internal/scenario"
)

// Options make a cluster.
type Options struct {
	Seed    uint64
	Bridges []scenario.Bridge
	// Addresses to listen on, one for each bridge; port 0 is any free one.
	Addresses      []string
	User, Password string
	TLS            *tls.Config // nil for plain HTTP
	Faults         Faults
	// Target is the URI that the bridges post their records to, which is registered from
	// the start; "" for none.
	Target string
	// AckTimeout is how long a message may wait for its acknowledgement.
	AckTimeout time.Duration
	// Start is when the story begins and Speed how fast its clock runs, 0 when
	// it has no clock but its events.
	Start time.Time
	Speed float64
	Logf  func(format string, args ...any)
}

// Streams of random numbers, far from those of the scenario and of the bridges.
const (
	streamIDs uint64 = iota + 2000
	streamFaults
)

// Cluster is the Events servers of all bridges.
type Cluster struct {
	opts    Options
	ctx     context.Context
	stop    context.CancelFunc
	running sync.WaitGroup

	mu        sync.Mutex
	dice      *rand.Rand // of identifiers
	chance    *rand.Rand // of faults
	clusterID string
	stage     *stage
	servers   []*server
	closed    bool
	opened    time.Time     // in real time
	began     time.Time     // when the story began, in real time
	moved     chan struct{} // closed at the next change a waiter may care about
}

// Open listens for all bridges, or fails.
func Open(opts Options) (*Cluster, error) {
	c := &Cluster{
		opts:   opts,
		dice:   rand.New(rand.NewPCG(opts.Seed, streamIDs)),
		chance: rand.New(rand.NewPCG(opts.Seed, streamFaults)),
		moved:  make(chan struct{}),
		opened: time.Now(),
	}
	c.ctx, c.stop = context.WithCancel(context.Background())
	c.stage = newStage(opts.Bridges, c)
	c.clusterID = c.guid()
	c.mu.Lock()
	for i, b := range c.stage.bridges {
		c.servers = append(c.servers, &server{
			cluster: c, stage: b, address: opts.Addresses[i], hostID: c.guid(),
			tokens: map[string]*token{}, account: newAccount(),
		})
		if opts.Target != "" {
			s := c.servers[i]
			s.receivers = []receiverObject{{ID: s.hostID, URI: opts.Target}}
		}
	}
	var err error
	for _, s := range c.servers {
		if err = s.listen(); err != nil {
			break
		}
	}
	c.mu.Unlock()
	if err != nil {
		c.Close()
		return nil, err
	}
	c.makeTrouble()
	return c, nil
}

// URLs lists where the servers listen, as http or https URLs.
func (c *Cluster) URLs() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	list := make([]string, len(c.servers))
	for i, s := range c.servers {
		list[i] = "http://" + s.address
		if c.opts.TLS != nil {
			list[i] = "https://" + s.address
		}
	}
	return list
}

// after tells whether a time has passed since the servers came up; 0 never has.
func (c *Cluster) after(d time.Duration) bool { return d > 0 && time.Since(c.opened) >= d }

// Begin starts the clock of the story.
func (c *Cluster) Begin() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.began = time.Now()
}

// Observe lets one event of the story happen. The servers of a bridge that
// restarts are gone until the bridge is heard of again. Records is how many
// records the bridge has written in its session.
func (c *Cluster) Observe(ev scenario.Event, records uint64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	s := c.servers[ev.Bridge]
	switch ev.What.(type) {
	case scenario.BridgeRestarted:
		s.setOutage(outageStory, true)
		s.records = 0
	case scenario.PersonBehaved, scenario.MeetingBehaved:
	default:
		s.setOutage(outageStory, false)
		s.records = records
	}
	c.stage.observe(ev)
}

// Toggle takes all servers down, or up again. It returns whether they are up.
func (c *Cluster) Toggle() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	up := c.servers[0].outages&outageOperator != 0
	for _, s := range c.servers {
		s.setOutage(outageOperator, !up)
	}
	return up
}

// Accounts tells what each server saw of its clients.
func (c *Cluster) Accounts() []Account {
	c.mu.Lock()
	defer c.mu.Unlock()
	list := make([]Account, len(c.servers))
	for i, s := range c.servers {
		list[i] = s.account
		list[i].Faults, list[i].Misuse = maps.Clone(s.account.Faults), maps.Clone(s.account.Misuse)
	}
	return list
}

// Close ends everything and waits for it.
func (c *Cluster) Close() {
	c.mu.Lock()
	c.closed = true
	for _, s := range c.servers {
		s.setOutage(outageEnd, true)
	}
	c.mu.Unlock()
	c.stop()
	c.running.Wait()
}

// changed lets those who wait look again.
func (c *Cluster) changed() {
	close(c.moved)
	c.moved = make(chan struct{})
}

// await blocks until ok, which is asked with the lock held; false means that
// ctx ended.
func (c *Cluster) await(ctx context.Context, ok func() bool) bool {
	for {
		c.mu.Lock()
		done, moved := ok(), c.moved
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

// AwaitRoom blocks while more than limit updates wait for a client that takes
// them. It is for stories without a pace of their own.
func (c *Cluster) AwaitRoom(ctx context.Context, limit int) bool {
	return c.await(ctx, func() bool {
		return !slices.ContainsFunc(c.sockets(), func(k *socket) bool { return !k.mute && len(k.queue) > limit })
	})
}

// AwaitClients blocks until every server has a client that subscribes to its
// calls.
func (c *Cluster) AwaitClients(ctx context.Context) bool {
	return c.await(ctx, func() bool {
		return !slices.ContainsFunc(c.servers, func(s *server) bool {
			return !slices.ContainsFunc(s.sockets, func(k *socket) bool { return k.byResource[resource{kind: typeCalls}] != nil })
		})
	})
}

// Drain blocks until all clients have acknowledged everything.
func (c *Cluster) Drain(ctx context.Context) bool {
	return c.await(ctx, func() bool {
		return !slices.ContainsFunc(c.sockets(), func(k *socket) bool {
			return !k.mute && !k.silent && (len(k.queue) > 0 || !k.sent.IsZero())
		})
	})
}

func (c *Cluster) sockets() []*socket {
	var list []*socket
	for _, s := range c.servers {
		list = append(list, s.sockets...)
	}
	return list
}

// watchers calls f for each subscription to a resource of a bridge.
func (c *Cluster) watchers(b *bridge, r resource, f func(*socket, *subscription)) {
	for _, k := range c.servers[b.index].sockets {
		if s := k.byResource[r]; s != nil {
			f(k, s)
		}
	}
}

func (c *Cluster) callList(b *bridge, u update) {
	c.watchers(b, resource{kind: typeCalls}, func(k *socket, s *subscription) { k.queueUpdate(s, u) })
}

func (c *Cluster) callInfo(call *call, changed elements) {
	c.watchers(call.on, resource{typeInfo, call.ID}, func(k *socket, s *subscription) {
		if len(s.asked(changed)) > 0 {
			k.queueInfo(s, changed)
		}
	})
}

func (c *Cluster) roster(call *call, u update) {
	c.watchers(call.on, resource{typeRoster, call.ID}, func(k *socket, s *subscription) { k.queueUpdate(s, u) })
}

func (c *Cluster) callOver(call *call) {
	for _, kind := range []string{typeRoster, typeInfo} {
		c.watchers(call.on, resource{kind, call.ID}, func(k *socket, s *subscription) { k.drop(s) })
	}
}

// guid draws an identifier.
func (c *Cluster) guid() string {
	hi, lo := c.dice.Uint64(), c.dice.Uint64()
	hi, lo = hi&^0xf000|0x4000, lo&^(0xc<<60)|0x8<<60
	return fmt.Sprintf("%08x-%04x-%04x-%04x-%012x", hi>>32, hi>>16&0xffff, hi&0xffff, lo>>48, lo&0xffffffffffff)
}
