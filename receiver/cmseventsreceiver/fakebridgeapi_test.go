// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package cmseventsreceiver

import (
	"fmt"
	"net/http"
)

// The API of a fakeBridge.

func (b *fakeBridge) authorized(w http.ResponseWriter, r *http.Request) bool {
	user, secret, _ := r.BasicAuth()
	b.mu.Lock()
	defer b.mu.Unlock()
	if user != username || secret != b.password {
		b.counts["unauthorized"]++
		w.WriteHeader(http.StatusUnauthorized)
		return false
	}
	return true
}

func (b *fakeBridge) serveToken(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Connection", "close")
	b.mu.Lock()
	b.counts["token"]++
	status, hangs := b.faults.tokenStatus, b.faults.tokenHangs
	b.mu.Unlock()
	if hangs {
		<-r.Context().Done()
		return
	}
	if status != 0 {
		w.WriteHeader(status)
		return
	}
	if !b.authorized(w, r) {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.tokensMade++
	token := fmt.Sprintf("token-%d", b.tokensMade)
	b.tokens[token] = !b.faults.expired
	w.Header().Set("X-Cisco-CMS-Auth-Token", token)
}

func (b *fakeBridge) serveStatus(w http.ResponseWriter, r *http.Request) {
	b.mu.Lock()
	b.counts["status"]++
	hangs := b.faults.statusHangs
	b.mu.Unlock()
	if hangs {
		<-r.Context().Done()
		return
	}
	if b.authorized(w, r) {
		fmt.Fprint(w, `<?xml version="1.0"?><status><callLegsActive>0</callLegsActive></status>`)
	}
}

func (b *fakeBridge) serveCluster(w http.ResponseWriter, r *http.Request) {
	b.mu.Lock()
	name := b.faults.uniqueName
	b.mu.Unlock()
	switch {
	case !b.authorized(w, r):
	case name == "":
		w.WriteHeader(http.StatusNotFound)
	default:
		fmt.Fprintf(w, `<?xml version="1.0"?><cluster><uniqueName>%s</uniqueName></cluster>`, name)
	}
}

func (b *fakeBridge) serveCallBridges(w http.ResponseWriter, r *http.Request) {
	b.countUp("bridges")
	b.mu.Lock()
	list, found := b.faults.callBridges[r.URL.Query().Get("offset")]
	b.mu.Unlock()
	switch {
	case !b.authorized(w, r):
	case !found:
		w.WriteHeader(http.StatusNotFound)
	default:
		fmt.Fprint(w, `<?xml version="1.0"?>`+list)
	}
}
