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
	// lookUpEvery is how often the names of servers are looked up: their addresses
	// may change.
	lookUpEvery = 5 * time.Minute
	// lookUpAgain is the wait after a name was not found.
	lookUpAgain = 10 * time.Second
	// lookUpTimeout bounds the lookup of one name.
	lookUpTimeout = 5 * time.Second
)

// senders knows the addresses of the servers that the subscription names.
type senders struct {
	lookUp func(ctx context.Context, host string) ([]netip.Addr, error)
	logger *zap.Logger

	names     []string                                // hosts that are looked up
	byHost    map[string][]netip.Addr                 // the last answers; used by run alone
	addresses atomic.Pointer[map[netip.Addr]struct{}] // of all hosts
}

// newSenders returns the senders of a subscription, nil without one. Hosts that are
// addresses are known at once, the others after run looked them up.
func newSenders(config *Config, logger *zap.Logger) *senders {
	if !config.Subscription.HasValue() {
		return nil
	}
	s := &senders{
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
		} else if !slices.Contains(s.names, host) {
			s.names = append(s.names, host)
		}
	}
	s.publish()
	return s
}

// named tells whether a client's address is that of a server that the subscription
// names.
func (s *senders) named(address string) bool {
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

// withoutZone returns an address as it is compared: an IPv4 address may come as an
// IPv6 one, and a zone is local to each host.
func withoutZone(address netip.Addr) netip.Addr { return address.Unmap().WithZone("") }

func (s *senders) publish() {
	all := make(map[netip.Addr]struct{})
	for _, addresses := range s.byHost {
		for _, address := range addresses {
			all[withoutZone(address)] = struct{}{}
		}
	}
	s.addresses.Store(&all)
}

// run looks the names up until ctx ends.
func (s *senders) run(ctx context.Context) {
	for len(s.names) > 0 {
		wait := lookUpEvery
		if !s.lookUpAll(ctx) {
			wait = lookUpAgain
		}
		select {
		case <-time.After(wait):
		case <-ctx.Done():
			return
		}
	}
}

// lookUpAll returns false if a name was not found. Its last addresses stay.
func (s *senders) lookUpAll(ctx context.Context) (all bool) {
	all = true
	for _, host := range s.names {
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
	s.publish()
	return all
}
