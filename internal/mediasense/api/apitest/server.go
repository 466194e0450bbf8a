// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

// Package apitest plays the API of a MediaSense server for tests: as much
// of it as the project uses, with the errors a real one gives.
package apitest

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
)

// Subscription is one that the server has.
type Subscription struct {
	ID, URI, TagNameRegex string
	Filters               []string
	Active                bool
}

// Server is the API of a MediaSense server.
type Server struct {
	server *httptest.Server

	mu            sync.Mutex // guards everything below
	username      string
	password      string
	old           bool
	session       string
	made          int
	subscriptions []Subscription
	codes         []int // to answer the next calls with, whatever they are
	requests      []string
	bodies        []string
}

// NewServer starts a server that is closed with the test.
func NewServer(tb testing.TB, username, password string) *Server {
	tb.Helper()
	s := &Server{username: username, password: password}
	s.server = httptest.NewServer(http.HandlerFunc(s.serve))
	tb.Cleanup(s.Close)
	return s
}

// URL is the server's endpoint.
func (s *Server) URL() string { return s.server.URL }

// Close stops the server.
func (s *Server) Close() { s.server.Close() }

// SetOld makes it a server of before 10.0, which has the old calls only.
func (s *Server) SetOld() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.old = true
}

// SetPassword changes the password the server asks for.
func (s *Server) SetPassword(password string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.password = password
}

// Restart ends all sessions and forgets all subscriptions.
func (s *Server) Restart() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.session, s.subscriptions = "", nil
}

// EndSession ends the session, as half an hour of silence would.
func (s *Server) EndSession() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.session = ""
}

// Deactivate makes all subscriptions inactive.
func (s *Server) Deactivate() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := range s.subscriptions {
		s.subscriptions[i].Active = false
	}
}

// Answer makes the next calls be answered with these response codes; 0 is the
// server's own answer.
func (s *Server) Answer(codes ...int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.codes = codes
}

// Subscriptions returns the subscriptions of the server.
func (s *Server) Subscriptions() []Subscription {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.subscriptions)
}

// SignedIn reports whether there is a session.
func (s *Server) SignedIn() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.session != ""
}

// Requests returns the names of the calls so far, and Bodies the posted bodies.
func (s *Server) Requests() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.requests)
}

// Bodies returns the bodies posted so far.
func (s *Server) Bodies() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.bodies)
}

type parameters struct {
	Username, Password  string
	SubscriptionURI     string   `json:"subscriptionUri"`
	SubscriptionID      string   `json:"subscriptionId"`
	SubscriptionFilters []string `json:"subscriptionFilters"`
	TagNameRegex        string   `json:"tagNameRegEx"`
}

func (s *Server) serve(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Connection", "close")
	var body struct{ RequestParameters parameters }
	var raw json.RawMessage
	if r.Method != http.MethodPost || json.NewDecoder(r.Body).Decode(&raw) != nil || json.Unmarshal(raw, &body) != nil {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	path, p := r.URL.Path, &body.RequestParameters
	call := path[strings.LastIndexByte(path, '/')+1:]
	s.requests, s.bodies = append(s.requests, call), append(s.bodies, string(raw))
	if len(s.codes) > 0 {
		code := s.codes[0]
		s.codes = s.codes[1:]
		switch {
		case code >= 1000:
			answer(w, code, "Failure: scripted.", "")
			return
		case code > 0:
			w.WriteHeader(code)
			return
		}
	}
	switch path {
	case "/ora/authenticationService/authentication/signIn":
		s.signIn(w, p)
		return
	case "/ora/authenticationService/authentication/signOut":
		s.session = ""
		answer(w, 2000, "", "")
		return
	}
	cookie, err := r.Cookie("JSESSIONID")
	if err != nil || s.session == "" || cookie.Value != s.session || r.Header.Get("JSESSIONID") != s.session {
		answer(w, 4021, "Failure: Invalid session.", "")
		return
	}
	s.event(w, path, p)
}

// event are the calls that need a session.
func (s *Server) event(w http.ResponseWriter, path string, p *parameters) {
	switch path {
	case "/ora/eventService/event/subscribeToEvents":
		if s.old {
			w.WriteHeader(http.StatusNotFound)
			return
		}
		s.subscribe(w, p)
	case "/ora/eventService/event/subscribeRecordingEvent":
		if i := s.find(func(known Subscription) bool { return known.URI == p.SubscriptionURI }); i >= 0 {
			answer(w, 4061, "Failure: A subscription with this URI already exists, id: "+s.subscriptions[i].ID, "")
			return
		}
		s.subscribe(w, p)
	case "/ora/eventService/event/verifyRecordingSubscription":
		i := s.find(func(known Subscription) bool { return known.ID == p.SubscriptionID })
		switch {
		case i < 0:
			answer(w, 4062, "Failure: Unknown subscription.", "")
		case s.subscriptions[i].Active:
			answer(w, 2000, "", `{"subscriptionStatus":"ACTIVE"}`)
		default:
			answer(w, 2000, "", `{"subscriptionStatus":"INACTIVE"}`)
		}
	case "/ora/eventService/event/unsubscribeFromEvents", "/ora/eventService/event/unsubscribeRecordingEvent":
		s.subscriptions = slices.DeleteFunc(s.subscriptions, func(known Subscription) bool { return known.ID == p.SubscriptionID })
		answer(w, 2000, "", "")
	default:
		w.WriteHeader(http.StatusNotFound)
	}
}

func (s *Server) find(match func(Subscription) bool) int {
	return slices.IndexFunc(s.subscriptions, match)
}

func (s *Server) signIn(w http.ResponseWriter, p *parameters) {
	if p.Username != s.username || p.Password != s.password {
		answer(w, 4020, "Failure: Invalid credentials of "+p.Username+" with "+p.Password, "")
		return
	}
	s.made++
	s.session = fmt.Sprintf("SESSION%d", s.made)
	http.SetCookie(w, &http.Cookie{Name: "JSESSIONID", Value: s.session, Path: "/ora", HttpOnly: true, Secure: true, SameSite: http.SameSiteLaxMode})
	answer(w, 2000, "Success: Your request was successfully completed.", "")
}

func (s *Server) subscribe(w http.ResponseWriter, p *parameters) {
	fresh := Subscription{URI: p.SubscriptionURI, Filters: p.SubscriptionFilters, TagNameRegex: p.TagNameRegex, Active: true}
	if i := s.find(func(known Subscription) bool { return known.URI == fresh.URI }); i >= 0 {
		known := &s.subscriptions[i]
		fresh.ID = known.ID
		identical := known.Active && slices.Equal(known.Filters, fresh.Filters) && known.TagNameRegex == fresh.TagNameRegex
		*known = fresh
		if identical {
			answer(w, 2005, "Success: The subscription is identical.", fmt.Sprintf(`{"subscriptionId":%q}`, fresh.ID))
			return
		}
	} else {
		s.made++
		fresh.ID = fmt.Sprintf("s-%d", 3000+s.made)
		s.subscriptions = append(s.subscriptions, fresh)
	}
	answer(w, 2000, "Success: Your request was successfully completed.", fmt.Sprintf(`{"subscriptionId":%q}`, fresh.ID))
}

func answer(w http.ResponseWriter, code int, message, body string) {
	w.Header().Set("Content-Type", "application/json")
	text, err := json.Marshal(message)
	if err != nil {
		w.WriteHeader(http.StatusInternalServerError)
		return
	}
	if body != "" {
		body = `,"responseBody":` + body
	}
	fmt.Fprintf(w, `{"responseCode":%d,"responseMessage":%s%s}`, code, text, body)
}
