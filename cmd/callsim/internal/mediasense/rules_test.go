// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package mediasense_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/legato-otel/legato/cmd/callsim/internal/mediasense"
)

// misuse adds up what was counted.
func (p *play) misuse() map[mediasense.Misuse]int {
	sum := map[mediasense.Misuse]int{}
	for _, a := range p.report().Accounts {
		for kind, n := range a.Misuse {
			sum[kind] += n
		}
	}
	return sum
}

// TestAGoodClient signs in, subscribes, verifies, gets what it asked for, and
// leaves nothing behind.
func TestAGoodClient(t *testing.T) {
	for _, cookie := range []bool{false, true} {
		in := newInbox(t, nil)
		p := newPlay(t, withAPI(mediasense.Faults{}))
		var clients []*client
		var ids []any
		for server := range 2 {
			c := p.client(server)
			c.cookie = cookie
			c.signIn()
			code, answer := c.subscribe(in.url, "RECORDING_EVENTS", "TAG_EVENTS", "STORAGE_EVENTS", "CLEANUP_EVENTS")
			require.Equal(t, 2000, code)
			body := answer["responseBody"].(map[string]any)
			assert.Len(t, body["subscriptionFilters"], 4)
			code, answer = c.call(events+"verifyRecordingSubscription", map[string]any{"subscriptionId": body["subscriptionId"]})
			assert.Equal(t, 2000, code)
			assert.Equal(t, "ACTIVE", answer["subscriptionStatus"])
			clients, ids = append(clients, c), append(ids, body["subscriptionId"])
		}
		p.happen(p.story...)
		list, _ := read(t, in.all())
		r := p.report()
		assert.Equal(t, r.Happened, r.Arrived)
		assert.Greater(t, len(list), len(p.story))
		for i, c := range clients {
			code, _ := c.call(events+"unsubscribeFromEvents", map[string]any{"subscriptionId": ids[i]})
			assert.Equal(t, 2000, code)
			code, _ = c.call(signOut, nil)
			assert.Equal(t, 2000, code)
		}
		p.cluster.Close()
		assert.Empty(t, p.misuse())
		for _, a := range p.report().Accounts {
			assert.Equal(t, []int{1, 1, 1, 0}, []int{a.SignIns, a.SignOuts, a.Unsubscribed, a.Subscriptions})
			assert.Equal(t, map[string]int{"subscribeToEvents": 1}, a.Subscribed)
		}
	}
}

// TestFilters: a subscriber gets what it asked for and nothing else.
func TestFilters(t *testing.T) {
	for filter, want := range map[string][]string{
		"RECORDING_EVENTS":      {"SESSION_EVENT STARTED", "SESSION_EVENT UPDATED", "SESSION_EVENT ENDED"},
		"CLEANUP_EVENTS":        {"SESSION_EVENT DELETED", "SESSION_EVENT PRUNED"},
		"SESSION_UPDATED_EVENT": {"SESSION_EVENT UPDATED"},
		"TAG_EVENTS":            {"TAG_EVENT ADDED", "TAG_EVENT UPDATED", "TAG_EVENT DELETED"},
		"TAG_DELETED_EVENT":     {"TAG_EVENT DELETED"},
	} {
		in := newInbox(t, nil)
		p := newPlay(t, withAPI(mediasense.Faults{Pair: 0.2, Duplicate: 0.1, Reorder: 0.1}))
		for server := range 2 {
			c := p.client(server)
			c.signIn()
			code, _ := c.subscribe(in.url, filter)
			require.Equal(t, 2000, code)
		}
		p.happen(p.story...)
		list, _ := read(t, in.all())
		got := tally(list)
		assert.Len(t, got, len(want), filter)
		for _, kind := range want {
			assert.Equal(t, p.report().Happened[kind], p.report().Arrived[kind], kind)
			assert.GreaterOrEqual(t, got[kind], p.report().Happened[kind])
		}
	}
}

func TestTagNames(t *testing.T) {
	in := newInbox(t, nil)
	p := newPlay(t, withAPI(mediasense.Faults{}))
	c := p.client(0)
	c.signIn()
	code, answer := c.call(events+"subscribeToEvents", map[string]any{
		"subscriptionType": "http", "subscriptionUri": in.url, "subscriptionFilters": []string{"TAG_EVENTS"}, "tagNameRegEx": "Track.*",
	})
	require.Equal(t, 2000, code)
	assert.Equal(t, "Track.*", answer["responseBody"].(map[string]any)["tagNameRegEx"])
	p.happen(p.story...)
	list, _ := read(t, in.all())
	assert.NotEmpty(t, list)
	for _, ev := range list {
		assert.Contains(t, ev.EventBody["tagName"], "Track")
	}
}

// TestSubscribing holds the second request for a URI to the rules.
func TestSubscribing(t *testing.T) {
	p := newPlay(t, withAPI(mediasense.Faults{}))
	c, uri := p.client(0), "http://192.0.2.200:8085/mediasense"
	c.signIn()
	_, answer := c.subscribe(uri, "TAG_EVENTS", "STORAGE_EVENTS")
	id := answer["responseBody"].(map[string]any)["subscriptionId"]

	c.signIn() // a client that was restarted
	code, answer := c.subscribe(uri, "STORAGE_EVENTS", "TAG_EVENTS")
	assert.Equal(t, 2005, code)
	assert.Equal(t, id, answer["responseBody"].(map[string]any)["subscriptionId"])
	assert.Empty(t, p.misuse())
	code, _ = c.subscribe(uri, "TAG_EVENTS", "STORAGE_EVENTS")
	assert.Equal(t, 2005, code)
	assert.Equal(t, 1, p.misuse()[mediasense.NeedlessSubscription])

	code, answer = c.subscribe(uri, "TAG_EVENTS")
	assert.Equal(t, 2000, code)
	assert.Equal(t, id, answer["responseBody"].(map[string]any)["subscriptionId"])
	a := p.report().Accounts[0]
	assert.Equal(t, []int{1, 2, 1}, []int{a.Subscribed["subscribeToEvents"], a.Identical, a.Replaced})

	code, answer = c.call(events+"subscribeRecordingEvent", map[string]any{"subscriptionType": "http", "subscriptionUri": uri})
	assert.Equal(t, 4061, code)
	assert.Equal(t, id, answer["subscriptionId"], "an error that names the first")
	code, answer = c.call(events+"subscribeRecordingEvent", map[string]any{"subscriptionType": "http", "subscriptionUri": uri + "2"})
	assert.Equal(t, 2000, code)
	assert.NotEmpty(t, answer["subscriptionId"])

	code, answer = c.call(events+"unsubscribeFromEvents", map[string]any{"subscriptionId": id, "subscriptionFilters": []string{"STORAGE_EVENTS"}})
	assert.Equal(t, 2000, code)
	assert.Equal(t, []any{"TAG_EVENTS"}, answer["responseBody"].(map[string]any)["subscriptionFilters"])
	code, _ = c.call(events+"unsubscribeRecordingEvent", map[string]any{"subscriptionId": id})
	assert.Equal(t, 2000, code)
	code, _ = c.call(events+"unsubscribeRecordingEvent", map[string]any{"subscriptionId": id})
	assert.Equal(t, 4062, code)
	_, answer = c.call(events+"verifyRecordingSubscription", map[string]any{"subscriptionId": id})
	assert.Equal(t, "INACTIVE", answer["subscriptionStatus"])
}

// TestMisuse: each thing a client must not do is counted.
func TestMisuse(t *testing.T) {
	for kind, do := range map[mediasense.Misuse]func(p *play, c *client){
		mediasense.BadLogin: func(_ *play, c *client) {
			code, _ := c.call(signIn, map[string]any{"username": "api", "password": "y"})
			assert.Equal(c.t, 4020, code)
			assert.Empty(c.t, c.session)
		},
		mediasense.NoSession: func(_ *play, c *client) {
			code, _ := c.subscribe("http://h/")
			assert.Equal(c.t, 4021, code)
		},
		mediasense.UnknownSession: func(p *play, c *client) {
			other := p.client(1)
			other.signIn()
			c.session = other.session
			code, _ := c.subscribe("http://h/")
			assert.Equal(c.t, 4021, code)
			other.call(signOut, nil)
		},
		mediasense.DeadSession: func(_ *play, c *client) {
			c.signIn()
			c.call(signOut, nil)
			for range 2 {
				code, _ := c.subscribe("http://h/")
				assert.Equal(c.t, 4021, code)
			}
		},
		mediasense.NoSignOut: func(_ *play, c *client) { c.signIn() },
		mediasense.UnknownFilter: func(_ *play, c *client) {
			c.signIn()
			code, _ := c.subscribe("http://h/", "RECORDING_EVENT")
			assert.Equal(c.t, 4000, code)
			c.call(signOut, nil)
		},
		mediasense.Malformed: func(_ *play, c *client) {
			c.signIn()
			code, _, err := c.try(events+"subscribeToEvents", "{")
			assert.NoError(c.t, err)
			assert.Equal(c.t, 4000, code)
			c.call(signOut, nil)
		},
		mediasense.UnknownPath: func(_ *play, c *client) {
			code, _ := c.call("/ora/", nil)
			assert.Equal(c.t, http.StatusNotFound, code)
		},
		mediasense.BadMethod: func(_ *play, c *client) {
			res, err := c.hc.Get(c.url + signIn)
			require.NoError(c.t, err)
			res.Body.Close()
			assert.Equal(c.t, http.StatusMethodNotAllowed, res.StatusCode)
		},
	} {
		t.Run(string(kind), func(t *testing.T) {
			p := newPlay(t, withAPI(mediasense.Faults{}))
			do(p, p.client(0))
			p.cluster.Close()
			assert.Equal(t, map[mediasense.Misuse]int{kind: 1}, p.misuse())
		})
	}
}

func TestManySessions(t *testing.T) {
	p := newPlay(t, withAPI(mediasense.Faults{}))
	c := p.client(0)
	for range 9 {
		c.signIn()
	}
	assert.Equal(t, 1, p.misuse()[mediasense.ManySessions])
	assert.Equal(t, 9, p.report().Accounts[0].MostSessions)
}

func TestHTTPSNeverForEvents(t *testing.T) {
	p := newPlay(t, withAPI(mediasense.Faults{}))
	c := p.client(0)
	c.signIn()
	code, _ := c.subscribe("https://h/mediasense")
	assert.Equal(t, 4000, code)
}

func TestSessionsExpire(t *testing.T) {
	p := newPlay(t, withAPI(mediasense.Faults{Expire: time.Nanosecond}))
	c := p.client(0)
	c.signIn()
	code, _ := c.subscribe("http://h/")
	assert.Equal(t, 4021, code)
	assert.Equal(t, 1, p.report().Accounts[0].InvalidSessions)
	p.cluster.Close()
	assert.Empty(t, p.misuse(), "nobody can know before")
}

// TestOldRelease knows the old calls only.
func TestOldRelease(t *testing.T) {
	in := newInbox(t, nil)
	p := newPlay(t, withAPI(mediasense.Faults{Old: true}))
	c := p.client(0)
	c.signIn()
	code, _ := c.subscribe(in.url)
	assert.Equal(t, http.StatusNotFound, code)
	code, _ = c.call(events+"subscribeRecordingEvent", map[string]any{"subscriptionType": "http", "subscriptionUri": in.url})
	assert.Equal(t, 2000, code)
	p.happen(p.story...)
	list, _ := read(t, in.all())
	got := tally(list)
	for _, kind := range []string{"SESSION_EVENT STARTED", "SESSION_EVENT PRUNED", "TAG_EVENT ADDED", "STORAGE_THRESHOLD_EVENT ENTER_LOW_STORAGE_SPACE"} {
		assert.Positive(t, got[kind], kind)
	}
	c.call(signOut, nil)
	p.cluster.Close()
	assert.Empty(t, p.misuse())
}

// TestRestart: a server that was down has forgotten who subscribed.
func TestRestart(t *testing.T) {
	in := newInbox(t, nil)
	p := newPlay(t, withAPI(mediasense.Faults{}))
	before := p.cluster.URLs()
	c := p.client(0)
	c.signIn()
	c.subscribe(in.url)
	assert.False(t, p.cluster.Toggle())
	_, _, err := c.try(signIn, "{}")
	require.Error(t, err)
	assert.True(t, p.cluster.Toggle())
	assert.Equal(t, before, p.cluster.URLs())
	p.happen(p.story...)
	assert.Empty(t, in.all())
	assert.Len(t, p.report().Missed, len(p.story))
	code, _ := c.subscribe(in.url)
	assert.Equal(t, 4021, code)
	assert.Empty(t, p.misuse())
	c.signIn()
	code, _ = c.subscribe(in.url)
	assert.Equal(t, 2000, code, "it is a new one")
}

// TestFaultsOfTheAPI: a client that does all again by the rules is always back.
func TestFaultsOfTheAPI(t *testing.T) {
	for name, f := range map[string]mediasense.Faults{
		"restart": {Restart: 4 * time.Millisecond, Times: 20},
		"forget":  {Forget: 2 * time.Millisecond, Times: 20},
		"busy":    {Busy: 4 * time.Millisecond, Times: 20},
	} {
		t.Run(name, func(t *testing.T) {
			in := newInbox(t, nil)
			p := newPlay(t, withAPI(f))
			stop := make(chan struct{})
			done := make(chan struct{})
			go func() {
				defer close(done)
				persist(stop, p, in.url)
			}()
			p.eventually(func() bool {
				n := 0
				for _, a := range p.report().Accounts {
					n += a.Faults[name]
				}
				return n >= 20
			}, "the faults are not played")
			p.eventually(func() bool {
				in.forget()
				p.cluster.Observe(p.story[0])
				return len(in.all()) > 0
			}, "nobody is subscribed any more")
			close(stop)
			<-done
		})
	}
}

// persist keeps both servers subscribed until it is stopped.
func persist(stop <-chan struct{}, p *play, uri string) {
	clients := []*client{p.client(0), p.client(1)}
	for {
		select {
		case <-stop:
			return
		default:
		}
		for _, c := range clients {
			code, _, err := c.try(events+"subscribeToEvents", `{"requestParameters":{"subscriptionType":"http","subscriptionUri":"`+uri+`"}}`)
			if err == nil && code == 4021 {
				_, _, _ = c.try(signIn, `{"requestParameters":{"username":"api","password":"x"}}`)
			}
		}
	}
}

// TestNoBackoff: after 5042 a client must wait.
func TestNoBackoff(t *testing.T) {
	p := newPlay(t, withAPI(mediasense.Faults{Busy: 200 * time.Millisecond}))
	clients := []*client{p.client(0), p.client(1)}
	p.eventually(func() bool {
		for _, c := range clients {
			if code, _, _ := c.try(signIn, `{}`); code == 5042 {
				_, _, _ = c.try(signIn, `{}`)
			}
		}
		return p.misuse()[mediasense.NoBackoff] > 0
	}, "no misuse is counted")
	assert.GreaterOrEqual(t, p.report().Accounts[0].Busy+p.report().Accounts[1].Busy, 2)
}

// TestAtMostOnce: what is refused is gone, unless it is to be tried again.
func TestAtMostOnce(t *testing.T) {
	for _, retry := range []time.Duration{0, time.Millisecond} {
		in := newInbox(t, func(n int) int {
			if n%3 == 0 {
				return http.StatusServiceUnavailable
			}
			return http.StatusOK
		})
		p := newPlay(t, func(o *mediasense.Options) { o.Targets, o.Retry = []string{in.url}, retry })
		p.happen(p.story...)
		r := p.report()
		refused := r.Accounts[0].Refused + r.Accounts[1].Refused
		if retry > 0 {
			assert.Zero(t, refused)
			assert.Equal(t, r.Happened, r.Arrived)
			continue
		}
		assert.Positive(t, refused)
		assert.NotEmpty(t, r.Missed)
		for _, m := range r.Missed {
			assert.True(t, m.Tried, "it may have arrived")
		}
	}
}

// TestNobodyListens loses everything, and says so.
func TestNobodyListens(t *testing.T) {
	p := newPlay(t, func(o *mediasense.Options) { o.Targets = []string{"http://127.0.0.1:1/"} })
	p.happen(p.story[:20]...)
	r := p.report()
	assert.Len(t, r.Missed, 20)
	assert.Empty(t, r.Arrived)
	assert.Positive(t, r.Accounts[0].Unanswered+r.Accounts[1].Unanswered)
}
