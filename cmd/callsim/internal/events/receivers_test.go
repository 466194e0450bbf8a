// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package events_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/legato-otel/legato/cmd/callsim/internal/events"
	"github.com/legato-otel/legato/cmd/callsim/internal/scenario"
)

// send sends a form and returns the status and the location of what was made.
func (p *play) send(method, path string, form url.Values) (status int, location string) {
	p.t.Helper()
	r, err := http.NewRequestWithContext(p.t.Context(), method, p.cluster.URLs()[0]+"/api/v1"+path, strings.NewReader(form.Encode()))
	require.NoError(p.t, err)
	r.SetBasicAuth("api", "x")
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	response, err := p.hc.Do(r)
	require.NoError(p.t, err)
	require.NoError(p.t, response.Body.Close())
	return response.StatusCode, strings.TrimPrefix(response.Header.Get("Location"), "/api/v1")
}

// A receiver is registered, changed and removed, there is room for four, and the
// bridges post to those that are registered.
func TestReceivers(t *testing.T) {
	p := newPlay(t, scenario.Config{Seed: 1, Bridges: 2, Meetings: 1}, nil)
	uri := func(text string) url.Values { return url.Values{"uri": {text}} }
	posts := func(want ...string) {
		t.Helper()
		got, gone := p.cluster.Receivers(0)
		assert.Equal(t, want, got)
		assert.False(t, gone)
	}
	posts()
	status, location := p.send(http.MethodPost, "/system/cdrReceivers", uri("http://c:8080/cdr?system_id=a&b=1"))
	assert.Equal(t, http.StatusOK, status)
	posts("http://c:8080/cdr?system_id=a&b=1")
	_, own := p.ask(0, location)
	assert.Equal(t, "http://c:8080/cdr?system_id=a&b=1", own.child("uri").Text)
	other, _ := p.cluster.Receivers(1)
	assert.Empty(t, other, "each bridge has its own")

	status, _ = p.send(http.MethodPut, location, uri("http://d/"))
	assert.Equal(t, http.StatusOK, status)
	posts("http://d/")
	for range 3 {
		status, _ = p.send(http.MethodPost, "/system/cdrReceivers", uri("http://e/"))
		assert.Equal(t, http.StatusOK, status)
	}
	status, _ = p.send(http.MethodPost, "/system/cdrReceivers", uri("http://e/"))
	assert.Equal(t, http.StatusBadRequest, status)
	_, list := p.ask(0, "/system/cdrReceivers")
	assert.Equal(t, 4, list.Total)
	_, _ = p.send(http.MethodPut, location, uri(""))
	posts("http://e/", "http://e/", "http://e/")
	_, list = p.ask(0, "/system/cdrReceivers")
	assert.Equal(t, 4, list.Total, "an empty one takes a place")
	status, _ = p.send(http.MethodDelete, location, nil)
	assert.Equal(t, http.StatusOK, status)
	status, _ = p.send(http.MethodPut, location, uri("http://d/"))
	assert.Equal(t, http.StatusNotFound, status)
	status, _ = p.ask(0, location)
	assert.Equal(t, http.StatusNotFound, status)
	status, _ = p.send(http.MethodPost, "/system/cdrReceivers", url.Values{"url": {"http://e/"}})
	assert.Equal(t, http.StatusBadRequest, status, "the name of the field in the reference's prose")
}

// A bridge has an alarm while its records are not taken, and while another bridge is
// away.
func TestAlarms(t *testing.T) {
	p := newPlay(t, scenario.Config{Seed: 1, Bridges: 2, Meetings: 1}, nil)
	types := func(bridge int) (types []string) {
		for _, a := range p.all(bridge, "/system/alarms") {
			types = append(types, a.child("type").Text)
			assert.NotEmpty(t, a.child("activeTimeSeconds").Text)
		}
		return types
	}
	p.cluster.ReportDelivery(0, true)
	assert.Equal(t, []string{"cdrConnectionFailure"}, types(0))
	assert.Empty(t, types(1))
	p.cluster.ReportDelivery(0, false)
	assert.Empty(t, types(0))
}

// What the API's faults look like.
func TestMoreAPIFaults(t *testing.T) {
	with := func(change func(*events.Faults)) *play {
		return newPlay(t, scenario.Config{Seed: 1, Bridges: 1, Meetings: 1}, func(o *events.Options) { change(&o.Faults) })
	}
	p := with(func(f *events.Faults) { f.PasswordLife = time.Nanosecond })
	status, _ := p.ask(0, "/system/load")
	assert.Equal(t, http.StatusUnauthorized, status)
	p = with(func(f *events.Faults) { f.APIOld = true })
	status, answer := p.ask(0, "/system/licensing")
	assert.Equal(t, http.StatusNotFound, status)
	assert.Equal(t, "unrecognisedObject", answer.Children[0].XMLName.Local)
	status, _ = p.ask(0, "/system/load")
	assert.Equal(t, http.StatusOK, status)
	p = with(func(f *events.Faults) { f.APISlow = 20 * time.Millisecond })
	began := time.Now()
	for range 20 {
		status, _ = p.ask(0, "/system/load")
		assert.Equal(t, http.StatusOK, status)
	}
	assert.Greater(t, time.Since(began), 20*time.Millisecond, "20 waits of 10 ms each on average")
	p = with(func(f *events.Faults) { f.Elsewhere = time.Nanosecond })
	_, gone := p.cluster.Receivers(0)
	assert.True(t, gone)
	_, list := p.ask(0, "/system/cdrReceivers")
	assert.Contains(t, list.child("cdrReceiver").child("uri").Text, "another-server")
}
