// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package cmsapireceiver

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"go.uber.org/zap"

	"github.com/legato-otel/legato/internal/meetingserver/api/object"
	"github.com/legato-otel/legato/internal/meetingserver/callbridge"
)

// readPeers learns the addresses of the other bridges of the cluster. An address is
// asked for once, and again when nothing can be reached there.
func (s *scrape) readPeers(bridges []object.CallBridge) {
	t := s.target
	if !t.shared.config.Discover || t.discovered != "" || t.inventory.bridges == nil {
		return
	}
	listed := make(map[string]bool)
	for _, b := range bridges {
		id := callbridge.ID(b.ID)
		if id == "" || id == t.identity.callBridge || len(listed) == maxServers {
			continue
		}
		listed[id] = true
		if address, known := t.peers[id]; known && !t.shared.isLost(address) {
			continue
		}
		detail := ask(s, "callBridge "+id, func(ctx context.Context) (object.CallBridge, error) { return t.client.CallBridge(ctx, b.ID) })
		if detail == nil {
			continue
		}
		address, err := apiAddress(detail.Address, t.config.HTTP.TLS.Insecure)
		if err != nil {
			t.logger.Warn("A bridge of the cluster cannot be scraped; name it in servers", zap.String("call_bridge", id), zap.Error(err))
			continue
		}
		t.peers[id] = address
	}
	if !t.inventory.bridges.Complete {
		return
	}
	for id := range t.peers {
		if !listed[id] {
			delete(t.peers, id)
		}
	}
}

// apiAddress returns the base URL of a bridge from its address: a URL, or a host with
// a port or without. The password goes there, so http needs insecure.
func apiAddress(text string, insecure bool) (string, error) {
	if !strings.Contains(text, "://") {
		text = "https://" + text
	}
	u, err := url.Parse(text)
	switch {
	case err != nil || u.Hostname() == "" || u.User != nil:
		return "", errors.New("its address is no URL like https://cms1:445")
	case u.Scheme == "https", u.Scheme == "http" && insecure:
		return u.Scheme + "://" + strings.ToLower(u.Host), nil
	default:
		return "", fmt.Errorf("its address has the scheme %q, want https", u.Scheme)
	}
}

// discover scrapes the bridges that the named servers tell of, and no longer those
// that none tells of. It returns those that are new.
func (all *targets) discover(ctx context.Context) (fresh []*target) {
	if !all.config.Discover {
		return nil
	}
	wanted := all.wanted()
	all.mu.Lock()
	defer all.mu.Unlock()
	all.list = slices.DeleteFunc(all.list, func(t *target) bool {
		if t.discovered == "" {
			return false
		}
		if w, still := wanted[t.discovered]; still && w.config.HTTP.Endpoint == t.config.HTTP.Endpoint {
			delete(wanted, t.discovered)
			return false
		}
		t.logger.Info("The Call Bridge is not scraped any more: the cluster does not list it at this address")
		all.health.removed(t)
		t.close()
		return true
	})
	for id, w := range wanted {
		if len(all.list) >= maxServers {
			break
		}
		t, err := newTarget(ctx, all, w.config, id)
		if err != nil {
			w.by.logger.Error("A bridge of the cluster cannot be scraped", zap.String("endpoint", w.config.HTTP.Endpoint), zap.Error(err))
			continue
		}
		t.logger.Info("The Call Bridge is scraped because its cluster lists it", zap.String("call_bridge", id))
		all.list = append(all.list, t)
		fresh = append(fresh, t)
	}
	return fresh
}

// wanted is a bridge that a named server tells of.
type wanted struct {
	config *ServerConfig
	by     *target
}

// wanted returns the bridges that should be scraped beside the named servers, by id.
func (all *targets) wanted() map[string]wanted {
	named := make(map[string]bool) // ids and addresses
	for _, t := range all.now() {
		if t.discovered == "" {
			named[t.identity.callBridge], named[t.name] = true, true
		}
	}
	list := make(map[string]wanted)
	for _, t := range all.now() {
		if t.discovered != "" {
			continue
		}
		for id, address := range t.peers {
			if named[id] || named[hostPort(address)] {
				continue
			}
			if _, twice := list[id]; twice {
				continue
			}
			config := *t.config
			config.HTTP.Endpoint = address
			config.ResourceAttributes = nil // they are the named server's own
			list[id] = wanted{&config, t}
		}
	}
	return list
}

// isLost tells whether a bridge that was discovered cannot be reached at its
// address.
func (all *targets) isLost(address string) bool {
	for _, t := range all.now() {
		if t.discovered != "" && t.config.HTTP.Endpoint == address {
			_, has := all.health.problemOf(t)
			return has
		}
	}
	return false
}
