// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

// Package apitest plays the API of a Call Bridge for tests: as much of it as
// the project uses, with the errors a real one gives.
package apitest

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
	created   int
	shape     Shape
	requests  []string
}

type receiver struct{ id, uri string }

// Shape is how a server differs from the one of the reference. The zero value is
// the reference's.
type Shape struct {
	// Parameter is the name of the form's parameter for a URI; "" means uri.
	Parameter string
	// IgnoresOthers takes a request without the parameter, and keeps no URI.
	IgnoresOthers bool
	// Element is the name of the element of a URI; "" means uri.
	Element string
	// Show returns the server's representation of a URI that it was given; nil shows it as it
	// is. The text is escaped for XML afterwards.
	Show func(uri string) string
	// ShowID returns the server's representation of an id.
	ShowID func(id string) string
	// Location returns the Location header for a new id; nil means the reference's.
	Location func(id string) string
	// IDsOnly lists ids without URIs; the entries themselves have them.
	IDsOnly bool
	// EmptyElement writes the element of an entry without a URI too.
	EmptyElement bool
	// DetailStatus, if not 0, is the answer to a request for one entry.
	DetailStatus int
	// Single has one receiver and no list, as servers before R1.8.
	Single bool
	// Status, if not 0, is the answer to every request.
	Status int
}

// NewServer starts a server that is closed with the test.
func NewServer(t *testing.T, username, password string) *Server {
	t.Helper()
	s := &Server{username: username, password: password}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /api/v1/system/cdrReceivers", s.unlessSingle(s.list))
	mux.HandleFunc("POST /api/v1/system/cdrReceivers", s.unlessSingle(s.create))
	mux.HandleFunc("GET /api/v1/system/cdrReceivers/{id}", s.unlessSingle(s.detail))
	mux.HandleFunc("PUT /api/v1/system/cdrReceivers/{id}", s.unlessSingle(s.update))
	mux.HandleFunc("GET /api/v1/system/cdrReceiver", s.single)
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

// SetShape changes how the server behaves.
func (s *Server) SetShape(shape Shape) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.shape = shape
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

// SetURI changes an entry, as somebody who enters another URI on the bridge.
func (s *Server) SetURI(entry int, uri string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.receivers[entry].uri = uri
}

// URIs returns the list in its order, with the URIs that the server was given.
func (s *Server) URIs() (uris []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, r := range s.receivers {
		uris = append(uris, r.uri)
	}
	return uris
}

// Requests returns method and path of the requests so far.
func (s *Server) Requests() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.requests)
}

func (s *Server) add(uri string) receiver {
	s.created++
	r := receiver{id: fmt.Sprintf("%08d-000a-4000-8000-00000000000a", s.created), uri: uri}
	s.receivers = append(s.receivers, r)
	return r
}

func (s *Server) authenticated(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Connection", "close")
		user, password, _ := r.BasicAuth()
		s.mu.Lock()
		s.requests = append(s.requests, r.Method+" "+r.URL.Path)
		known, status := user == s.username && password == s.password, s.shape.Status
		s.mu.Unlock()
		switch {
		case !known:
			w.Header().Set("WWW-Authenticate", `Basic realm="acano"`)
			w.WriteHeader(http.StatusUnauthorized)
		case status != 0:
			w.WriteHeader(status)
		default:
			next.ServeHTTP(w, r)
		}
	})
}

func (s *Server) unlessSingle(handle http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		defer s.mu.Unlock()
		if s.shape.Single {
			w.WriteHeader(http.StatusNotFound)
			return
		}
		handle(w, r)
	}
}

func fail(w http.ResponseWriter, status int, reason string) {
	w.Header().Set("Content-Type", "text/xml")
	w.WriteHeader(status)
	fmt.Fprintf(w, `<?xml version="1.0"?><failureDetails><%s/></failureDetails>`, reason)
}

func answer(w http.ResponseWriter, document string) {
	w.Header().Set("Content-Type", "text/xml")
	fmt.Fprint(w, `<?xml version="1.0"?>`+document)
}

func (s *Server) list(w http.ResponseWriter, _ *http.Request) {
	var b strings.Builder
	fmt.Fprintf(&b, `<cdrReceivers total="%d" maximum="%d">`, len(s.receivers), maximum)
	for _, r := range s.receivers {
		b.WriteString(s.element(r, !s.shape.IDsOnly))
	}
	b.WriteString("</cdrReceivers>")
	answer(w, b.String())
}

// element writes an entry.
func (s *Server) element(r receiver, withURI bool) string {
	id, uri, name := r.id, r.uri, orDefault(s.shape.Element, "uri")
	if s.shape.ShowID != nil {
		id = s.shape.ShowID(id)
	}
	if uri != "" && s.shape.Show != nil {
		uri = s.shape.Show(uri)
	}
	var b strings.Builder
	fmt.Fprintf(&b, `<cdrReceiver id="%s">`, id)
	if (uri != "" || s.shape.EmptyElement) && withURI {
		b.WriteString("<" + name + ">")
		_ = xml.EscapeText(&b, []byte(uri)) // a Builder does not fail
		b.WriteString("</" + name + ">")
	}
	b.WriteString("</cdrReceiver>")
	return b.String()
}

func orDefault(text, otherwise string) string {
	if text == "" {
		return otherwise
	}
	return text
}

func (s *Server) create(w http.ResponseWriter, r *http.Request) {
	uri := r.PostFormValue(orDefault(s.shape.Parameter, "uri"))
	switch {
	case uri == "" && !s.shape.IgnoresOthers:
		fail(w, http.StatusBadRequest, "parameterError")
	case len(s.receivers) == maximum:
		fail(w, http.StatusBadRequest, "tooManyCdrReceivers")
	default:
		id := s.add(uri).id
		location := "/api/v1/system/cdrReceivers/" + id
		if s.shape.Location != nil {
			location = s.shape.Location(id)
		}
		if location != "" {
			w.Header().Set("Location", location)
		}
	}
}

func (s *Server) detail(w http.ResponseWriter, r *http.Request) {
	if s.shape.DetailStatus != 0 {
		w.WriteHeader(s.shape.DetailStatus)
		return
	}
	if i := s.entry(r); i >= 0 {
		answer(w, s.element(s.receivers[i], true))
		return
	}
	fail(w, http.StatusNotFound, "cdrReceiverDoesNotExist")
}

func (s *Server) update(w http.ResponseWriter, r *http.Request) {
	uri := r.PostFormValue(orDefault(s.shape.Parameter, "uri"))
	i := s.entry(r)
	switch {
	case i < 0:
		fail(w, http.StatusNotFound, "cdrReceiverDoesNotExist")
	case uri == "" && !s.shape.IgnoresOthers:
		fail(w, http.StatusBadRequest, "parameterError")
	case uri != "":
		s.receivers[i].uri = uri
	}
}

func (s *Server) entry(r *http.Request) int {
	return slices.IndexFunc(s.receivers, func(known receiver) bool { return strings.EqualFold(known.id, r.PathValue("id")) })
}

// single answers with the only receiver of a server that has no list.
func (s *Server) single(w http.ResponseWriter, _ *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.shape.Single {
		w.WriteHeader(http.StatusNotFound)
		return
	}
	only := receiver{}
	if len(s.receivers) > 0 {
		only = s.receivers[0]
	}
	answer(w, s.element(only, true))
}
