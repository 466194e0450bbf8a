// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

// Package cmsapitest plays the API of a Call Bridge for tests: as much of it as
// the project uses, with the errors a real one gives.
package cmsapitest

import (
	"encoding/xml"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
)

// maximum is how many CDR receivers a Call Bridge has.
const maximum = 4

// Server is a Call Bridge's API.
type Server struct {
	server *httptest.Server

	mu        sync.Mutex // guards everything below
	username  string
	password  string
	receivers []receiver
	made      int
	parameter string
	requests  []string
}

type receiver struct{ id, uri string }

// NewServer starts a server that is closed with the test.
func NewServer(t *testing.T, username, password string) *Server {
	t.Helper()
	s := &Server{username: username, password: password, parameter: "uri"}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /api/v1/system/cdrReceivers", s.list)
	mux.HandleFunc("POST /api/v1/system/cdrReceivers", s.create)
	mux.HandleFunc("PUT /api/v1/system/cdrReceivers/{id}", s.update)
	s.server = httptest.NewServer(s.authenticated(mux))
	t.Cleanup(s.Close)
	return s
}

// URL is the server's endpoint.
func (s *Server) URL() string { return s.server.URL }

// Close stops the server.
func (s *Server) Close() { s.server.Close() }

// SetPassword changes the password the server asks for.
func (s *Server) SetPassword(password string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.password = password
}

// SetParameter changes the name of the form's parameter the server takes.
func (s *Server) SetParameter(name string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.parameter = name
}

// SetURIs replaces the list; "" is an empty place.
func (s *Server) SetURIs(uris ...string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.receivers = nil
	for _, uri := range uris {
		s.add(uri)
	}
}

// URIs returns the list in its order.
func (s *Server) URIs() (uris []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, r := range s.receivers {
		uris = append(uris, r.uri)
	}
	return uris
}

// Requests returns method and path of what was asked so far.
func (s *Server) Requests() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.requests)
}

func (s *Server) add(uri string) receiver {
	s.made++
	r := receiver{id: fmt.Sprintf("%08d-0000-4000-8000-000000000000", s.made), uri: uri}
	s.receivers = append(s.receivers, r)
	return r
}

func (s *Server) authenticated(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Connection", "close")
		user, password, _ := r.BasicAuth()
		s.mu.Lock()
		s.requests = append(s.requests, r.Method+" "+r.URL.Path)
		known := user == s.username && password == s.password
		s.mu.Unlock()
		if !known {
			w.Header().Set("WWW-Authenticate", `Basic realm="acano"`)
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		next.ServeHTTP(w, r)
	})
}

func fail(w http.ResponseWriter, status int, reason string) {
	w.Header().Set("Content-Type", "text/xml")
	w.WriteHeader(status)
	fmt.Fprintf(w, `<?xml version="1.0"?><failureDetails><%s/></failureDetails>`, reason)
}

func (s *Server) list(w http.ResponseWriter, _ *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var b strings.Builder
	fmt.Fprintf(&b, `<?xml version="1.0"?><cdrReceivers total="%d" maximum="%d">`, len(s.receivers), maximum)
	for _, r := range s.receivers {
		fmt.Fprintf(&b, `<cdrReceiver id="%s">`, r.id)
		if r.uri != "" {
			b.WriteString("<uri>")
			_ = xml.EscapeText(&b, []byte(r.uri)) // a Builder does not fail
			b.WriteString("</uri>")
		}
		b.WriteString("</cdrReceiver>")
	}
	b.WriteString("</cdrReceivers>")
	w.Header().Set("Content-Type", "text/xml")
	fmt.Fprint(w, b.String())
}

func (s *Server) create(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	uri := r.PostFormValue(s.parameter)
	switch {
	case uri == "":
		fail(w, http.StatusBadRequest, "parameterError")
	case len(s.receivers) == maximum:
		fail(w, http.StatusBadRequest, "tooManyCdrReceivers")
	default:
		w.Header().Set("Location", "/api/v1/system/cdrReceivers/"+s.add(uri).id)
	}
}

func (s *Server) update(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	uri := r.PostFormValue(s.parameter)
	i := slices.IndexFunc(s.receivers, func(known receiver) bool { return known.id == r.PathValue("id") })
	switch {
	case i < 0:
		fail(w, http.StatusNotFound, "cdrReceiverDoesNotExist")
	case uri == "":
		fail(w, http.StatusBadRequest, "parameterError")
	default:
		s.receivers[i].uri = uri
	}
}
