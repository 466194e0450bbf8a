// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package loopback

import (
	"net"
	"strconv"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestPort: many at once get a port each, can listen on it, and none is of those
// that the system gives to connections.
func TestPort(t *testing.T) {
	var mu sync.Mutex
	seen := map[int]bool{}
	var all sync.WaitGroup
	for range 200 {
		all.Go(func() {
			port, err := Port()
			if !assert.NoError(t, err) {
				return
			}
			listener, err := net.Listen("tcp", net.JoinHostPort("localhost", strconv.Itoa(port)))
			if !assert.NoError(t, err) {
				return
			}
			defer listener.Close()
			mu.Lock()
			defer mu.Unlock()
			assert.False(t, seen[port], "port %d was given twice", port)
			seen[port] = true
			assert.GreaterOrEqual(t, port, first)
			assert.Less(t, port, end)
		})
	}
	all.Wait()
	assert.Len(t, seen, 200)
}

// TestProbe: a port that somebody listens on is not free, on whichever address.
func TestProbe(t *testing.T) {
	for _, host := range []string{"127.0.0.1", ""} {
		listener, err := net.Listen("tcp", net.JoinHostPort(host, "0"))
		require.NoError(t, err)
		assert.Error(t, probe(listener.Addr().(*net.TCPAddr).Port), "on %q", host)
		require.NoError(t, listener.Close())
	}
}
