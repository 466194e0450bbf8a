// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package events

import (
	"slices"
	"time"

	"github.com/coder/websocket"
)

// Faults says what goes wrong between the Events servers and their clients. A
// duration is the real time from one time to the next, by chance between half
// and one and a half of it; 0 is never.
type Faults struct {
	// Drop cuts a socket, every second time with a close frame.
	Drop time.Duration
	// Silent stops all that a socket sends, and lets the connection stand.
	Silent time.Duration
	// Restart takes a server down for a quarter of the duration: its sockets
	// and tokens are gone and nobody listens.
	Restart time.Duration
	// Deactivate ends a subscription that was in order.
	Deactivate time.Duration
	// TokenLife is how long a token is good, TokenUses how many times; 0 is
	// for ever.
	TokenLife time.Duration
	TokenUses int
	// Busy is how many sockets of each server other clients hold.
	Busy int
	// Times is how many times each of the faults that come by the clock is
	// played; 0 is no end.
	Times int
	// PacketLoss is the share of live legs whose packets are lost, 0 to 1.
	PacketLoss float64
	// Odd is the probability that a message comes with something odd: a type
	// nobody knows, an alias, an unknown index, a refused request.
	Odd float64
	// APIBusy and APIHTML are the probabilities that a request for an object of the API
	// is answered 503, or with a page of HTML as by a proxy; APIGone that a leg has
	// ended between list and details.
	APIBusy, APIHTML, APIGone float64
	// APISlow is the longest that an answer of the API takes.
	APISlow time.Duration
	// PasswordLife is when the password is changed, in real time after the start.
	PasswordLife time.Duration
	// Elsewhere is likewise when another server is registered for the records in the
	// place of all others.
	Elsewhere time.Duration
	// APIOld plays a release that does not know licences and the database.
	APIOld bool
	// DatabaseDown plays a database cluster whose last node is down, though its bridge runs.
	DatabaseDown bool
	// LicenceDays is in how many days the licence of the Call Bridges expires; 0 is never.
	LicenceDays int
	// APIPage is how many entries of a list an answer has; 0 is 10.
	APIPage int
}

// stroke plays a fault once, with the lock held. It tells whether it found
// something to play it on, and may return something to do without the lock
// after a while.
type stroke func() (played bool, after time.Duration, then func())

// makeTrouble starts the faults that come by the clock.
func (c *Cluster) makeTrouble() {
	f := c.opts.Faults
	for _, fault := range []struct {
		every time.Duration
		play  stroke
	}{
		{f.Drop, c.dropOne}, {f.Silent, c.silenceOne}, {f.Restart, c.restartOne}, {f.Deactivate, c.deactivateOne},
	} {
		if fault.every > 0 {
			c.running.Go(func() { c.repeat(fault.every, fault.play) })
		}
	}
}

// repeat plays a fault again and again.
func (c *Cluster) repeat(every time.Duration, play stroke) {
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

// draw draws a socket that is at work, nil for none.
func (c *Cluster) draw() *socket {
	list := slices.DeleteFunc(c.sockets(), func(k *socket) bool { return len(k.subs) == 0 || k.mute || k.silent || k.conn == nil })
	if len(list) == 0 {
		return nil
	}
	return list[c.chance.IntN(len(list))]
}

func (c *Cluster) dropOne() (played bool, after time.Duration, then func()) {
	k := c.draw()
	if k == nil {
		return false, 0, nil
	}
	k.server.account.Faults["drop"]++
	if k.server.account.Faults["drop"]%2 == 1 {
		k.close()
		return true, 0, nil
	}
	conn := k.conn
	return true, 0, func() { _ = conn.Close(websocket.StatusGoingAway, "") } // it may be gone already
}

func (c *Cluster) silenceOne() (played bool, after time.Duration, then func()) {
	k := c.draw()
	if k == nil {
		return false, 0, nil
	}
	k.server.account.Faults["silent"]++
	k.mute = true
	k.hush()
	return true, 0, nil
}

func (c *Cluster) restartOne() (played bool, after time.Duration, then func()) {
	s := c.servers[c.chance.IntN(len(c.servers))]
	s.account.Faults["restart"]++
	s.setOutage(outageFault, true)
	return true, c.opts.Faults.Restart / 4, func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		s.setOutage(outageFault, false)
	}
}

func (c *Cluster) deactivateOne() (played bool, after time.Duration, then func()) {
	k := c.draw()
	if k == nil {
		return false, 0, nil
	}
	var all []*subscription
	for _, s := range k.subs {
		all = append(all, s)
	}
	slices.SortFunc(all, func(a, b *subscription) int { return int(a.index - b.index) })
	k.server.account.Faults["deactivate"]++
	k.drop(all[c.chance.IntN(len(all))])
	return true, 0, nil
}
