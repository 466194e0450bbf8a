// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

// Package loopback finds ports of this machine for servers that a test starts
// and that cannot tell which port they were given.
//
// It does not ask the system for any port: the system also gives those to outgoing
// connections, so a port that was free a moment ago may be in use. Ports come from below the
// range that systems use for that, and a process gets none twice.
package loopback

import (
	"fmt"
	"math/rand/v2"
	"net"
	"strconv"
	"sync"
)

// Ports are taken from first up to, not including, end: above most default ports of services,
// and below the ports that systems give to outgoing connections.
const (
	first = 10_240
	end   = 32_768
)

var (
	mu    sync.Mutex
	given = map[int]bool{}
)

// Port returns a free TCP port.
func Port() (int, error) {
	mu.Lock()
	defer mu.Unlock()
	var last error
	for range 1000 {
		// By chance, because tests of several packages look at the same time.
		port := first + rand.IntN(end-first) //nolint:gosec // nothing to guess
		if given[port] {
			continue
		}
		if last = probe(port); last == nil {
			given[port] = true
			return port, nil
		}
	}
	return 0, fmt.Errorf("no free port between %d and %d: %w", first, end, last)
}

// probe listens on a port of all addresses for a moment: listening on one address does not
// detect a listener on another.
func probe(port int) error {
	for _, host := range [...]string{"", "127.0.0.1"} {
		listener, err := net.Listen("tcp", net.JoinHostPort(host, strconv.Itoa(port))) //nolint:noctx // ends at once
		if err != nil {
			return err
		}
		if err := listener.Close(); err != nil {
			return err
		}
	}
	return nil
}

// Address returns a free address of 127.0.0.1.
func Address() (string, error) {
	port, err := Port()
	if err != nil {
		return "", err
	}
	return net.JoinHostPort("127.0.0.1", strconv.Itoa(port)), nil
}

// MustAddress is Address for a test, which it fails.
func MustAddress(t interface {
	Helper()
	Fatal(args ...any)
},
) string {
	t.Helper()
	address, err := Address()
	if err != nil {
		t.Fatal(err)
	}
	return address
}
