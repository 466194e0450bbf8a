// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package api_test

import (
	"context"
	"errors"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/legato-otel/legato/internal/meetingserver/api"
)

// refusing answers every request with a status, and counts them.
type refusing struct{ status, requests int }

func (r *refusing) RoundTrip(*http.Request) (*http.Response, error) {
	r.requests++
	return &http.Response{StatusCode: r.status, Body: http.NoBody, Header: http.Header{}}, nil
}

// After a 401 no client with the same credentials asks, whatever it would ask
// for; others do. A 403 is no wrong password.
func TestPauseIsShared(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := &refusing{status: http.StatusUnauthorized}
		client := func(endpoint, username, password string) *api.Client {
			config := &api.ServerConfig{Username: username, Password: "x"}
			config.HTTP.Endpoint = endpoint
			if password != "" {
				config.Password = "y"
			}
			c := api.NewClientOf(&http.Client{Transport: server}, config)
			t.Cleanup(c.Close)
			return c
		}
		ask := func(c *api.Client, asked bool) {
			t.Helper()
			before := server.requests
			err := c.Status(context.Background())
			assert.Equal(t, !asked, errors.Is(err, api.ErrPaused), "%v", err)
			assert.Equal(t, asked, server.requests == before+1)
		}
		events, registration := client("https://a", "u", ""), client("https://a/", "u", "")
		ask(events, true)
		ask(registration, false)
		_, err := registration.CDRReceivers(t.Context())
		require.ErrorIs(t, err, api.ErrPaused)
		assert.EqualError(t, err, "GET /system/cdrReceivers: the server refused the password a moment ago, and is not asked again yet: 5m0s to go")
		ask(client("https://b", "u", ""), true)
		ask(client("https://a", "v", ""), true)
		ask(client("https://a", "u", "other"), true)
		time.Sleep(api.UnauthorizedRetryDelay)
		ask(registration, true)
		ask(events, false)

		// A configuration that is loaded anew begins anew.
		events.Close()
		events.Close()
		registration.Close()
		fresh := client("https://a", "u", "")
		server.status = http.StatusForbidden
		ask(fresh, true)
		ask(fresh, true)
	})
}

// door is a server that answers when it is let: requests wait in it.
type door struct {
	mu      sync.Mutex
	status  int
	inside  int
	most    int
	entered int
	open    chan struct{}
}

func newDoor(status int) *door { return &door{status: status, open: make(chan struct{})} }

func (d *door) RoundTrip(r *http.Request) (*http.Response, error) {
	d.mu.Lock()
	d.inside++
	d.entered++
	d.most = max(d.most, d.inside)
	open := d.open
	d.mu.Unlock()
	select {
	case <-open:
	case <-r.Context().Done():
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.inside--
	if err := r.Context().Err(); err != nil {
		return nil, err
	}
	return &http.Response{StatusCode: d.status, Body: http.NoBody, Header: http.Header{}}, nil
}

func (d *door) counts() (inside, most, entered int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.inside, d.most, d.entered
}

func (d *door) answer(status int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.status = status
	close(d.open)
	d.open = make(chan struct{})
}

func clientOf(t *testing.T, transport http.RoundTripper, endpoint, username string) *api.Client {
	t.Helper()
	config := &api.ServerConfig{Username: username, Password: "x"}
	config.HTTP.Endpoint = endpoint
	c := api.NewClientOf(&http.Client{Transport: transport}, config)
	t.Cleanup(c.Close)
	return c
}

// However many clients ask at once: one request finds out whether the password is
// good, at the start and after each pause. If it is, two requests go at a time.
func TestOneProbe(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := newDoor(0)
		var asking sync.WaitGroup
		var paused, fine atomic.Int32
		ask := func() {
			paused.Store(0)
			fine.Store(0)
			for range 4 {
				c := clientOf(t, server, "https://a", "u")
				asking.Go(func() {
					switch err := c.Status(t.Context()); {
					case errors.Is(err, api.ErrPaused):
						paused.Add(1)
					case err == nil:
						fine.Add(1)
					}
				})
			}
			synctest.Wait()
		}
		for range 2 {
			ask()
			_, most, entered := server.counts()
			assert.Equal(t, 1, most)
			server.answer(http.StatusUnauthorized)
			asking.Wait()
			assert.Equal(t, int32(3), paused.Load())
			_, _, after := server.counts()
			assert.Equal(t, entered, after, "the others were not made")
			time.Sleep(api.UnauthorizedRetryDelay)
		}

		ask()
		server.answer(http.StatusOK)
		synctest.Wait()
		inside, most, _ := server.counts()
		assert.Equal(t, 2, inside)
		assert.Equal(t, 2, most)
		server.answer(http.StatusOK)
		synctest.Wait()
		server.answer(http.StatusOK)
		asking.Wait()
		assert.Equal(t, int32(4), fine.Load())
	})
}

// A request that fails finds out nothing: the next one does. One that waits ends
// with its context.
func TestProbeThatFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := newDoor(0)
		first, second := clientOf(t, server, "https://a", "u"), clientOf(t, server, "https://a", "u")
		ctx, cancel := context.WithCancel(t.Context())
		var asking sync.WaitGroup
		asking.Go(func() { assert.ErrorIs(t, first.Status(ctx), context.Canceled) })
		synctest.Wait()
		short, stop := context.WithTimeout(t.Context(), time.Second)
		defer stop()
		require.ErrorIs(t, second.Status(short), context.DeadlineExceeded)
		asking.Go(func() { assert.NoError(t, second.Status(t.Context())) })
		synctest.Wait()
		inside, _, _ := server.counts()
		assert.Equal(t, 1, inside)
		cancel()
		synctest.Wait()
		inside, most, _ := server.counts()
		assert.Equal(t, 1, inside, "the second one")
		assert.Equal(t, 1, most)
		server.answer(http.StatusOK)
		asking.Wait()
	})
}

// Two users of one server load it together.
func TestTurnsAreTheServers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := newDoor(0)
		var asking sync.WaitGroup
		for _, user := range []string{"u", "v", "w"} {
			c := clientOf(t, server, "https://a", user)
			asking.Go(func() { assert.NoError(t, c.Status(t.Context())) })
		}
		synctest.Wait()
		inside, _, _ := server.counts()
		assert.Equal(t, 2, inside)
		server.answer(http.StatusOK)
		synctest.Wait()
		server.answer(http.StatusOK)
		asking.Wait()
	})
}
