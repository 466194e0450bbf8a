// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package mediasense

import (
	"crypto/tls"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"slices"
	"time"

	"github.com/legato-otel/legato/cmd/callsim/internal/chance"
)

// outage is a set of reasons for which a server is down; without any it is up.
type outage int

const (
	outageFault    outage = 1 << iota // a fault
	outageOperator                    // somebody wants it
	outageEnd                         // the simulation has ended
)

// server is one MediaSense server.
type server struct {
	cluster *Cluster
	index   int
	address string // of the API, empty without

	http           *http.Server // nil while down
	outages        outage
	busy           bool      // answers 5042
	lastBusyAnswer time.Time // time of the last 5042

	sessions        map[string]*apiSession
	expiredSessions map[string]bool // sessions answered with 4021
	knownSessions   map[string]bool // every session that ever existed
	subscriptions   []*subscription
	numbers         int // of subscriptions so far

	faultDice         []chance.Dice // by kind of fault
	delayed           []*delayedPost
	recordingSessions map[string]bool // open recording sessions
	account           Account
}

func newServer(c *Cluster, index int) *server {
	s := &server{
		cluster: c, index: index, sessions: map[string]*apiSession{}, expiredSessions: map[string]bool{}, knownSessions: map[string]bool{},
		recordingSessions: map[string]bool{}, account: newAccount(fmt.Sprintf("ms%d", index+1)),
	}
	if len(c.opts.Addresses) > 0 {
		s.address = c.opts.Addresses[index]
	}
	for i := range uint64(faultKinds) {
		s.faultDice = append(s.faultDice, chance.NewDice(c.opts.Seed, streamFates+uint64(index)<<8+i))
	}
	return s
}

// listen starts the API. Afterwards address has the real port.
func (s *server) listen() error {
	ln, err := net.Listen("tcp", s.address)
	if err != nil {
		return err
	}
	host, _, _ := net.SplitHostPort(s.address)
	_, port, _ := net.SplitHostPort(ln.Addr().String())
	s.address = net.JoinHostPort(host, port)
	if s.cluster.opts.TLS != nil {
		ln = tls.NewListener(ln, s.cluster.opts.TLS)
	}
	srv := &http.Server{
		Handler: s.api(), ReadHeaderTimeout: 10 * time.Second, IdleTimeout: time.Minute,
		ErrorLog: log.New(io.Discard, "", 0), // failed handshakes are the client's problem
	}
	s.http = srv
	s.cluster.running.Go(func() { _ = srv.Serve(ln) }) // returns an error when closed
	return nil
}

// setOutage adds or removes a reason for being down. A server that goes down drops its
// sessions and subscriptions.
func (s *server) setOutage(outage outage, on bool) {
	if on {
		s.outages |= outage
	} else {
		s.outages &^= outage
	}
	if s.outages == 0 && s.http == nil && s.address != "" {
		if err := s.listen(); err != nil {
			s.logf("still down: %v", err)
		}
	}
	if s.outages == 0 {
		return
	}
	if s.http != nil {
		_ = s.http.Close()
		s.http = nil
	}
	for _, sub := range slices.Clone(s.subscriptions) {
		s.unsubscribe(sub)
	}
	clear(s.sessions)
	s.cluster.notifyWaiters()
}

func (s *server) logf(format string, args ...any) {
	s.cluster.opts.Logf(s.account.Server+": "+format, args...)
}
