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

// readPeers reads the addresses of the other bridges of the cluster: each once, and again if the
// bridge cannot be reached at its address.
func (s *scrape) readPeers(bridges []object.CallBridge) {
	t := s.target
	if !t.shared.config.Discover || t.peerID != "" || t.inventory.bridges == nil {
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
		detail := readObject(s, "callBridge "+id, func(ctx context.Context) (object.CallBridge, error) { return t.client.CallBridge(ctx, b.ID) })
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

// apiAddress returns the base URL of a bridge from its address: a URL, or a host with or without
// port. http requires insecure, because requests have the password.
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

// discover adds the bridges that the configured servers report, and removes discovered ones
// that no server reports. It returns the new ones.
func (all *targets) discover(ctx context.Context) (fresh []*target) {
	if !all.config.Discover {
		return nil
	}
	wanted := all.wantedPeers()
	all.mu.Lock()
	defer all.mu.Unlock()
	all.list = slices.DeleteFunc(all.list, func(t *target) bool {
		if t.peerID == "" {
			return false
		}
		if w, isWanted := wanted[t.peerID]; isWanted && w.config.HTTP.Endpoint == t.config.HTTP.Endpoint {
			delete(wanted, t.peerID)
			return false
		}
		t.logger.Info("The Call Bridge is not scraped any more: the cluster does not list it at this address")
		all.health.forgetServer(t)
		t.close()
		return true
	})
	for id, w := range wanted {
		if len(all.list) >= maxServers {
			break
		}
		t, err := newTarget(ctx, all, w.config, id)
		if err != nil {
			w.reportedBy.logger.Error("A bridge of the cluster cannot be scraped", zap.String("endpoint", w.config.HTTP.Endpoint), zap.Error(err))
			continue
		}
		t.logger.Info("The Call Bridge is scraped because its cluster lists it", zap.String("call_bridge", id))
		all.list = append(all.list, t)
		fresh = append(fresh, t)
	}
	return fresh
}

// wantedPeer is a bridge that a configured server reports.
type wantedPeer struct {
	config     *ServerConfig
	reportedBy *target
}

// wantedPeers returns the bridges to scrape in addition to the configured servers, by id.
func (all *targets) wantedPeers() map[string]wantedPeer {
	named := make(map[string]bool) // ids and addresses of configured servers
	for _, t := range all.snapshot() {
		if t.peerID == "" {
			named[t.identity.callBridge], named[t.name] = true, true
		}
	}
	list := make(map[string]wantedPeer)
	for _, t := range all.snapshot() {
		if t.peerID != "" {
			continue
		}
		for id, address := range t.peers {
			if named[id] || named[hostPort(address)] {
				continue
			}
			if _, known := list[id]; known {
				continue
			}
			config := *t.config
			config.HTTP.Endpoint = address
			config.ResourceAttributes = nil // they are the named server's own
			list[id] = wantedPeer{&config, t}
		}
	}
	return list
}

// isLost reports whether a discovered bridge cannot be reached at its address.
func (all *targets) isLost(address string) bool {
	for _, t := range all.snapshot() {
		if t.peerID != "" && t.config.HTTP.Endpoint == address {
			_, hasProblem := all.health.problemOf(t)
			return hasProblem
		}
	}
	return false
}
