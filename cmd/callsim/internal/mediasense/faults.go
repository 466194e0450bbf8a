// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package mediasense

import "time"

// Faults are the faults between the servers and their subscribers. Probabilities are for
// each event and server.
type Faults struct {
	// Duplicate sends an event again, a little later.
	Duplicate float64
	// Reorder sends an event some events later, or after the end of its session.
	Reorder float64
	// Lost never sends the start of a session.
	Lost float64
	// Malformed damages a body.
	Malformed float64
	// Pair puts an event into one body with the next one.
	Pair float64
	// Quoted writes numbers as strings, Seconds a tag's date in seconds, URLs
	// urls as one object, Boolean forwardedEvent as a boolean.
	Quoted, Seconds, URLs, Boolean float64

	// The others are about the API, and come about every duration of real time,
	// by chance between half and one and a half of it; 0 is never.

	// Restart takes a server down for a quarter of the duration; it forgets its
	// sessions and subscriptions.
	Restart time.Duration
	// Forget drops a subscription without notice.
	Forget time.Duration
	// Busy answers all requests with error 5042 for a quarter of the duration.
	Busy time.Duration
	// Expire is how long an API session may be idle; 0 is half an hour.
	Expire time.Duration
	// Old is a release that does not know subscribeToEvents.
	Old bool
	// Times is how many times each fault that comes by the clock is run; 0 is no end.
	Times int
}

// API reports whether there are faults only an API can have.
func (f Faults) API() bool {
	return f.Restart > 0 || f.Forget > 0 || f.Busy > 0 || f.Expire > 0 || f.Old
}

// Any reports whether there are faults at all.
func (f Faults) Any() bool { return f != Faults{} }

// faultFunc makes a fault happen once, with the lock held. played is false if there is no
// target. then, if set, runs after a delay, with the lock held again.
type faultFunc func() (played bool, after time.Duration, then func())

// startFaults starts the faults that come by the clock.
func (c *Cluster) startFaults() {
	f := c.opts.Faults
	for _, fault := range []struct {
		every time.Duration
		play  faultFunc
	}{{f.Restart, c.restartServer}, {f.Forget, c.forgetSubscription}, {f.Busy, c.makeBusy}} {
		if fault.every > 0 {
			c.running.Go(func() { c.repeat(fault.every, fault.play) })
		}
	}
}

// repeat makes a fault happen again and again.
func (c *Cluster) repeat(every time.Duration, play faultFunc) {
	for times := 0; times == 0 || times != c.opts.Faults.Times; {
		c.mu.Lock()
		wait := every/2 + time.Duration(c.faultDice.Int64N(int64(every)))
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
		c.mu.Lock()
		then()
		c.mu.Unlock()
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

func (c *Cluster) restartServer() (played bool, after time.Duration, then func()) {
	s := c.servers[c.faultDice.IntN(len(c.servers))]
	s.account.Faults["restart"]++
	s.setOutage(outageFault, true)
	return true, c.opts.Faults.Restart / 4, func() { s.setOutage(outageFault, false) }
}

func (c *Cluster) forgetSubscription() (played bool, after time.Duration, then func()) {
	all := c.subscriptions()
	if len(all) == 0 {
		return false, 0, nil
	}
	sub := all[c.faultDice.IntN(len(all))]
	sub.server.account.Faults["forget"]++
	sub.server.unsubscribe(sub)
	return true, 0, nil
}

func (c *Cluster) makeBusy() (played bool, after time.Duration, then func()) {
	s := c.servers[c.faultDice.IntN(len(c.servers))]
	s.account.Faults["busy"]++
	s.busy = true
	return true, c.opts.Faults.Busy / 4, func() { s.busy = false }
}
