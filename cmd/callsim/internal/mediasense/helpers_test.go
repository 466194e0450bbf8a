// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package mediasense_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/legato-otel/legato/cmd/callsim/internal/mediasense"
	"github.com/legato-otel/legato/cmd/callsim/internal/recording"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var start = time.Date(2026, 1, 5, 8, 0, 0, 0, time.UTC)

// run is two servers with a scenario.
type play struct {
	t       *testing.T
	cluster *mediasense.Cluster
	story   []recording.Event
}

func newPlay(t *testing.T, change func(*mediasense.Options)) *play {
	t.Helper()
	p := &play{t: t, story: story(7, 20*time.Minute)}
	o := mediasense.Options{
		Seed: 7, Servers: 2, User: "api", Password: "x", Timeout: 10 * time.Second, Keep: true, Logf: func(string, ...any) {},
	}
	if change != nil {
		change(&o)
	}
	var err error
	p.cluster, err = mediasense.Open(o)
	require.NoError(t, err)
	t.Cleanup(p.cluster.Close)
	return p
}

// withAPI is a change that serves the API.
func withAPI(f mediasense.Faults) func(*mediasense.Options) {
	return func(o *mediasense.Options) {
		o.Addresses = []string{"127.0.0.1:0", "127.0.0.1:0"}
		o.Faults = f
	}
}

func story(seed uint64, during time.Duration) []recording.Event {
	w := recording.New(recording.Config{Seed: seed, Servers: 2, Start: start})
	var list []recording.Event
	for at, more := w.When(); more; at, more = w.When() {
		if at.Sub(start) > during {
			w.Close()
		}
		list = append(list, w.Step()...)
	}
	return list
}

// happen runs events and waits until they are posted.
func (p *play) happen(list ...recording.Event) {
	p.t.Helper()
	for _, ev := range list {
		p.cluster.Observe(ev)
	}
	p.cluster.End()
	ctx, cancel := context.WithTimeout(p.t.Context(), 30*time.Second)
	defer cancel()
	require.True(p.t, p.cluster.Drain(ctx), "it does not end")
}

func (p *play) report() mediasense.Report { return p.cluster.Report() }

func (p *play) eventually(ok func() bool, payload string) {
	p.t.Helper()
	require.Eventually(p.t, ok, 20*time.Second, time.Millisecond, payload)
}

// inbox takes posts.
type inbox struct {
	url    string
	mu     sync.Mutex
	bodies []string
	answer func(n int) int
}

func newInbox(t *testing.T, answer func(n int) int) *inbox {
	t.Helper()
	in := &inbox{answer: answer}
	server := httptest.NewServer(in)
	t.Cleanup(server.Close)
	in.url = server.URL + "/mediasense"
	return in
}

func (in *inbox) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	in.mu.Lock()
	defer in.mu.Unlock()
	in.bodies = append(in.bodies, string(body))
	if in.answer != nil {
		w.WriteHeader(in.answer(len(in.bodies)))
	}
}

func (in *inbox) all() []string {
	in.mu.Lock()
	defer in.mu.Unlock()
	return append([]string(nil), in.bodies...)
}

func (in *inbox) forget() {
	in.mu.Lock()
	defer in.mu.Unlock()
	in.bodies = nil
}

// event is an event as a reader sees it.
type event struct {
	EventType, EventAction string
	ForwardedEvent         any
	EventBody              map[string]any
}

// read reads all that can be read from bodies; damaged ones are counted.
func read(t *testing.T, bodies []string) (list []event, damaged int) {
	t.Helper()
	for _, body := range bodies {
		dec := json.NewDecoder(bytes.NewReader([]byte(body)))
		dec.UseNumber()
		for {
			var ev event
			err := dec.Decode(&ev)
			if err == io.EOF {
				break
			}
			if err != nil {
				damaged++
				break
			}
			list = append(list, ev)
		}
	}
	return list, damaged
}

func (ev event) kind() string { return ev.EventType + " " + ev.EventAction }

// client is a client of the API of one server.
type client struct {
	t       *testing.T
	url     string
	session string
	cookie  bool // rather than a header
	hc      http.Client
}

func (p *play) client(server int) *client {
	transport := &http.Transport{}
	p.t.Cleanup(transport.CloseIdleConnections)
	return &client{t: p.t, url: p.cluster.URLs()[server], hc: http.Client{Transport: transport}}
}

const (
	signIn  = "/ora/authenticationService/authentication/signIn"
	signOut = "/ora/authenticationService/authentication/signOut"
	events  = "/ora/eventService/event/"
)

// call posts parameters and returns the answer's code and all of it.
func (c *client) call(path string, parameters map[string]any) (int, map[string]any) {
	c.t.Helper()
	body, err := json.Marshal(map[string]any{"requestParameters": parameters})
	require.NoError(c.t, err)
	code, answer, err := c.try(path, string(body))
	require.NoError(c.t, err)
	return code, answer
}

func (c *client) try(path, body string) (int, map[string]any, error) {
	req, err := http.NewRequestWithContext(c.t.Context(), http.MethodPost, c.url+path, bytes.NewReader([]byte(body)))
	require.NoError(c.t, err)
	if c.session != "" && c.cookie {
		req.AddCookie(&http.Cookie{Name: "JSESSIONID", Value: c.session})
	} else if c.session != "" {
		req.Header.Set("JSESSIONID", c.session)
	}
	res, err := c.hc.Do(req)
	if err != nil {
		return 0, nil, err
	}
	defer res.Body.Close()
	if id := res.Header.Get("JSESSIONID"); id != "" {
		assert.Equal(c.t, id, res.Cookies()[0].Value)
		c.session = id
	}
	if res.StatusCode != http.StatusOK {
		return res.StatusCode, nil, nil
	}
	var answer map[string]any
	require.NoError(c.t, json.NewDecoder(res.Body).Decode(&answer))
	return int(answer["responseCode"].(float64)), answer, nil
}

func (c *client) signIn() {
	c.t.Helper()
	code, _ := c.call(signIn, map[string]any{"username": "api", "password": "x"})
	require.Equal(c.t, 2000, code)
}

// subscribe subscribes to filters, all when there are none.
func (c *client) subscribe(uri string, filters ...string) (int, map[string]any) {
	c.t.Helper()
	parameters := map[string]any{"subscriptionType": "http", "subscriptionUri": uri}
	if len(filters) > 0 {
		parameters["subscriptionFilters"] = filters
	}
	return c.call(events+"subscribeToEvents", parameters)
}
