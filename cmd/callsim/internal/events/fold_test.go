// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package events_test

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/legato-otel/legato/cmd/callsim/internal/scenario"
)

// TestUpdatesFoldToTheTruth: a client on each bridge knows at every moment what
// it must know, and the server never breaks a rule.
func TestUpdatesFoldToTheTruth(t *testing.T) {
	for _, cfg := range []scenario.Config{
		{Seed: 1, Bridges: 3, Meetings: 30},
		{Seed: 2, Bridges: 1, Meetings: 20, ScanBurst: 10},
		{Seed: 3, Bridges: 3, Meetings: 20, Short: true, Unclustered: true},
	} {
		p := newPlay(t, cfg, nil)
		for bridge := range cfg.Bridges {
			p.follow(bridge)
		}
		p.settle()
		most := 0
		for i, ev := range p.story {
			p.happen(ev)
			p.settle()
			if i%37 != 0 && i != len(p.story)-1 {
				continue
			}
			want := p.truth()
			most = max(most, want.Calls)
			for bridge, client := range p.clients {
				if !assert.True(t, same(want.Bridges[bridge], client), "seed %d, bridge %d after event %d", cfg.Seed, bridge, i) {
					return
				}
			}
		}
		assert.Greater(t, most, 1)
		want := p.truth()
		assert.Zero(t, want.Calls)
		assert.Equal(t, want.Added, want.Removed+want.Lost)
		for bridge, client := range p.clients {
			assert.Empty(t, client.Wrong)
			assert.Empty(t, want.Bridges[bridge].Account.Misuse)
			assert.Equal(t, client.Adds, client.Removes)
			assert.NotZero(t, client.Reasons["remoteTeardown"])
			alone := cfg.Bridges == 1 || cfg.Unclustered && bridge == cfg.Bridges-1
			assert.Equal(t, !alone, client.Reasons[""] > 0, "people of other bridges leave without a reason")
		}
		if cfg.Bridges == 1 {
			assert.EqualValues(t, want.Added, p.clients[0].Adds)
			assert.EqualValues(t, want.Removed, p.clients[0].Removes)
		}
	}
}

// TestALateClientGetsASnapshot of everything, and it is all of the truth.
func TestALateClientGetsASnapshot(t *testing.T) {
	p := newPlay(t, scenario.Config{Seed: 4, Bridges: 2, Meetings: 40}, nil)
	for i, ev := range p.story {
		p.happen(ev)
		if i%200 != 199 {
			continue
		}
		p.clients = nil
		before := p.received()
		client := p.follow(i / 200 % 2)
		p.eventually(func() bool { return p.received() > before }, "nobody asks")
		p.eventually(func() bool { return same(p.truth().Bridges[i/200%2], client) }, "the snapshot is not the truth")
		assert.Empty(t, client.Wrong)
		if i > 800 {
			return
		}
	}
}

// TestARestartForgets: a bridge that restarts has lost its sockets, and other
// bridges see its people vanish.
func TestARestartForgets(t *testing.T) {
	p := newPlay(t, scenario.Config{Seed: 3, Bridges: 2, Meetings: 30, Restarts: 4}, nil)
	restarts, lost := 0, uint64(0)
	for _, ev := range p.story {
		_, restarted := ev.Payload.(scenario.BridgeRestarted)
		if !restarted {
			p.happen(ev)
			continue
		}
		restarts++
		p.clients = nil
		r := p.raw(ev.Bridge)
		other := p.follow(1 - ev.Bridge)
		p.happen(ev)
		_, _, err := r.conn.Read(t.Context())
		assert.Error(t, err)
		_, err = p.dial(t.Context(), ev.Bridge)
		assert.ErrorContains(t, err, "connection refused")
		p.eventually(func() bool { return same(p.truth().Bridges[1-ev.Bridge], other) }, "vanished people are still there")
		lost += p.truth().Lost
	}
	assert.Equal(t, 4, restarts)
	assert.NotZero(t, lost)
	assert.Zero(t, p.truth().Calls)
	for bridge := range 2 {
		_, err := p.dial(t.Context(), bridge)
		assert.NoError(t, err, "a bridge that is heard of again listens")
	}
}
