// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package events

import (
	"encoding/xml"
	"net/http"
	"slices"
)

// maxReceivers is the largest number of CDR receivers of a bridge.
const maxReceivers = 4

// replacementReceiver is the only registered receiver after the fault Elsewhere.
const replacementReceiver = "http://another-server.example.test/cdr"

type receiverObject struct {
	XMLName xml.Name `xml:"cdrReceiver"`
	ID      string   `xml:"id,attr"`
	URI     string   `xml:"uri,omitempty"`
}

type receiversObject struct {
	XMLName xml.Name         `xml:"cdrReceivers"`
	Total   int              `xml:"total,attr"`
	Maximum int              `xml:"maximum,attr"`
	List    []receiverObject `xml:"cdrReceiver"`
}

// Receivers returns the URIs that clients registered at a bridge. gone means that another
// server replaced them all.
func (c *Cluster) Receivers(bridge int) (uris []string, gone bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	s := c.servers[bridge]
	if s.receiverReplaced() {
		return nil, true
	}
	for _, r := range s.receivers {
		if r.URI != "" {
			uris = append(uris, r.URI)
		}
	}
	return uris, false
}

// receiverReplaced reports whether the fault Elsewhere has happened.
func (s *server) receiverReplaced() bool { return s.cluster.isPast(s.cluster.opts.Faults.Elsewhere) }

// listedReceivers returns the receivers as the API lists them.
func (s *server) listedReceivers() []receiverObject {
	if s.receiverReplaced() {
		return []receiverObject{{ID: s.hostID, URI: replacementReceiver}}
	}
	return s.receivers
}

// serveReceivers serves the collection of CDR receivers; a POST with a uri adds one.
func (s *server) serveReceivers(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodPost {
		s.serveObject(w, r, func(*http.Request) any {
			list := s.listedReceivers()
			return receiversObject{Total: len(list), Maximum: maxReceivers, List: list}
		})
		return
	}
	s.change(w, r, func() (status int, reason string) {
		switch {
		case !r.PostForm.Has("uri"):
			return http.StatusBadRequest, "parameterError"
		case len(s.receivers) >= maxReceivers:
			return http.StatusBadRequest, "tooManyCdrReceivers"
		}
		id := s.cluster.guid()
		s.receivers = append(s.receivers, receiverObject{ID: id, URI: r.PostForm.Get("uri")})
		w.Header().Set("Location", "/api/v1/system/cdrReceivers/"+id)
		return http.StatusOK, ""
	})
}

// serveReceiver serves one CDR receiver. An empty uri leaves an entry that still takes a
// place.
func (s *server) serveReceiver(w http.ResponseWriter, r *http.Request) {
	id := r.PathValue("id")
	find := func(list []receiverObject) int {
		return slices.IndexFunc(list, func(o receiverObject) bool { return o.ID == id })
	}
	if r.Method == http.MethodGet {
		s.serveObject(w, r, func(*http.Request) any {
			if at := find(s.listedReceivers()); at >= 0 {
				return s.listedReceivers()[at]
			}
			return noSuch("cdrReceiver")
		})
		return
	}
	s.change(w, r, func() (status int, reason string) {
		at := find(s.receivers)
		switch {
		case at < 0:
			return http.StatusNotFound, "cdrReceiverDoesNotExist"
		case r.Method == http.MethodDelete:
			s.receivers = slices.Delete(s.receivers, at, at+1)
		case r.Method == http.MethodPut && r.PostForm.Has("uri"):
			s.receivers[at].URI = r.PostForm.Get("uri")
		case r.Method != http.MethodPut:
			return http.StatusMethodNotAllowed, ""
		}
		return http.StatusOK, ""
	})
}

// change answers a request that changes state; it calls do with the lock held.
func (s *server) change(w http.ResponseWriter, r *http.Request, do func() (status int, reason string)) {
	if !s.checkLogin(w, r) {
		return
	}
	if r.ParseForm() != nil {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	s.cluster.mu.Lock()
	defer s.cluster.mu.Unlock()
	if s.spoil(w) {
		return
	}
	status, reason := do()
	w.WriteHeader(status)
	if reason != "" {
		_, _ = w.Write([]byte("<failureDetails><" + reason + "/></failureDetails>")) // a client that left needs no answer
	}
}
