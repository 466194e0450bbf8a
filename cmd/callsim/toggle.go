// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"io"
	"os"
	"os/signal"
	"sync"
)

// toggleServers takes the Events servers and the MediaSense API down and up again at each
// signal, until the function it returns is called. Without such servers the signal has its
// default effect.
func (c *cluster) toggleServers(stderr io.Writer) (end func()) {
	if c.events == nil && len(c.opts.mediasense.addresses) == 0 {
		return func() {}
	}
	signals, done := make(chan os.Signal, 1), make(chan struct{})
	toggleSignal(signals)
	var listener sync.WaitGroup
	listener.Go(func() {
		for {
			select {
			case <-signals:
				c.toggle(stderr)
			case <-done:
				return
			}
		}
	})
	return func() {
		signal.Stop(signals)
		close(done)
		listener.Wait()
	}
}

func (c *cluster) toggle(stderr io.Writer) {
	state := map[bool]string{false: "down", true: "up"}
	if c.events != nil {
		fmt.Fprintf(stderr, "callsim: the Events servers are %s\n", state[c.events.Toggle()])
	}
	if len(c.opts.mediasense.addresses) > 0 {
		fmt.Fprintf(stderr, "callsim: the MediaSense servers are %s\n", state[c.mediasense.Toggle()])
	}
}
