// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package events

import (
	"context"
	"crypto/tls"
	"io"
	"log"
	"net"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/coder/websocket"
)

// outage is a set of reasons why a server is down; an empty set means up.
type outage int

const (
	outageScenario outage = 1 << iota // the scenario restarts its bridge
	outageFault                       // a fault
	outageOperator                    // Toggle
	outageEnd                         // the simulation has ended
)

// server is the Events server and the API of one bridge.
type server struct {
	cluster *Cluster
	stage   *bridge
	address string
	hostID  string

	http          *http.Server // nil while down
	outages       outage
	sockets       []*socket
	socketsOpened int // numbers the sockets
	tokens        map[string]*token
	records       uint64
	account       Account

	receivers     []receiverObject
	alarms        map[string]alarm // by subject
	deliveryFails bool
}

// listen starts the server. Afterwards address has the real port.
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
	mux := http.NewServeMux()
	mux.HandleFunc("/api/v1/authTokens", s.serveTokens)
	mux.HandleFunc("/api/v1/system/status", s.serveStatus)
	mux.HandleFunc("/api/v1/system/configuration/cluster", s.serveCluster)
	mux.HandleFunc("/api/v1/callBridges", s.serveCallBridges)
	s.serveAPI(mux)
	mux.HandleFunc("/events/v1", s.serveEvents)
	srv := &http.Server{
		Handler: mux, ReadHeaderTimeout: 10 * time.Second, IdleTimeout: time.Minute,
		ErrorLog: log.New(io.Discard, "", 0), // failed handshakes are the client's problem
	}
	s.http = srv
	s.cluster.running.Go(func() { _ = srv.Serve(ln) }) // returns an error when closed
	return nil
}

// setOutage adds or removes a reason for being down. A server that goes down drops its
// sockets and tokens.
func (s *server) setOutage(outage outage, on bool) {
	if on {
		s.outages |= outage
	} else {
		s.outages &^= outage
	}
	if s.outages == 0 && s.http == nil {
		if err := s.listen(); err != nil {
			s.logf("still down: %v", err)
		}
	}
	if s.outages != 0 && s.http != nil {
		_ = s.http.Close()
		s.http = nil
		for _, k := range s.sockets {
			k.close()
		}
		s.sockets = nil
		clear(s.tokens)
		s.cluster.notifyWaiters()
	}
	for _, other := range s.cluster.servers {
		other.reviewAlarms()
	}
}

// serveEvents serves a WebSocket from its handshake to its end.
//
//nolint:contextcheck // a hijacked connection has nothing to do with its request's context
func (s *server) serveEvents(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithCancel(s.cluster.ctx)
	defer cancel()
	k, status := s.admit(r.URL.Query().Get("authToken"), cancel)
	if k == nil {
		w.Header().Set("Connection", "close")
		w.WriteHeader(status)
		return
	}
	defer s.release(k)
	sniffer := &sniffer{found: func(kind Misuse) {
		s.cluster.mu.Lock()
		defer s.cluster.mu.Unlock()
		k.recordMisuse(kind, "the server takes text frames only, whole ones")
	}}
	conn, err := websocket.Accept(sniffedResponse{w, sniffer}, r, &websocket.AcceptOptions{
		InsecureSkipVerify: true,
		OnPingReceived:     func(context.Context, []byte) bool { return false }, // no pongs
	})
	if err != nil {
		return // Accept has answered
	}
	defer conn.CloseNow() //nolint:errcheck // usually closed already
	s.cluster.mu.Lock()
	k.conn = conn
	s.cluster.mu.Unlock()
	var writer sync.WaitGroup
	writer.Go(func() {
		k.writeFrames(ctx, conn)
		cancel()
	})
	k.readFrames(ctx, conn)
	cancel()
	writer.Wait()
}

// admit returns a new socket for a valid token. Without a valid token or a free place it
// returns nil and an HTTP status.
func (s *server) admit(text string, cancel context.CancelFunc) (*socket, int) {
	c := s.cluster
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case c.closed || s.outages != 0:
		return nil, http.StatusServiceUnavailable
	case !s.useToken(text):
		s.account.RefusedTokens++
		s.logf("invalid token")
		return nil, http.StatusUnauthorized
	case len(s.sockets)+c.opts.Faults.Busy >= maxSockets:
		s.account.RefusedSockets++
		s.logf("a socket too many: %d are open, %d of others", len(s.sockets), c.opts.Faults.Busy)
		return nil, http.StatusServiceUnavailable
	}
	s.socketsOpened++
	k := &socket{
		server: s, number: s.socketsOpened, close: cancel, wake: make(chan struct{}, 1),
		subs: map[int64]*subscription{}, byResource: map[resource]*subscription{},
		lastResource: map[int64]resource{}, ended: map[int64]bool{}, requests: map[int64]bool{},
	}
	s.sockets = append(s.sockets, k)
	s.account.Sockets++
	s.account.MostSockets = max(s.account.MostSockets, len(s.sockets))
	c.running.Add(1)
	return k, 0
}

// release removes a socket that has ended.
func (s *server) release(k *socket) {
	c := s.cluster
	c.mu.Lock()
	s.sockets = slices.DeleteFunc(s.sockets, func(x *socket) bool { return x == k })
	c.notifyWaiters()
	c.mu.Unlock()
	c.running.Done()
}

// now returns the time of the bridge's clock.
func (s *server) now() time.Time {
	c, last := s.cluster, s.stage.lastEvent
	at := last.At
	if c.opts.Speed > 0 && !c.storyBegan.IsZero() {
		at = c.opts.Start.Add(time.Duration(float64(time.Since(c.storyBegan)) * c.opts.Speed))
	}
	if at.IsZero() {
		at = c.opts.Start
	}
	return at.Add(last.Time.Sub(last.At))
}

// sessionStart returns when the current session of the bridge began.
func (s *server) sessionStart() time.Time {
	if boot := s.stage.bootedAt; !boot.IsZero() {
		return boot
	}
	return s.cluster.opts.Start.Add(s.stage.lastEvent.Time.Sub(s.stage.lastEvent.At))
}
