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

// Options configure a Cluster.
type Options struct {
	Seed    uint64
	Bridges []scenario.Bridge
	// Addresses to listen on, one for each bridge; port 0 selects a free port.
	Addresses      []string
	User, Password string
	TLS            *tls.Config // nil for plain HTTP
	Faults         Faults
	// Target is the URI to which the bridges post their records. It is a registered
	// receiver from the start; "" for none.
	Target string
	// AckTimeout is how long the server waits for the acknowledgement of a message.
	AckTimeout time.Duration
	// Start is the time at which the scenario begins and Speed the speed of its clock; 0 if
	// only its events advance it.
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

	mu            sync.Mutex
	dice          *rand.Rand // for identifiers
	chance        *rand.Rand // for faults
	clusterID     string
	stage         *stage
	servers       []*server
	closed        bool
	opened        time.Time     // in real time
	storyBegan    time.Time     // start of the scenario in real time
	changedSignal chan struct{} // closed by notifyWaiters
}

// Open starts the servers of all bridges. It fails if one address cannot be listened on.
func Open(opts Options) (*Cluster, error) {
	c := &Cluster{
		opts:          opts,
		dice:          rand.New(rand.NewPCG(opts.Seed, streamIDs)),
		chance:        rand.New(rand.NewPCG(opts.Seed, streamFaults)),
		changedSignal: make(chan struct{}),
		opened:        time.Now(),
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
	c.startFaults()
	return c, nil
}

// URLs returns the http or https URLs of the servers.
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

// isPast reports whether d has passed since the servers started; d 0 never has.
func (c *Cluster) isPast(d time.Duration) bool { return d > 0 && time.Since(c.opened) >= d }

// Begin starts the clock of the scenario.
func (c *Cluster) Begin() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.storyBegan = time.Now()
}

// Observe applies one event of the scenario. The server of a bridge that restarts is down
// until the next event of that bridge. records is the number of records that the bridge has
// written in its session.
func (c *Cluster) Observe(ev scenario.Event, records uint64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	s := c.servers[ev.Bridge]
	switch ev.Payload.(type) {
	case scenario.BridgeRestarted:
		s.setOutage(outageScenario, true)
		s.records = 0
	case scenario.BehaviorChanged, scenario.SettingsChanged:
	default:
		s.setOutage(outageScenario, false)
		s.records = records
	}
	c.stage.applyEvent(ev)
}

// Toggle takes all servers down or up, and reports whether they are up.
func (c *Cluster) Toggle() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	up := c.servers[0].outages&outageOperator != 0
	for _, s := range c.servers {
		s.setOutage(outageOperator, !up)
	}
	return up
}

// Accounts returns the counters of each server.
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

// Close stops all servers and waits for their goroutines.
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

// AwaitRoom waits while more than limit updates are queued for a client that reads.
// Scenarios without a pace of their own use it.
func (c *Cluster) AwaitRoom(ctx context.Context, limit int) bool {
	return c.await(ctx, func() bool {
		return !slices.ContainsFunc(c.sockets(), func(k *socket) bool { return !k.mute && len(k.queue) > limit })
	})
}

// AwaitClients waits until every server has a client with a subscription to its calls.
func (c *Cluster) AwaitClients(ctx context.Context) bool {
	return c.await(ctx, func() bool {
		return !slices.ContainsFunc(c.servers, func(s *server) bool { return !s.isFollowed() })
	})
}

// AwaitFirstClient waits for such a client of the first server.
func (c *Cluster) AwaitFirstClient(ctx context.Context) bool {
	return c.await(ctx, func() bool { return c.servers[0].isFollowed() })
}

// isFollowed reports whether a client has subscribed to the calls of a server.
func (s *server) isFollowed() bool {
	return slices.ContainsFunc(s.sockets, func(k *socket) bool { return k.byResource[resource{kind: typeCalls}] != nil })
}

// Drain waits until all clients have acknowledged everything.
func (c *Cluster) Drain(ctx context.Context) bool {
	return c.await(ctx, func() bool {
		return !slices.ContainsFunc(c.sockets(), func(k *socket) bool {
			return !k.mute && !k.silent && (len(k.queue) > 0 || !k.sentAt.IsZero())
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

// eachSubscription calls f for each subscription to a resource of a bridge.
func (c *Cluster) eachSubscription(b *bridge, r resource, f func(*socket, *subscription)) {
	for _, k := range c.servers[b.index].sockets {
		if s := k.byResource[r]; s != nil {
			f(k, s)
		}
	}
}

func (c *Cluster) updateList(b *bridge, u update) {
	c.eachSubscription(b, resource{kind: typeCalls}, func(k *socket, s *subscription) { k.queueUpdate(s, u) })
}

func (c *Cluster) updateInfo(call *call, changed elements) {
	c.eachSubscription(call.bridge, resource{typeInfo, call.ID}, func(k *socket, s *subscription) {
		if len(s.filter(changed)) > 0 {
			k.queueInfo(s, changed)
		}
	})
}

func (c *Cluster) updateRoster(call *call, u update) {
	c.eachSubscription(call.bridge, resource{typeRoster, call.ID}, func(k *socket, s *subscription) { k.queueUpdate(s, u) })
}

func (c *Cluster) endSubscriptions(call *call) {
	for _, kind := range []string{typeRoster, typeInfo} {
		c.eachSubscription(call.bridge, resource{kind, call.ID}, func(k *socket, s *subscription) { k.deactivate(s) })
	}
}

// guid returns a random identifier.
func (c *Cluster) guid() string {
	hi, lo := c.dice.Uint64(), c.dice.Uint64()
	hi, lo = hi&^0xf000|0x4000, lo&^(0xc<<60)|0x8<<60
	return fmt.Sprintf("%08x-%04x-%04x-%04x-%012x", hi>>32, hi>>16&0xffff, hi&0xffff, lo>>48, lo&0xffffffffffff)
}
