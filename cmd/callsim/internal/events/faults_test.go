// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package events_test

import (
	"context"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/legato-otel/legato/cmd/callsim/internal/events"
	"github.com/legato-otel/legato/cmd/callsim/internal/eventstest"
	"github.com/legato-otel/legato/cmd/callsim/internal/scenario"
)

// persist follows a bridge with one client after the other until ctx ends; each
// is given up when no frame comes for a while. The present one is passed on.
func (p *play) persist(ctx context.Context, bridge int, present func(*eventstest.Client)) {
	for ctx.Err() == nil {
		conn, err := p.dial(ctx, bridge)
		if err != nil {
			continue
		}
		client := eventstest.New(conn, false)
		present(client)
		life, cancel := context.WithTimeout(ctx, 200*time.Millisecond)
		_ = client.Follow(life)
		cancel()
		conn.CloseNow()
	}
}

// TestAfterFaultsTheTruthIsBack: whatever goes wrong many times, a client that
// begins anew knows the truth again.
func TestAfterFaultsTheTruthIsBack(t *testing.T) {
	for name, f := range map[string]events.Faults{
		"drop":          {Drop: 2 * time.Millisecond, Times: 30},
		"silent":        {Silent: 2 * time.Millisecond, Times: 20},
		"restart":       {Restart: 4 * time.Millisecond, Times: 30},
		"deactivate":    {Deactivate: 2 * time.Millisecond, Times: 100},
		"token_expired": {TokenLife: time.Nanosecond},
	} {
		t.Run(name, func(t *testing.T) {
			p := newPlay(t, scenario.Config{Seed: 8, Bridges: 1, Meetings: 12}, func(o *events.Options) { o.Faults = f })
			p.happen(p.story[:len(p.story)/2]...)
			require.NotZero(t, p.truth().Calls)
			ctx, cancel := context.WithCancel(t.Context())
			var mu sync.Mutex
			var now *eventstest.Client
			var done sync.WaitGroup
			done.Go(func() {
				p.persist(ctx, 0, func(c *eventstest.Client) { mu.Lock(); defer mu.Unlock(); now = c })
			})
			p.eventually(func() bool { return p.cluster.Accounts()[0].Faults[name] >= 20 }, name)
			if name != "token_expired" {
				p.eventually(func() bool {
					mu.Lock()
					defer mu.Unlock()
					return now != nil && same(p.truth().Bridges[0], now)
				}, "the truth does not come back")
			}
			cancel()
			done.Wait()
			if now != nil {
				assert.Empty(t, now.Wrong)
			}
			assert.Empty(t, p.cluster.Accounts()[0].Misuse)
			assert.LessOrEqual(t, p.cluster.Accounts()[0].MostSockets, 5)
		})
	}
}

func TestTokensAreGoodOnce(t *testing.T) {
	p := stageFor(t, func(o *events.Options) { o.Faults.TokenUses = 1 })
	base := p.cluster.URLs()[0]
	token, _, err := eventstest.Token(t.Context(), p.hc, base, "api", "x")
	require.NoError(t, err)
	conn, _, err := eventstest.Dial(t.Context(), p.hc, base, token)
	require.NoError(t, err)
	defer conn.CloseNow()
	_, status, err := eventstest.Dial(t.Context(), p.hc, base, token)
	require.Error(t, err)
	assert.Equal(t, http.StatusUnauthorized, status)
	assert.Equal(t, 1, p.cluster.Accounts()[0].Faults["token_expired"])
}

func TestBusySockets(t *testing.T) {
	p := stageFor(t, func(o *events.Options) { o.Faults.Busy = 4 })
	p.raw(0)
	_, err := p.dial(t.Context(), 0)
	assert.ErrorContains(t, err, "got 503")
}

// TestToggle: servers that are taken down refuse, and come back where they were.
func TestToggle(t *testing.T) {
	p := stageFor(t, nil)
	before := p.cluster.URLs()
	r := p.raw(0)
	assert.False(t, p.cluster.Toggle())
	_, _, err := r.conn.Read(t.Context())
	require.Error(t, err)
	_, err = p.dial(t.Context(), 1)
	assert.ErrorContains(t, err, "connection refused")
	assert.True(t, p.cluster.Toggle())
	assert.Equal(t, before, p.cluster.URLs())
	client := p.follow(0)
	p.eventually(func() bool { return same(p.truth().Bridges[0], client) }, "no snapshot")
}
