// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package mediasense

import (
	"crypto/subtle"
	"encoding/json"
	"io"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"time"
)

// apiSession is a session of the API.
type apiSession struct{ lastUsed time.Time }

const (
	// sessionLife is how long an API session may be idle.
	sessionLife = 30 * time.Minute
	// manySessions is more than a client needs; those of a client that crashed
	// stay until they expire.
	manySessions = 8
	// backoff is the least pause after error 5042.
	backoff = 50 * time.Millisecond
	// maxKnown bounds the sessions remembered.
	maxKnown = 10_000
)

// Response codes. Those marked with a star are invented: the guides name the case, not the
// code.
const (
	codeGood           = 2000
	codeIdentical      = 2005
	codeInvalidSession = 4021
	codeBadParameters  = 4000 // *
	codeBadLogin       = 4020 // *
	codeSubscribed     = 4061 // *
	codeNoSubscription = 4062 // *
	codeBusy           = 5042
)

var messages = map[int]string{
	codeGood:           "Success: Your request was successfully completed.",
	codeIdentical:      "Success: The subscription already exists.",
	codeInvalidSession: "Failure: Invalid session.",
	codeBadParameters:  "Failure: Invalid or missing parameters.",
	codeBadLogin:       "Failure: Invalid username or password.",
	codeSubscribed:     "Failure: The subscription already exists.",
	codeNoSubscription: "Failure: The subscription does not exist.",
	codeBusy:           "Failure: The system has exceeded the maximum number of concurrent requests. Try again later.",
}

// parameters of all requests.
type parameters struct {
	Username            string   `json:"username"`
	Password            string   `json:"password"`
	SubscriptionType    string   `json:"subscriptionType"`
	SubscriptionURI     string   `json:"subscriptionUri"`
	SubscriptionFilters []string `json:"subscriptionFilters"`
	TagNameRegEx        string   `json:"tagNameRegEx"`
	SubscriptionID      string   `json:"subscriptionId"`
}

// request is a request to the API, with the lock held.
type request struct {
	parameters
	server  *server
	session string
	header  http.Header // of the answer
}

// call handles one API call. It returns the response code and further members of the
// response.
type call func(r *request) (code int, more object)

// api is the part of the API a subscriber needs.
func (s *server) api() http.Handler {
	mux := http.NewServeMux()
	handle := func(path string, signedIn bool, f call) { mux.HandleFunc(path, s.handler(signedIn, f)) }
	handle("/ora/authenticationService/authentication/signIn", false, (*request).signIn)
	handle("/ora/authenticationService/authentication/signOut", true, (*request).signOut)
	const events = "/ora/eventService/event/"
	if !s.cluster.opts.Faults.Old {
		handle(events+"subscribeToEvents", true, (*request).subscribe)
		handle(events+"unsubscribeFromEvents", true, (*request).unsubscribe)
	}
	handle(events+"subscribeRecordingEvent", true, (*request).subscribeOld)
	handle(events+"verifyRecordingSubscription", true, (*request).verify)
	handle(events+"unsubscribeRecordingEvent", true, (*request).unsubscribe)
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		s.cluster.mu.Lock()
		defer s.cluster.mu.Unlock()
		if !s.cluster.opts.Faults.Old || !strings.HasPrefix(r.URL.Path, events) {
			s.recordMisuse(UnknownPath, "%q", r.URL.Path)
		}
		w.WriteHeader(http.StatusNotFound)
	})
	return mux
}

// handler returns the common part of all calls.
func (s *server) handler(signedIn bool, f call) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, 1<<20))
		if err != nil {
			return // a client that left needs no answer
		}
		s.cluster.mu.Lock()
		defer s.cluster.mu.Unlock()
		if s.outages != 0 { // it is on its way down
			w.Header().Set("Connection", "close")
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		if r.Method != http.MethodPost {
			s.recordMisuse(BadMethod, "%s %s", r.Method, r.URL.Path)
			w.WriteHeader(http.StatusMethodNotAllowed)
			return
		}
		code, more := s.answer(r, w.Header(), body, signedIn, f)
		w.Header().Set("Content-Type", "application/json")
		out := append(object{{"responseCode", int64(code)}, {"responseMessage", messages[code]}}, more...)
		_, _ = w.Write(out.text()) //nolint:gosec // it is JSON, and a client that left needs no answer
	}
}

func (s *server) answer(r *http.Request, header http.Header, body []byte, signedIn bool, f call) (int, object) {
	if s.busy {
		s.account.Busy++
		if time.Since(s.lastBusyAnswer) < backoff {
			s.recordMisuse(NoBackoff, "%s", r.URL.Path)
		}
		s.lastBusyAnswer = time.Now()
		return codeBusy, nil
	}
	req := &request{server: s, header: header}
	if signedIn {
		if req.session = s.session(r); req.session == "" {
			s.account.InvalidSessions++
			return codeInvalidSession, nil
		}
	}
	var envelope struct {
		RequestParameters *parameters `json:"requestParameters"`
	}
	if len(strings.TrimSpace(string(body))) > 0 {
		if err := json.Unmarshal(body, &envelope); err != nil {
			s.recordMisuse(Malformed, "%s: %v", r.URL.Path, err)
			return codeBadParameters, nil
		}
	}
	if envelope.RequestParameters != nil {
		req.parameters = *envelope.RequestParameters
	}
	return f(req)
}

// session returns the good session of a request, empty when there is none. It is
// named by a header or by a cookie.
func (s *server) session(r *http.Request) string {
	s.expire()
	id := r.Header.Get("JSESSIONID")
	if cookie, err := r.Cookie("JSESSIONID"); id == "" && err == nil {
		id = cookie.Value
	}
	if l := s.sessions[id]; l != nil {
		l.lastUsed = time.Now()
		return id
	}
	switch {
	case id == "":
		s.recordMisuse(NoSession, "%s", r.URL.Path)
	case !s.knownSessions[id]:
		s.recordMisuse(UnknownSession, "%s", r.URL.Path)
	case s.expiredSessions[id] && strings.HasSuffix(r.URL.Path, "/signOut"):
		// Nothing is wrong with making sure that the session is gone.
	case s.expiredSessions[id]:
		s.recordMisuse(DeadSession, "%s", r.URL.Path)
	default:
		s.expiredSessions[id] = true
	}
	return ""
}

// expire forgets the sessions that were idle for too long.
func (s *server) expire() {
	life := s.cluster.opts.Faults.Expire
	if life == 0 {
		life = sessionLife
	}
	for id, l := range s.sessions {
		if time.Since(l.lastUsed) >= life {
			delete(s.sessions, id)
		}
	}
}

func (r *request) signIn() (int, object) {
	s, o := r.server, r.server.cluster.opts
	if subtle.ConstantTimeCompare([]byte(r.Username+"\x00"+r.Password), []byte(o.User+"\x00"+o.Password)) != 1 {
		s.recordMisuse(BadLogin, "wrong credentials")
		return codeBadLogin, nil
	}
	s.expire()
	if len(s.sessions) >= manySessions {
		s.recordMisuse(ManySessions, "%d are good", len(s.sessions))
	}
	if len(s.knownSessions) >= maxKnown {
		clear(s.knownSessions)
		clear(s.expiredSessions)
	}
	id := strings.ToUpper(strings.ReplaceAll(s.cluster.dice.GUID(), "-", ""))
	s.sessions[id], s.knownSessions[id] = &apiSession{lastUsed: time.Now()}, true
	s.account.SignIns++
	s.account.MostSessions = max(s.account.MostSessions, len(s.sessions))
	r.header["JSESSIONID"] = []string{id} // spelt as MediaSense does
	cookie := "JSESSIONID=" + id + "; Path=/ora; HttpOnly"
	if o.TLS != nil {
		cookie += "; Secure"
	}
	r.header.Add("Set-Cookie", cookie)
	return codeGood, nil
}

func (r *request) signOut() (int, object) {
	delete(r.server.sessions, r.session)
	r.server.account.SignOuts++
	return codeGood, nil
}

// subscribe is subscribeToEvents: one subscription for each URI, whose filters
// can be replaced.
func (r *request) subscribe() (int, object) {
	s := r.server
	wanted, code := r.parseSubscription()
	if code != 0 {
		return code, nil
	}
	code = codeGood
	sub := s.find(func(x *subscription) bool { return x.uri == wanted.uri })
	switch {
	case sub == nil:
		sub = wanted
		s.account.Subscribed["subscribeToEvents"]++
		s.subscribe(sub)
	case !sub.firstRelease && sub.same(wanted):
		code = codeIdentical
		s.countIdentical(r, sub)
	default:
		s.account.Replaced++
		sub.filters, sub.tags, sub.firstRelease = wanted.filters, wanted.tags, false
	}
	sub.session = r.session
	body := object{{"subscriptionId", sub.id}, {"subscriptionFilters", sub.filters}}
	if r.TagNameRegEx != "" {
		body = append(body, member{"tagNameRegEx", r.TagNameRegEx})
	}
	return code, object{{"responseBody", body}}
}

// countIdentical counts a request for an existing subscription. It is a misuse within one
// session; after a new sign-in a client cannot know the subscription.
func (s *server) countIdentical(r *request, sub *subscription) {
	s.account.Identical++
	if sub.session == r.session {
		s.recordMisuse(NeedlessSubscription, "%q", sub.uri)
	}
}

// parseSubscription reads the subscription asked for; the code is 0 when it is in order.
func (r *request) parseSubscription() (*subscription, int) {
	s := r.server
	sub := &subscription{uri: r.SubscriptionURI, filters: r.SubscriptionFilters}
	if r.SubscriptionType != "http" || !strings.HasPrefix(sub.uri, "http://") {
		s.recordMisuse(Malformed, "subscription of type %q to %q", r.SubscriptionType, sub.uri)
		return nil, codeBadParameters
	}
	for _, name := range sub.filters {
		if filters[name] == nil {
			s.recordMisuse(UnknownFilter, "%q", name)
			return nil, codeBadParameters
		}
	}
	if len(sub.filters) == 0 {
		sub.filters = []string{"RECORDING_EVENTS", "TAG_EVENTS", "STORAGE_EVENTS", "CLEANUP_EVENTS"}
	}
	if r.TagNameRegEx != "" {
		var err error
		if sub.tags, err = regexp.Compile("^(?:" + r.TagNameRegEx + ")$"); err != nil {
			s.recordMisuse(Malformed, "tagNameRegEx %q", r.TagNameRegEx)
			return nil, codeBadParameters
		}
	}
	sub.id = "s-" + s.cluster.dice.GUID()[:8]
	return sub, 0
}

func (sub *subscription) same(other *subscription) bool {
	one, two := slices.Clone(sub.filters), slices.Clone(other.filters)
	slices.Sort(one)
	slices.Sort(two)
	pattern := func(x *regexp.Regexp) string {
		if x == nil {
			return ""
		}
		return x.String()
	}
	return slices.Equal(slices.Compact(one), slices.Compact(two)) && pattern(sub.tags) == pattern(other.tags)
}

// subscribeOld is subscribeRecordingEvent of the first release: everything, and
// a second request for a URI is an error that names the first.
func (r *request) subscribeOld() (int, object) {
	s := r.server
	r.SubscriptionFilters, r.TagNameRegEx = nil, ""
	wanted, code := r.parseSubscription()
	if code != 0 {
		return code, nil
	}
	if sub := s.find(func(x *subscription) bool { return x.uri == wanted.uri }); sub != nil {
		s.countIdentical(r, sub)
		sub.session = r.session
		return codeSubscribed, object{{"detail", "subscriptionUri is in use"}, {"subscriptionId", sub.id}}
	}
	wanted.firstRelease, wanted.filters, wanted.session = true, nil, r.session
	s.account.Subscribed["subscribeRecordingEvent"]++
	s.subscribe(wanted)
	return codeGood, object{{"subscriptionId", wanted.id}}
}

func (r *request) verify() (int, object) {
	if r.SubscriptionID == "" {
		r.server.recordMisuse(Malformed, "verifyRecordingSubscription without subscriptionId")
		return codeBadParameters, nil
	}
	r.server.account.Verified++
	state := "INACTIVE"
	if r.server.find(func(x *subscription) bool { return x.id == r.SubscriptionID }) != nil {
		state = "ACTIVE"
	}
	return codeGood, object{{"subscriptionStatus", state}}
}

// unsubscribe ends a subscription, or some of its filters.
func (r *request) unsubscribe() (int, object) {
	s := r.server
	sub := s.find(func(x *subscription) bool { return x.id == r.SubscriptionID })
	if sub == nil {
		return codeNoSubscription, nil
	}
	left := slices.DeleteFunc(slices.Clone(sub.filters), func(name string) bool { return slices.Contains(r.SubscriptionFilters, name) })
	if len(r.SubscriptionFilters) > 0 && len(left) > 0 {
		sub.filters = left
		return codeGood, object{{"responseBody", object{{"subscriptionFilters", left}}}}
	}
	s.account.Unsubscribed++
	s.unsubscribe(sub)
	return codeGood, nil
}
