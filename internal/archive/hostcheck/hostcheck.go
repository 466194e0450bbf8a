// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

// Package hostcheck refuses requests for a host that a server does not have. A stranger's page
// can let its own host name resolve to the address of a server that its reader can reach. It
// can then read the answers of that server (DNS rebinding); its name in the Host header gives
// it away.
package hostcheck

import (
	"fmt"
	"net"
	"net/http"
	"slices"
	"strings"

	"github.com/legato-otel/legato/internal/archive/httperror"
)

// AnyHost as an allowed host allows all.
const AnyHost = "*"

// Validate reports the first of the allowed hosts that is no name of a host: it has
// a scheme, a port or a path.
func Validate(allowed []string) error {
	for _, host := range allowed {
		if host == AnyHost || net.ParseIP(host) != nil {
			continue
		}
		if host == "" || strings.ContainsAny(host, "/:@ *") {
			return fmt.Errorf("must be names of hosts without scheme, port and path, as calls.example.com, or %q for any, got %q", AnyHost, host)
		}
	}
	return nil
}

// Handler lets requests through to next whose Host is allowed: localhost and IP
// addresses, which no stranger's name is, and the allowed hosts. Without allowed hosts
// a server that listens on other addresses than the loopback's takes any host: it is
// reached by names that it cannot know.
func Handler(endpoint string, allowed []string, next http.Handler) http.Handler {
	if slices.Contains(allowed, AnyHost) || len(allowed) == 0 && !isLoopback(endpoint) {
		return next
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !isAllowed(r.Host, allowed) {
			httperror.Write(w, r, http.StatusMisdirectedRequest, "This server is not known by that name. Whoever runs it can add the name to allowed_hosts.")
			return
		}
		next.ServeHTTP(w, r)
	})
}

// isLoopback reports whether an endpoint is on the loopback's addresses only.
func isLoopback(endpoint string) bool {
	host := withoutPort(endpoint)
	ip := net.ParseIP(host)
	return strings.EqualFold(host, "localhost") || ip != nil && ip.IsLoopback()
}

func isAllowed(host string, allowed []string) bool {
	host = strings.TrimSuffix(withoutPort(host), ".")
	return strings.EqualFold(host, "localhost") || net.ParseIP(host) != nil ||
		slices.ContainsFunc(allowed, func(name string) bool { return strings.EqualFold(name, host) })
}

// withoutPort is the host of host:port, or of a host alone.
func withoutPort(address string) string {
	if host, _, err := net.SplitHostPort(address); err == nil {
		return host
	}
	return strings.TrimSuffix(strings.TrimPrefix(address, "["), "]")
}
