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

// link is one server: its sockets, its API and its queue.
type link struct {
	index   int
	name    string // host:port
	host    string
	port    int
	events  string // URL of the event socket, without the token
	config  *Config
	account *account
	http    *http.Client // of the event sockets: it knows no credentials
	hub     *hub
	health  *health
	logger  *zap.Logger
	queue   *queue // nil without a logs pipeline
	sockets []*socket

	wanted  atomic.Int32 // how many sockets the plan asks for
	resized chan struct{}

	identity      atomic.Pointer[identity]
	identityAfter atomic.Int64 // not asked for before, in Unix nanoseconds

	kept keptLimit // of frames that cannot be read
}

// socket is one place for a connection. It outlives the connections.
type socket struct {
	link  *link
	slot  int
	state atomic.Int32
	// refusing tells that the server refuses the requests of this socket.
	refusing atomic.Bool
	// subscriptions holds a token if the set may have changed.
	subscriptions chan struct{}
}

// The states of a socket.
const (
	waiting int32 = iota
	token
	dialing
	subscribing
	running
	socketStates
)

var stateNames = [socketStates]string{"waiting", "token", "dialing", "subscribing", "running"}

// changed says that the set of subscriptions may have changed.
func (s *socket) changed() {
	select {
	case s.subscriptions <- struct{}{}:
	default:
	}
}

// keepAlive finds a peer that is gone within a minute; the servers answer no
// pings of the protocol above.
var keepAlive = net.KeepAliveConfig{Enable: true, Idle: 30 * time.Second, Interval: 10 * time.Second, Count: 3}

type dialer func(ctx context.Context, network, address string) (net.Conn, error)

func newLink(ctx context.Context, r *eventsReceiver, index int, host component.Host) (*link, error) {
	server := &r.config.Servers[index]
	endpoint := strings.TrimSuffix(server.HTTP.Endpoint, "/")
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
	apiClient, eventClient, err := newClients(ctx, server, host, r.dial)
	if err != nil {
		return nil, fmt.Errorf("make a client of %s: %w", endpoint, err)
	}
	l := &link{
		index: index, name: net.JoinHostPort(u.Hostname(), port), host: u.Hostname(), port: number,
		events: endpoint + "/events/v1?authToken=", config: r.config, http: eventClient,
		account: newAccount(api.NewClientOf(apiClient, server.api())),
		hub:     r.hub, health: r.health, logger: r.settings.Logger.With(zap.String("server", u.Host)), resized: make(chan struct{}, 1),
	}
	l.account.refused = func(err error) { r.health.report(l, wrongCredentials, err) }
	l.identity.Store(&identity{fixed: configuredAttributes(r.config.ResourceAttributes, server.ResourceAttributes)})
	l.wanted.Store(1)
	for slot := range r.config.MaxConnections {
		l.sockets = append(l.sockets, &socket{link: l, slot: slot, subscriptions: make(chan struct{}, 1)})
	}
	return l, nil
}

// newClients makes the HTTP clients of a server's API and of its event sockets.
// They share their connections. The extension that may authenticate requests is
// for the API alone: a socket is opened by its token.
func newClients(ctx context.Context, server *ServerConfig, host component.Host, dial dialer) (apiClient, eventClient *http.Client, err error) {
	config := server.HTTP
	authentication := config.Auth
	config.Auth = confighttp.ClientConfig{}.Auth
	// Without tracer and meter: the token is in the URL, and they would write it
	// down.
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
	with := *eventClient
	if with.Transport, err = extension.RoundTripper(eventClient.Transport); err != nil {
		return nil, nil, err
	}
	return &with, eventClient, nil
}

// states counts the sockets by state.
func (l *link) states() (counts [socketStates]int64) {
	for _, s := range l.sockets[:max(1, l.wanted.Load())] {
		counts[s.state.Load()]++
	}
	return counts
}

// want says how many sockets the plan asks for.
func (l *link) want(n int) {
	if l.wanted.Swap(int32(n)) != int32(n) { //nolint:gosec // at most five
		select {
		case l.resized <- struct{}{}:
		default:
		}
	}
}

// run keeps the sockets connected until ctx ends: the first, and as many others as
// the plan asks for. None depends on another.
func (l *link) run(ctx context.Context) {
	defer l.http.CloseIdleConnections()
	defer l.account.api.Close()
	var all sync.WaitGroup
	all.Go(func() { l.sockets[0].run(ctx) })
	all.Go(func() { l.watch(ctx) })
	l.runOthers(ctx)
	all.Wait()
}

// runOthers keeps as many further sockets connected as the plan asks for.
func (l *link) runOthers(ctx context.Context) {
	type other struct {
		end  context.CancelFunc
		done chan struct{}
	}
	var others []other
	// Awaited: a place is used by one connection at a time.
	endLast := func() {
		last := others[len(others)-1]
		last.end()
		<-last.done
		others = others[:len(others)-1]
	}
	defer func() {
		for _, o := range others {
			o.end()
		}
		for len(others) > 0 {
			endLast()
		}
	}()
	for {
		n := max(1, int(l.wanted.Load())) - 1
		for len(others) > n {
			endLast()
		}
		for len(others) < n {
			one, end := context.WithCancel(ctx)
			o := other{end, make(chan struct{})}
			s := l.sockets[len(others)+1]
			go func() {
				defer close(o.done)
				s.run(one)
			}()
			others = append(others, o)
		}
		select {
		case <-l.resized:
		case <-ctx.Done():
			return
		}
	}
}
