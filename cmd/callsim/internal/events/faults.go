// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package events

import (
	"slices"
	"time"

	"github.com/coder/websocket"
)

// Faults are the faults between the Events servers and their clients. A duration is the
// mean real time between two faults, drawn between half and one and a half of it; 0 means
// never.
type Faults struct {
	// Drop closes a socket, every second time with a close frame.
	Drop time.Duration
	// Silent stops everything that a socket sends, and keeps the connection open.
	Silent time.Duration
	// Restart takes a server down for a quarter of the duration: its sockets and tokens are
	// gone, and nothing listens.
	Restart time.Duration
	// Deactivate ends a subscription without a reason.
	Deactivate time.Duration
	// TokenLife is how long a token is valid, TokenUses how many times; 0 is unlimited.
	TokenLife time.Duration
	TokenUses int
	// Busy is the number of sockets of each server that other clients hold.
	Busy int
	// Times is how often each timed fault happens; 0 is unlimited.
	Times int
	// PacketLoss is the share of open legs with packet loss, 0 to 1.
	PacketLoss float64
	// Odd is the probability that a message is odd: an unknown type, an alias, an unknown
	// index, a refused request.
	Odd float64
	// APIBusy and APIHTML are the probabilities that the API answers a request with 503, or
	// with an HTML page as of a proxy. APIGone is the probability that a leg ends between
	// list and details.
	APIBusy, APIHTML, APIGone float64
	// APISlow is the longest delay of an API answer.
	APISlow time.Duration
	// PasswordLife is when the password changes, in real time after the start.
	PasswordLife time.Duration
	// Elsewhere is when another server replaces all registered receivers, in real time
	// after the start.
	Elsewhere time.Duration
	// APIOld simulates a release without licences and database status.
	APIOld bool
	// DatabaseDown simulates a database cluster whose last node is down although its bridge
	// runs.
	DatabaseDown bool
	// LicenceDays is the number of days until the licence of the Call Bridges expires; 0
	// means never.
	LicenceDays int
	// APIPage is the number of list entries in an answer; 0 means 10.
	APIPage int
}

// faultFunc makes a fault happen once, with the lock held. run is false if there is no
// target. then, if set, runs after a delay without the lock.
type faultFunc func() (played bool, after time.Duration, then func())

// startFaults starts the timed faults.
func (c *Cluster) startFaults() {
	f := c.opts.Faults
	for _, fault := range []struct {
		every time.Duration
		play  faultFunc
	}{
		{f.Drop, c.dropSocket}, {f.Silent, c.silenceSocket}, {f.Restart, c.restartServer}, {f.Deactivate, c.deactivateSubscription},
	} {
		if fault.every > 0 {
			c.running.Go(func() { c.repeat(fault.every, fault.play) })
		}
	}
}

// repeat makes a fault happen again and again.
func (c *Cluster) repeat(every time.Duration, play faultFunc) {
	for times := 0; times == 0 || times != c.opts.Faults.Times; {
		c.mu.Lock()
		wait := every/2 + time.Duration(c.chance.Int64N(int64(every)))
		c.mu.Unlock()
		if !c.sleep(wait) {
			return
		}
		c.mu.Lock()
		played, after, then := play()
		c.mu.Unlock()
		if played {
			times++
		}
		if then == nil {
			continue
		}
		if !c.sleep(after) {
			return
		}
		then()
	}
}

func (c *Cluster) sleep(d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-c.ctx.Done():
		return false
	}
}

// randomSocket returns a random working socket, or nil.
func (c *Cluster) randomSocket() *socket {
	list := slices.DeleteFunc(c.sockets(), func(k *socket) bool { return len(k.subs) == 0 || k.mute || k.silent || k.conn == nil })
	if len(list) == 0 {
		return nil
	}
	return list[c.chance.IntN(len(list))]
}

func (c *Cluster) dropSocket() (played bool, after time.Duration, then func()) {
	k := c.randomSocket()
	if k == nil {
		return false, 0, nil
	}
	k.server.account.Faults["drop"]++
	if k.server.account.Faults["drop"]%2 == 1 {
		k.close()
		return true, 0, nil
	}
	conn := k.conn
	return true, 0, func() { _ = conn.Close(websocket.StatusGoingAway, "") } // the socket may have ended already
}

func (c *Cluster) silenceSocket() (played bool, after time.Duration, then func()) {
	k := c.randomSocket()
	if k == nil {
		return false, 0, nil
	}
	k.server.account.Faults["silent"]++
	k.mute = true
	k.silence()
	return true, 0, nil
}

func (c *Cluster) restartServer() (played bool, after time.Duration, then func()) {
	s := c.servers[c.chance.IntN(len(c.servers))]
	s.account.Faults["restart"]++
	s.setOutage(outageFault, true)
	return true, c.opts.Faults.Restart / 4, func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		s.setOutage(outageFault, false)
	}
}

func (c *Cluster) deactivateSubscription() (played bool, after time.Duration, then func()) {
	k := c.randomSocket()
	if k == nil {
		return false, 0, nil
	}
	var all []*subscription
	for _, s := range k.subs {
		all = append(all, s)
	}
	slices.SortFunc(all, func(a, b *subscription) int { return int(a.index - b.index) })
	k.server.account.Faults["deactivate"]++
	k.deactivate(all[c.chance.IntN(len(all))])
	return true, 0, nil
}
