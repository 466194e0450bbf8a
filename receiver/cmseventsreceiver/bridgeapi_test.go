// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package cmseventsreceiver

import (
	"fmt"
	"net/http"
)

// The API of the bridge that tests play.

func (b *bridge) authorized(w http.ResponseWriter, r *http.Request) bool {
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

func (b *bridge) token(w http.ResponseWriter, r *http.Request) {
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
	b.made++
	token := fmt.Sprintf("token-%d", b.made)
	b.tokens[token] = !b.faults.expired
	w.Header().Set("X-Cisco-CMS-Auth-Token", token)
}

func (b *bridge) status(w http.ResponseWriter, r *http.Request) {
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

func (b *bridge) cluster(w http.ResponseWriter, r *http.Request) {
	b.mu.Lock()
	name := b.faults.name
	b.mu.Unlock()
	switch {
	case !b.authorized(w, r):
	case name == "":
		w.WriteHeader(http.StatusNotFound)
	default:
		fmt.Fprintf(w, `<?xml version="1.0"?><cluster><uniqueName>%s</uniqueName></cluster>`, name)
	}
}

func (b *bridge) callBridges(w http.ResponseWriter, r *http.Request) {
	b.note("bridges")
	b.mu.Lock()
	list, found := b.faults.bridges[r.URL.Query().Get("offset")]
	b.mu.Unlock()
	switch {
	case !b.authorized(w, r):
	case !found:
		w.WriteHeader(http.StatusNotFound)
	default:
		fmt.Fprint(w, `<?xml version="1.0"?>`+list)
	}
}
