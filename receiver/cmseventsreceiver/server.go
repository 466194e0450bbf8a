// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package cmseventsreceiver

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/config/confighttp"
	"go.uber.org/zap"

	"github.com/legato-otel/legato/internal/meetingserver/api"
)

// server is one configured Call Bridge: its sockets, its API account and its queue.
type server struct {
	index       int
	address     string // host:port
	host        string
	port        int
	eventURL    string // URL of the event socket, without the token
	config      *Config
	account     *account
	eventClient *http.Client // for the event sockets; has no credentials
	hub         *hub
	health      *health
	logger      *zap.Logger
	queue       *queue // nil without a logs pipeline
	sockets     []*socket

	socketsWanted atomic.Int32  // number of sockets in the plan
	resized       chan struct{} // holds a token if socketsWanted changed

	identity            atomic.Pointer[identity]
	nextIdentityRequest atomic.Int64 // in Unix nanoseconds

	malformedLimiter malformedLimiter // for frames that are not understood
}

// socket is one slot for a connection. It outlives its connections.
type socket struct {
	server      *server
	socketIndex int
	state       atomic.Int32
	// refusing means that the server refused the last requests of this socket.
	refusing atomic.Bool
	// subscriptionsChanged holds a token if the subscription set may have changed.
	subscriptionsChanged chan struct{}
}

// The states of a socket.
const (
	stateWaiting int32 = iota
	stateToken
	stateDialing
	stateSubscribing
	stateRunning
	socketStates
)

var stateNames = [socketStates]string{"waiting", "token", "dialing", "subscribing", "running"}

// notifySubscriptions makes the connection check its subscription set.
func (s *socket) notifySubscriptions() {
	select {
	case s.subscriptionsChanged <- struct{}{}:
	default:
	}
}

// keepAlive detects a dead peer within a minute; servers answer no WebSocket pings.
var keepAlive = net.KeepAliveConfig{Enable: true, Idle: 30 * time.Second, Interval: 10 * time.Second, Count: 3}

type dialer func(ctx context.Context, network, address string) (net.Conn, error)

func newServer(ctx context.Context, r *eventsReceiver, index int, host component.Host) (*server, error) {
	config := &r.config.Servers[index]
	endpoint := strings.TrimSuffix(config.HTTP.Endpoint, "/")
	u, err := url.Parse(endpoint)
	if err != nil {
		return nil, fmt.Errorf("servers::%d: %w", index, err)
	}
	port := u.Port()
	if port == "" {
		port = map[string]string{"http": "80", "https": "443"}[u.Scheme]
	}
	number, err := strconv.Atoi(port)
	if err != nil {
		return nil, fmt.Errorf("servers::%d: %w", index, err)
	}
	apiClient, eventClient, err := newClients(ctx, config, host, r.dial)
	if err != nil {
		return nil, fmt.Errorf("make a client of %s: %w", endpoint, err)
	}
	srv := &server{
		index: index, address: net.JoinHostPort(u.Hostname(), port), host: u.Hostname(), port: number,
		eventURL: endpoint + "/events/v1?authToken=", config: r.config, eventClient: eventClient,
		account: newAccount(api.NewClientOf(apiClient, config.apiConfig())),
		hub:     r.hub, health: r.health, logger: r.settings.Logger.With(zap.String("server", u.Host)), resized: make(chan struct{}, 1),
	}
	srv.account.onRefusal = func(err error) { r.health.report(srv, problemUnauthorized, err) }
	srv.identity.Store(&identity{configured: configuredAttributes(r.config.ResourceAttributes, config.ResourceAttributes)})
	srv.socketsWanted.Store(1)
	for socketIndex := range r.config.MaxConnections {
		srv.sockets = append(srv.sockets, &socket{server: srv, socketIndex: socketIndex, subscriptionsChanged: make(chan struct{}, 1)})
	}
	return srv, nil
}

// newClients returns the HTTP clients of a server's API and of its event sockets, which
// share a transport. An auth extension applies to the API only: the token authenticates a
// socket.
func newClients(ctx context.Context, server *ServerConfig, host component.Host, dial dialer) (apiClient, eventClient *http.Client, err error) {
	config := server.HTTP
	authentication := config.Auth
	config.Auth = confighttp.ClientConfig{}.Auth
	// No tracer and no meter: they would record the URL with the token.
	eventClient, err = config.ToClient(ctx, host.GetExtensions(), component.TelemetrySettings{})
	if err != nil {
		return nil, nil, err
	}
	eventClient.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	if transport, plain := eventClient.Transport.(*http.Transport); plain {
		transport.DialContext = dial
		if dial == nil {
			transport.DialContext = (&net.Dialer{Timeout: server.HTTP.Timeout, KeepAliveConfig: keepAlive}).DialContext
		}
	}
	if !authentication.HasValue() {
		return eventClient, eventClient, nil
	}
	extension, err := authentication.Get().GetHTTPClientAuthenticator(ctx, host.GetExtensions())
	if err != nil {
		return nil, nil, err
	}
	authenticated := *eventClient
	if authenticated.Transport, err = extension.RoundTripper(eventClient.Transport); err != nil {
		return nil, nil, err
	}
	return &authenticated, eventClient, nil
}

// socketStateCounts counts the wanted sockets by state.
func (srv *server) socketStateCounts() (counts [socketStates]int64) {
	for _, s := range srv.sockets[:max(1, srv.socketsWanted.Load())] {
		counts[s.state.Load()]++
	}
	return counts
}

// setSocketsWanted sets how many sockets to connect.
func (srv *server) setSocketsWanted(n int) {
	if srv.socketsWanted.Swap(int32(n)) != int32(n) { //nolint:gosec // at most five
		select {
		case srv.resized <- struct{}{}:
		default:
		}
	}
}

// run keeps the sockets connected until ctx ends: the first one, and as many further ones
// as the plan wants. The sockets do not depend on each other.
func (srv *server) run(ctx context.Context) {
	defer srv.eventClient.CloseIdleConnections()
	defer srv.account.api.Close()
	var all sync.WaitGroup
	all.Go(func() { srv.sockets[0].run(ctx) })
	all.Go(func() { srv.watchProblems(ctx) })
	srv.runFurtherSockets(ctx)
	all.Wait()
}

// runFurtherSockets keeps the further sockets connected.
func (srv *server) runFurtherSockets(ctx context.Context) {
	type runningSocket struct {
		end  context.CancelFunc
		done chan struct{}
	}
	var running []runningSocket
	// Wait for the end: only one connection may use a socket.
	endLast := func() {
		last := running[len(running)-1]
		last.end()
		<-last.done
		running = running[:len(running)-1]
	}
	defer func() {
		for _, r := range running {
			r.end()
		}
		for len(running) > 0 {
			endLast()
		}
	}()
	for {
		n := max(1, int(srv.socketsWanted.Load())) - 1
		for len(running) > n {
			endLast()
		}
		for len(running) < n {
			socketCtx, end := context.WithCancel(ctx)
			r := runningSocket{end, make(chan struct{})}
			s := srv.sockets[len(running)+1]
			go func() {
				defer close(r.done)
				s.run(socketCtx)
			}()
			running = append(running, r)
		}
		select {
		case <-srv.resized:
		case <-ctx.Done():
			return
		}
	}
}
