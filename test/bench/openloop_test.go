// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// numberedPosts are posts that say their number.
type numberedPosts struct{ n int }

func (p *numberedPosts) next() []byte {
	p.n++
	body := fmt.Sprint("post ", p.n)
	return append(appendHead(nil, "/", "text/plain", len(body)), body...)
}

// An answer that is late makes all posts late that were due meanwhile, and a post
// that is refused is sent again.
func TestOpenLoop(t *testing.T) {
	const bridges, stall = 2, 500 * time.Millisecond
	var mu sync.Mutex
	seen := make(map[string]int)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		assert.NoError(t, err)
		mu.Lock()
		defer mu.Unlock()
		seen[string(body)]++
		switch {
		case string(body) == "post 1" && seen["post 1"] == 1:
			time.Sleep(stall) // with the lock: both bridges wait
		case string(body) == "post 9" && seen["post 9"] == 1:
			w.WriteHeader(http.StatusServiceUnavailable)
		}
	}))
	defer server.Close()
	load := openLoad{
		bridges: bridges, rate: 30, time: time.Second, // a post of each bridge in 100 ms
		from: func(int) posts { return &numberedPosts{} },
	}
	got, err := load.run(t.Context(), strings.TrimPrefix(server.URL, "http://"))
	require.NoError(t, err)
	assert.Equal(t, 1, got.refused)
	assert.GreaterOrEqual(t, got.longest, stall)
	assert.GreaterOrEqual(t, got.p50, stall/10, "posts that were due during the stall are late")
	assert.InDelta(t, 20, got.posts, 2)
	assert.Equal(t, bridges+1, seen["post 9"])
	assert.InDelta(t, 30, got.records, 3)
	assert.InDelta(t, 30, got.due, 3)
}

// What does not arrive is not waited for without end, and what is there twice is an
// error.
func TestCatchUp(t *testing.T) {
	b := &backend{}
	b.records.Store(5)
	c, err := catchUpOf(t.Context(), b, 5)
	require.NoError(t, err)
	assert.Zero(t, c.left)
	assert.InDelta(t, 1, c.share, 1e-9)
	_, err = catchUpOf(t.Context(), b, 4)
	require.ErrorContains(t, err, "5 are there, of 4")
}

// The distribution takes a small load with a shipped configuration and with an
// archive, and everything is where it is to be.
func TestPipelinePart(t *testing.T) {
	for _, of := range []string{nameShipped, nameAlone} {
		p := pipelinePlan{
			rounds: 1, bridges: []int{4}, rate: 60, warmUp: 200 * time.Millisecond, time: time.Second,
			directory: t.TempDir(), of: of,
		}
		runs, err := p.bench(t.Context(), testCorpus(t))
		require.NoError(t, err)
		got := runs[pipelineKey{of, 4}]
		require.Len(t, got, 1)
		assert.Positive(t, got[0].records)
		assert.Zero(t, got[0].left)
		assert.Zero(t, got[0].refused)
		assert.Positive(t, got[0].used)
		assert.Contains(t, p.report(runs), "| "+of+" | 4 | ")
	}
}

func TestPeersHaveDeployments(t *testing.T) {
	names := make(map[string]bool)
	for _, d := range deployments {
		names[d.name] = d.goal
	}
	for _, d := range deployments {
		if d.peer {
			assert.True(t, names[d.of], d.name)
		}
	}
}
