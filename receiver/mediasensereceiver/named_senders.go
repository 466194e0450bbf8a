// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package mediasensereceiver

import (
	"context"
	"net"
	"net/netip"
	"net/url"
	"slices"
	"sync/atomic"
	"time"

	"go.uber.org/zap"
)

const (
	// lookUpInterval is the interval of looking up the names of servers, whose addresses
	// may change.
	lookUpInterval = 5 * time.Minute
	// lookUpRetryDelay is the wait after a failed lookup.
	lookUpRetryDelay = 10 * time.Second
	// lookUpTimeout bounds the lookup of one name.
	lookUpTimeout = 5 * time.Second
)

// namedSenders are the addresses of the servers that the subscription names.
type namedSenders struct {
	lookUp func(ctx context.Context, host string) ([]netip.Addr, error)
	logger *zap.Logger

	hostNames []string                                // hosts to look up
	byHost    map[string][]netip.Addr                 // the last answers; used by run alone
	addresses atomic.Pointer[map[netip.Addr]struct{}] // of all hosts
}

// newNamedSenders returns the senders of a subscription, nil without one. It knows hosts that
// are addresses at once, and the others after run looked them up.
func newNamedSenders(config *Config, logger *zap.Logger) *namedSenders {
	if !config.Subscription.HasValue() {
		return nil
	}
	s := &namedSenders{
		lookUp: func(ctx context.Context, host string) ([]netip.Addr, error) {
			return net.DefaultResolver.LookupNetIP(ctx, "ip", host)
		},
		logger: logger, byHost: make(map[string][]netip.Addr),
	}
	for i := range config.Subscription.Get().Servers {
		u, err := url.Parse(config.Subscription.Get().Servers[i].HTTP.Endpoint)
		if err != nil {
			continue // it was validated
		}
		host := u.Hostname()
		if address, err := netip.ParseAddr(host); err == nil {
			s.byHost[host] = []netip.Addr{address}
		} else if !slices.Contains(s.hostNames, host) {
			s.hostNames = append(s.hostNames, host)
		}
	}
	s.publishAddresses()
	return s
}

// contains reports whether an address is that of a server that the subscription names.
func (s *namedSenders) contains(address string) bool {
	if s == nil {
		return false
	}
	parsed, err := netip.ParseAddr(address)
	if err != nil {
		return false
	}
	_, found := (*s.addresses.Load())[withoutZone(parsed)]
	return found
}

// withoutZone returns an address for comparison: IPv4 addresses may be mapped to IPv6, and a
// zone is local to each host.
func withoutZone(address netip.Addr) netip.Addr { return address.Unmap().WithZone("") }

func (s *namedSenders) publishAddresses() {
	all := make(map[netip.Addr]struct{})
	for _, addresses := range s.byHost {
		for _, address := range addresses {
			all[withoutZone(address)] = struct{}{}
		}
	}
	s.addresses.Store(&all)
}

// run looks up the names at an interval until ctx ends.
func (s *namedSenders) run(ctx context.Context) {
	for len(s.hostNames) > 0 {
		wait := lookUpInterval
		if !s.lookUpHosts(ctx) {
			wait = lookUpRetryDelay
		}
		select {
		case <-time.After(wait):
		case <-ctx.Done():
			return
		}
	}
}

// lookUpHosts looks up each name. It returns false if a lookup failed, and keeps the last
// addresses of that name.
func (s *namedSenders) lookUpHosts(ctx context.Context) (all bool) {
	all = true
	for _, host := range s.hostNames {
		bounded, cancel := context.WithTimeout(ctx, lookUpTimeout)
		addresses, err := s.lookUp(bounded, host)
		cancel()
		if err != nil {
			all = false
			s.logger.Debug("The name of a MediaSense server cannot be looked up; its events count as those of an unknown sender", zap.String("server", host), zap.Error(err))
			continue
		}
		s.byHost[host] = addresses
	}
	s.publishAddresses()
	return all
}
