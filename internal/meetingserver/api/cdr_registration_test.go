// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package api_test

import (
	"fmt"
	"html"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/legato-otel/legato/internal/meetingserver/api"
	"github.com/legato-otel/legato/internal/meetingserver/api/apitest"
)

const (
	own     = "http://otel.example.test:8444/cdr?system_id=cms1"
	foreign = "https://cmm.example.test/meetings/cdr/1/?token=x"
	// neighbour is another Collector behind the same address.
	neighbour = "http://otel.example.test:8444/cdr?system_id=cms2"
)

// rounds is how often a registration is looked after in these tests: enough to
// fill a list of four, if each round added an entry.
const rounds = 6

func register(t *testing.T, bridge *apitest.Server, uri string) *api.CDRRegistration {
	t.Helper()
	registration, err := newClient(t, bridge.URL(), "").NewCDRRegistration(uri)
	require.NoError(t, err)
	return registration
}

func ensure(t *testing.T, registration *api.CDRRegistration) api.Registration {
	t.Helper()
	done, err := registration.Ensure(t.Context())
	require.NoError(t, err)
	return done
}

func TestRegister(t *testing.T) {
	f := func(before []string, did api.Change, after []string) {
		t.Helper()
		bridge := apitest.NewServer(t, "events", "correct-horse")
		bridge.SetURIs(before...)
		registration := register(t, bridge, own)
		assert.Equal(t, did, ensure(t, registration).Change)
		assert.Equal(t, after, bridge.URIs())
		for range rounds {
			assert.Equal(t, api.Present, ensure(t, registration).Change, "idempotent")
			assert.Equal(t, api.Present, ensure(t, register(t, bridge, own)).Change, "after a restart too")
		}
		assert.Equal(t, after, bridge.URIs())
	}
	f(nil, api.Created, []string{own})
	f([]string{foreign}, api.Created, []string{foreign, own})
	f([]string{own, foreign}, api.Present, []string{own, foreign})
	f([]string{foreign, neighbour}, api.Created, []string{foreign, neighbour, own})
	f([]string{foreign, "", foreign, foreign}, api.Updated, []string{foreign, own, foreign, foreign})
	f([]string{"", neighbour}, api.Updated, []string{own, neighbour})
	f([]string{"", own}, api.Present, []string{"", own})
	f([]string{"https://otel.example.test:8444/cdr", "http://otel.example.test/cdr", "http://otel.example.test:8444/x"}, api.Created,
		[]string{"https://otel.example.test:8444/cdr", "http://otel.example.test/cdr", "http://otel.example.test:8444/x", own})
}

// Entries that an older release made of one URI are ours: none is added.
func TestRegisterAmongDuplicates(t *testing.T) {
	bridge := apitest.NewServer(t, "events", "correct-horse")
	before := []string{strings.ToUpper(own[:30]) + own[30:], own + " ", strings.Replace(own, "/cdr", "/cdr/", 1)}
	bridge.SetURIs(before...)
	done := ensure(t, register(t, bridge, own))
	assert.Equal(t, api.Registration{Change: api.Present, Others: 2}, done)
	assert.Equal(t, before, bridge.URIs())
}

// Whatever a server makes of the URI, it has one entry of ours in the end. Those
// that are one URI after normalization are found by another Collector too; the
// others by the id, or by the text that the server made of the URI.
func TestServersThatMangle(t *testing.T) {
	replace := func(from, to string) func(string) string {
		return func(uri string) string { return strings.Replace(uri, from, to, 1) }
	}
	type shape = apitest.Shape
	reads := 0
	for name, c := range map[string]struct {
		uri     string
		shape   shape
		altered bool // it cannot be recognized by its URI
	}{
		"host in lower case":         {"http://OTel.Example.Test:8444/cdr?system_id=cms1", shape{Show: strings.ToLower}, false},
		"scheme and host in capital": {own, shape{Show: func(uri string) string { return strings.ToUpper(uri[:24]) + uri[24:] }}, false},
		"default port added":         {"http://otel.example.test/cdr?system_id=cms1", shape{Show: replace(".test/", ".test:80/")}, false},
		"default port removed":       {"https://otel.example.test:443/cdr", shape{Show: replace(":443", "")}, false},
		"white space":                {own, shape{Show: func(uri string) string { return "\n\t " + uri[:20] + "\n  " + uri[20:] + " \n" }}, false},
		"slash added":                {"http://otel.example.test:8444/cdr", shape{Show: func(uri string) string { return uri + "/" }}, false},
		"slash before the query":     {own, shape{Show: replace("/cdr?", "/cdr/?")}, false},
		"slash removed":              {"http://otel.example.test:8444/", shape{Show: func(uri string) string { return strings.TrimSuffix(uri, "/") }}, false},
		"escaped for XML twice":      {own + "&a=1&b=2", shape{Show: html.EscapeString}, false},
		"escaped for XML thrice":     {own + "&a=1", shape{Show: func(uri string) string { return html.EscapeString(html.EscapeString(uri)) }}, false},
		"percent-escapes decoded":    {"http://otel.example.test/a%20b/cdr?system_id=cms%201", shape{Show: func(uri string) string { plain, _ := url.PathUnescape(uri); return plain }}, false},
		"percent-escapes added":      {own, shape{Show: replace("cms1", "cm%731")}, false},
		"all of it percent-escaped":  {own, shape{Show: url.QueryEscape}, false},
		"pairs of the query sorted":  {"http://otel.example.test/cdr?b=2&a=1", shape{Show: func(string) string { return "http://otel.example.test/cdr?a=1&b=2" }}, false},
		"IPv6 written in full":       {"http://[2001:db8::1]:8444/cdr", shape{Show: replace("[2001:db8::1]", "[2001:0DB8:0:0:0:0:0:0001]")}, false},
		"dot behind the host":        {own, shape{Show: replace(".test", ".test.")}, false},
		"element url":                {own, shape{Element: "url"}, false},
		"parameter url":              {own, shape{Parameter: "url", Element: "url"}, false},
		"uri is ignored":             {own, shape{Parameter: "url", IgnoresOthers: true}, false},
		"ids alone are listed":       {own, shape{IDsOnly: true}, false},
		"ids in capitals":            {own, shape{ShowID: strings.ToUpper}, false},
		"ids in braces":              {own, shape{ShowID: func(id string) string { return "{" + id + "}" }}, false},
		"no location":                {own, shape{Location: func(string) string { return "" }}, false},
		"location is a URL":          {own, shape{Show: replace("otel", "192"), Location: func(id string) string { return "https://cms1:445/api/v1/system/cdrReceivers/" + id + "/" }}, true},
		"location is the list":       {own, shape{Show: replace("otel", "192"), Location: func(string) string { return "/api/v1/system/cdrreceivers" }}, true},
		"host resolved":              {own, shape{Show: replace("otel.example.test", "192.0.2.7")}, true},
		"query dropped":              {own, shape{Show: func(uri string) string { before, _, _ := strings.Cut(uri, "?"); return before }}, true},
		"cut off":                    {own, shape{Show: func(uri string) string { return uri[:12] }}, true},
		"masked":                     {own, shape{Show: func(string) string { return "********" }}, true},
		"masked, without location":   {own, shape{Show: func(string) string { return "********" }, Location: func(string) string { return "" }}, true},
		"all in lower case":          {"http://otel.example.test/CDR?token=AbC", shape{Show: strings.ToLower}, true},
		"another text each time":     {own, shape{Show: func(string) string { reads++; return fmt.Sprint("receiver ", reads) }}, true},
	} {
		t.Run(name, func(t *testing.T) {
			bridge := apitest.NewServer(t, "events", "correct-horse")
			bridge.SetShape(c.shape)
			registration := register(t, bridge, c.uri)
			assert.Equal(t, api.Registration{Change: api.Created, Altered: c.altered}, ensure(t, registration))
			require.Equal(t, []string{c.uri}, bridge.URIs())
			for range rounds {
				done := ensure(t, registration)
				assert.Equal(t, api.Present, done.Change)
				assert.Equal(t, c.altered, done.Altered)
				registration = restarted(t, bridge, registration, c.uri)
				if !c.altered {
					assert.Equal(t, api.Present, ensure(t, register(t, bridge, c.uri)).Change, "after a restart")
				}
			}
			assert.Equal(t, []string{c.uri}, bridge.URIs())

			bridge.SetURIs()
			assert.Equal(t, api.Created, ensure(t, registration).Change, "somebody took it out")
			assert.Equal(t, []string{c.uri}, bridge.URIs())
		})
	}
}

// A server that names no id and shows nothing that is ours gets one entry all the
// same.
func TestEntryThatIsNotShown(t *testing.T) {
	bridge := apitest.NewServer(t, "events", "correct-horse")
	ids := 0
	bridge.SetURIs(foreign)
	bridge.SetShape(apitest.Shape{
		Show:     func(string) string { return "receiver" },
		ShowID:   func(string) string { ids++; return strconv.Itoa(ids) },
		Location: func(string) string { return "" },
	})
	registration := register(t, bridge, own)
	for range rounds {
		_, err := registration.Ensure(t.Context())
		require.ErrorIs(t, err, api.ErrCDRReceiverNotShown)
	}
	assert.Equal(t, []string{foreign, own}, bridge.URIs())
}

// A server that keeps no URI under either name gets one entry.
func TestEntryWithoutURI(t *testing.T) {
	bridge := apitest.NewServer(t, "events", "correct-horse")
	bridge.SetShape(apitest.Shape{Parameter: "address", IgnoresOthers: true})
	registration := register(t, bridge, own)
	for range rounds {
		_, err := registration.Ensure(t.Context())
		require.ErrorIs(t, err, api.ErrCDRReceiverWithoutURI)
	}
	assert.Equal(t, []string{""}, bridge.URIs())
}

// Two Collectors behind one address leave each other alone.
func TestAnotherQueryIsAnotherRegistration(t *testing.T) {
	bridge := apitest.NewServer(t, "events", "correct-horse")
	one, two := register(t, bridge, own), register(t, bridge, neighbour)
	for i := range rounds {
		first, second := ensure(t, one), ensure(t, two)
		if i == 0 {
			continue
		}
		assert.Equal(t, api.Registration{Change: api.Present, Others: 1}, first)
		assert.Equal(t, api.Registration{Change: api.Present, Others: 1}, second)
	}
	assert.Equal(t, []string{own, neighbour}, bridge.URIs())
}

// An entry of ours that somebody changes.
func TestSomebodyChangesTheEntry(t *testing.T) {
	bridge := apitest.NewServer(t, "events", "correct-horse")
	registration := register(t, bridge, own)
	ensure(t, registration)

	bridge.SetURI(0, "")
	assert.Equal(t, api.Updated, ensure(t, registration).Change)
	assert.Equal(t, []string{own}, bridge.URIs())

	bridge.SetURI(0, foreign)
	assert.Equal(t, api.Created, ensure(t, registration).Change, "it belongs to another receiver now")
	assert.Equal(t, []string{foreign, own}, bridge.URIs())
	bridge.SetURI(1, foreign)
	for range rounds {
		_, err := registration.Ensure(t.Context())
		require.ErrorIs(t, err, api.ErrCDRReceiverNotShown, "two do not fight")
	}
	assert.Equal(t, []string{foreign, foreign}, bridge.URIs())
	bridge.SetURIs(foreign)
	assert.Equal(t, api.Created, ensure(t, registration).Change, "there is room again")
}

// Two Collectors that take the same empty place at the same time have one entry
// each in the end.
func TestTwoInOneEmptyPlace(t *testing.T) {
	bridge := apitest.NewServer(t, "events", "correct-horse")
	bridge.SetURIs("")
	one, two := register(t, bridge, own), register(t, bridge, neighbour)
	ensure(t, one)
	bridge.SetURI(0, neighbour) // the second read the list before the first wrote
	ensure(t, two)
	for range rounds {
		ensure(t, one)
		ensure(t, two)
	}
	uris := bridge.URIs()
	slices.Sort(uris)
	assert.Equal(t, []string{own, neighbour}, uris)
}

// A changed user is set, and a server that hides the user is not asked again.
func TestUserInTheURI(t *testing.T) {
	const withUser, other = "http://cms:new@otel.example.test/cdr", "http://cms:old@otel.example.test/cdr"
	bridge := apitest.NewServer(t, "events", "correct-horse")
	bridge.SetURIs(other)
	registration := register(t, bridge, withUser)
	assert.Equal(t, api.Updated, ensure(t, registration).Change)
	assert.Equal(t, []string{withUser}, bridge.URIs())
	bridge.SetShape(apitest.Shape{Show: func(uri string) string { return strings.Replace(uri, "cms:new@", "", 1) }})
	ensure(t, registration)
	for range rounds {
		assert.Equal(t, api.Registration{Change: api.Present}, ensure(t, registration))
	}
	assert.Equal(t, []string{withUser}, bridge.URIs())
}

func TestRegisterAtAFullBridge(t *testing.T) {
	bridge := apitest.NewServer(t, "events", "correct-horse")
	full := []string{"http://a/", "http://b/", "http://c/", "http://d/"}
	bridge.SetURIs(full...)
	registration := register(t, bridge, own)
	for range rounds {
		_, err := registration.Ensure(t.Context())
		require.ErrorIs(t, err, api.ErrCDRReceiversFull)
	}
	assert.Equal(t, full, bridge.URIs())
	bridge.SetURIs(full[:3]...)
	assert.Equal(t, api.Created, ensure(t, registration).Change)
}

// An entry that cannot be read is no empty place: it may be another system's.
func TestEntryThatCannotBeRead(t *testing.T) {
	for _, status := range []int{http.StatusBadRequest, http.StatusTooManyRequests, http.StatusInternalServerError, http.StatusServiceUnavailable} {
		bridge := apitest.NewServer(t, "events", "correct-horse")
		bridge.SetURIs(foreign)
		bridge.SetShape(apitest.Shape{IDsOnly: true, DetailStatus: status})
		registration := register(t, bridge, own)
		_, err := registration.Ensure(t.Context())
		var refused *api.Error
		if assert.ErrorAs(t, err, &refused, status) {
			assert.Equal(t, status, refused.Status)
		}
		assert.Equal(t, []string{foreign}, bridge.URIs(), status)

		bridge.SetShape(apitest.Shape{IDsOnly: true})
		bridge.SetURIs(foreign)
		assert.Equal(t, api.Created, ensure(t, register(t, bridge, own)).Change)
		assert.Equal(t, []string{foreign, own}, bridge.URIs())
	}
}

// A server before R1.8 has one receiver. It is not ours to change.
func TestServerWithoutAList(t *testing.T) {
	bridge := apitest.NewServer(t, "events", "correct-horse")
	bridge.SetShape(apitest.Shape{Single: true})
	registration := register(t, bridge, own)
	for _, uris := range [][]string{nil, {""}, {foreign}} {
		bridge.SetURIs(uris...)
		_, err := registration.Ensure(t.Context())
		require.ErrorIs(t, err, api.ErrSingleCDRReceiver)
		assert.ErrorContains(t, err, "older than R1.8")
		assert.NotContains(t, err.Error(), "404")
		assert.Equal(t, uris, bridge.URIs())
	}
	bridge.SetURIs(own) // as the advice says
	assert.Equal(t, api.Registration{Change: api.Present}, ensure(t, registration))
	for _, request := range bridge.Requests() {
		assert.True(t, strings.HasPrefix(request, http.MethodGet), request)
	}

	bridge.SetShape(apitest.Shape{Status: http.StatusNotFound})
	_, err := registration.Ensure(t.Context())
	require.ErrorIs(t, err, api.ErrNoCDRReceivers)
}

// Refused credentials cost one request.
func TestUnauthorized(t *testing.T) {
	for _, status := range []int{http.StatusUnauthorized, http.StatusForbidden} {
		bridge := apitest.NewServer(t, "events", "correct-horse")
		bridge.SetShape(apitest.Shape{Status: status})
		_, err := register(t, bridge, own).Ensure(t.Context())
		var refused *api.Error
		require.ErrorAs(t, err, &refused)
		assert.True(t, refused.Unauthorized())
		assert.Len(t, bridge.Requests(), 1)
	}
	assert.False(t, (&api.Error{Status: http.StatusNotFound}).Unauthorized())
}

// restarted returns the registration of a Collector that starts anew with the state
// of another.
func restarted(t *testing.T, bridge *apitest.Server, before *api.CDRRegistration, uri string) *api.CDRRegistration {
	t.Helper()
	registration := register(t, bridge, uri)
	state := before.State()
	require.Equal(t, before.Name(), registration.Name())
	assert.LessOrEqual(t, len(state), 1<<10)
	assert.NotContains(t, string(state), "example", "a URI may hold a token")
	require.NoError(t, registration.Restore(state))
	return registration
}

// Behind a restart, an entry that was given to another receiver is not ours.
func TestRestoredEntryOfAnother(t *testing.T) {
	for _, show := range []func(string) string{nil, func(uri string) string { return uri[len(uri)-4:] }} {
		bridge := apitest.NewServer(t, "events", "correct-horse")
		bridge.SetShape(apitest.Shape{Show: show})
		registration := register(t, bridge, own)
		ensure(t, registration)
		bridge.SetURI(0, neighbour)
		registration = restarted(t, bridge, registration, own)
		assert.Equal(t, api.Created, ensure(t, registration).Change)
		assert.Equal(t, []string{neighbour, own}, bridge.URIs())
	}
}

// Another query, path or server is another registration; another spelling is not.
func TestRegistrationName(t *testing.T) {
	a, b := apitest.NewServer(t, "events", "correct-horse"), apitest.NewServer(t, "events", "correct-horse")
	name := register(t, a, own).Name()
	assert.Equal(t, name, register(t, a, strings.Replace(own, "otel", "OTEL", 1)).Name())
	assert.NotEqual(t, name, register(t, a, neighbour).Name())
	assert.NotEqual(t, name, register(t, a, strings.Replace(own, "/cdr", "/x", 1)).Name())
	assert.NotEqual(t, name, register(t, b, own).Name())
}

func TestDamagedRegistrationState(t *testing.T) {
	bridge := apitest.NewServer(t, "events", "correct-horse")
	registration := register(t, bridge, own)
	assert.Nil(t, registration.State())
	require.NoError(t, registration.Restore(nil))
	for _, state := range []string{"x", "{}", `{"version":2,"id":"a"}`, `{"version":1,"id":"` + strings.Repeat("a", 1<<10) + `"}`} {
		require.ErrorIs(t, registration.Restore([]byte(state)), api.ErrCDRRegistrationState, state)
		assert.Nil(t, registration.State())
	}
	assert.Equal(t, api.Created, ensure(t, registration).Change)
}

// A server that lists ids and answers 404 for each entry: none is overwritten, and
// none is added while one of them may be ours.
func TestEntriesThatTheServerDoesNotKnow(t *testing.T) {
	hidden := apitest.Shape{IDsOnly: true, DetailStatus: http.StatusNotFound}
	bridge := apitest.NewServer(t, "events", "correct-horse")
	bridge.SetShape(hidden)
	bridge.SetURIs(foreign, "", neighbour)
	registration := register(t, bridge, own)
	for range rounds {
		_, err := registration.Ensure(t.Context())
		require.ErrorIs(t, err, api.ErrCDRReceiverUnreadable)
		assert.ErrorContains(t, err, "404")
	}
	assert.Equal(t, []string{foreign, "", neighbour}, bridge.URIs())

	// An entry that was created is known by its id, and one that was not, is not.
	bridge.SetURIs()
	assert.Equal(t, api.Registration{Change: api.Created}, ensure(t, registration))
	for range rounds {
		assert.Equal(t, api.Registration{Change: api.Present, Unreadable: 1}, ensure(t, registration))
		registration = restarted(t, bridge, registration, own)
		_, err := register(t, bridge, own).Ensure(t.Context())
		require.ErrorIs(t, err, api.ErrCDRReceiverUnreadable, "after a restart without storage")
	}
	assert.Equal(t, []string{own}, bridge.URIs())

	// Where some entries can be read, ours is found among them.
	bridge.SetShape(apitest.Shape{DetailStatus: http.StatusNotFound})
	bridge.SetURIs("", own)
	assert.Equal(t, api.Registration{Change: api.Present, Unreadable: 1}, ensure(t, register(t, bridge, own)))
	bridge.SetURIs("", foreign)
	_, err := register(t, bridge, own).Ensure(t.Context())
	require.ErrorIs(t, err, api.ErrCDRReceiverUnreadable)
	assert.Equal(t, []string{"", foreign}, bridge.URIs())

	// A list that itself says that an entry has no URI has an empty place.
	bridge.SetShape(apitest.Shape{EmptyElement: true, DetailStatus: http.StatusNotFound})
	assert.Equal(t, api.Registration{Change: api.Updated}, ensure(t, register(t, bridge, own)))
	assert.Equal(t, []string{own, foreign}, bridge.URIs())
}
