// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package api_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/legato-otel/legato/internal/meetingserver/api"
	"github.com/legato-otel/legato/internal/meetingserver/api/object"
)

// script answers requests by their number.
type script struct {
	answer func(n int, r *http.Request) (status int, header http.Header, body string)
	made   []string
	at     []time.Time
}

func (s *script) RoundTrip(r *http.Request) (*http.Response, error) {
	s.made = append(s.made, strings.TrimPrefix(r.URL.RequestURI(), "/api/v1"))
	s.at = append(s.at, time.Now())
	status, header, body := s.answer(len(s.made), r)
	if header == nil {
		header = http.Header{}
	}
	return &http.Response{StatusCode: status, Header: header, Body: io.NopCloser(strings.NewReader(body))}, nil
}

func legsPage(total, from, to int) string {
	var b strings.Builder
	fmt.Fprintf(&b, `<callLegs total="%d">`, total)
	for i := from; i < to; i++ {
		fmt.Fprintf(&b, `<callLeg id="%d"/>`, i)
	}
	return b.String() + "</callLegs>"
}

// The recorded pages of a server that sends ten whatever is asked for.
func TestLimitIgnored(t *testing.T) {
	const recorded = "../../../testdata/field/cms-api/limit-ignored/"
	server := &script{answer: func(_ int, r *http.Request) (int, http.Header, string) {
		offset, _ := strconv.Atoi(r.URL.Query().Get("offset"))
		body, err := os.ReadFile(recorded + fmt.Sprintf("offset-%d-limit-%s.xml", offset, r.URL.Query().Get("limit")))
		if err != nil {
			return http.StatusNotFound, nil, ""
		}
		return http.StatusOK, nil, string(body)
	}}
	legs, err := clientOf(t, server, "https://a", "u").CallLegs(t.Context(), false, api.Range{Pages: 10})
	require.NoError(t, err)
	assert.Equal(t, []string{"/callLegs?limit=100", "/callLegs?limit=100&offset=10", "/callLegs?limit=100&offset=20"}, server.made)
	assert.Len(t, legs.Items, 23)
	assert.Equal(t, 23, legs.Total)
	assert.True(t, legs.Complete)
	assert.Zero(t, legs.Next)
}

// Pages are of any size, totals change, objects come twice, and no list is read
// for longer than its pages.
func TestPaging(t *testing.T) {
	f := func(part api.Range, pages []string, items, total, next int, complete bool) {
		t.Helper()
		server := &script{answer: func(n int, _ *http.Request) (int, http.Header, string) {
			return http.StatusOK, nil, pages[min(n, len(pages))-1]
		}}
		got, err := clientOf(t, server, "https://a", "u").CallLegs(t.Context(), true, part)
		require.NoError(t, err)
		assert.Len(t, got.Items, items)
		assert.Equal(t, total, got.Total)
		assert.Equal(t, next, got.Next)
		assert.Equal(t, complete, got.Complete)
		assert.Len(t, server.made, min(len(pages), part.Pages))
	}
	all := api.Range{Pages: 5}
	f(all, []string{`<callLegs total="0"/>`}, 0, 0, 0, true)
	f(all, []string{legsPage(0, 0, 3)}, 3, 3, 0, true)
	f(all, []string{legsPage(30, 0, 20), legsPage(30, 20, 30)}, 30, 30, 0, true)
	f(all, []string{legsPage(30, 0, 20), legsPage(25, 20, 25)}, 25, 25, 0, true)
	f(all, []string{legsPage(30, 0, 20), legsPage(31, 19, 29), legsPage(31, 30, 31)}, 30, 31, 0, true)
	f(all, []string{legsPage(30, 0, 20), legsPage(10, 0, 0)}, 20, 10, 0, true)
	f(api.Range{Pages: 2}, []string{legsPage(1000, 0, 10), legsPage(1000, 10, 20)}, 20, 1000, 20, false)
	f(api.Range{Offset: 20, Pages: 1}, []string{legsPage(23, 20, 23)}, 3, 23, 0, false)
	f(api.Range{Pages: 3}, []string{`<callLegs total="9"><callLeg/></callLegs>`, `<callLegs total="9"><callLeg/></callLegs>`, `<callLegs total="9"/>`}, 2, 9, 0, true)
}

// A busy server is asked again after a wait that grows, and by no reader sooner.
func TestBusy(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		busy := true
		server := &script{answer: func(int, *http.Request) (int, http.Header, string) {
			if busy {
				return http.StatusServiceUnavailable, nil, "<html>Service Unavailable"
			}
			return http.StatusOK, nil, "<load><mediaProcessingLoad>25</mediaProcessingLoad></load>"
		}}
		c := clientOf(t, server, "https://a", "u")
		_, err := c.Load(t.Context())
		var answer *api.Error
		require.ErrorAs(t, err, &answer)
		assert.Equal(t, http.StatusServiceUnavailable, answer.Status)
		assert.Len(t, server.made, 3)
		assert.GreaterOrEqual(t, server.at[1].Sub(server.at[0]), 500*time.Millisecond)
		assert.GreaterOrEqual(t, server.at[2].Sub(server.at[1]), time.Second)

		short, cancel := context.WithTimeout(t.Context(), time.Millisecond)
		defer cancel()
		_, err = clientOf(t, server, "https://a", "other").Load(short)
		require.ErrorIs(t, err, api.ErrBusy)
		assert.Len(t, server.made, 3)

		busy = false
		load, err := c.Load(t.Context())
		require.NoError(t, err)
		assert.Equal(t, int64(25), *load.MediaProcessingLoad)
	})
}

func TestRetryAfter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := &script{answer: func(int, *http.Request) (int, http.Header, string) {
			return http.StatusServiceUnavailable, http.Header{"Retry-After": {"99999999999"}}, ""
		}}
		c := clientOf(t, server, "https://a", "u")
		_, err := c.Load(t.Context())
		require.ErrorIs(t, err, api.ErrBusy)
		assert.Len(t, server.made, 1)
		time.Sleep(6 * time.Minute)
		_, _ = c.Load(t.Context())
		assert.Len(t, server.made, 2, "nobody waits for years")
	})
}

func TestBudget(t *testing.T) {
	server := &script{answer: func(int, *http.Request) (int, http.Header, string) { return http.StatusOK, nil, legsPage(1000, 0, 10) }}
	ctx := api.LimitRequests(t.Context(), 3)
	c := clientOf(t, server, "https://a", "u")
	_, err := c.CallLegs(ctx, false, api.Range{Pages: 9})
	require.ErrorIs(t, err, api.ErrBudget)
	assert.Len(t, server.made, 3)
	assert.Zero(t, api.RequestsLeft(ctx))
	_, err = c.CallLegs(t.Context(), false, api.Range{Pages: 1})
	require.NoError(t, err)
}

// Answers that are not the API's say so, in one form whatever their status.
func TestNotTheAPI(t *testing.T) {
	page, err := os.ReadFile("../../../testdata/cms-api/malformed-html-503.html")
	require.NoError(t, err)
	f := func(status int, body, want string) {
		t.Helper()
		server := &script{answer: func(int, *http.Request) (int, http.Header, string) { return status, nil, body }}
		_, err := clientOf(t, server, "https://a", "u").SystemStatus(t.Context())
		assert.ErrorContains(t, err, want)
		assert.ErrorContains(t, err, "GET /system/status")
	}
	const html = "a page of HTML and not of the Meeting Server API"
	f(http.StatusOK, string(page), html)
	f(http.StatusForbidden, string(page), "answered 403 Forbidden: the answer is "+html)
	f(http.StatusOK, `{"status":"ok"}`, "cannot be read")
	f(http.StatusOK, "<status>"+strings.Repeat(" ", 1<<20), "it is longer than 1048576 bytes")
	f(http.StatusBadGateway, `<failureDetails><databaseNotReady/></failureDetails>`, "answered 502 Bad Gateway: databaseNotReady")
	server := &script{answer: func(int, *http.Request) (int, http.Header, string) { return http.StatusOK, nil, string(page) }}
	_, err = clientOf(t, server, "https://a", "u").CallLeg(t.Context(), "x/../y")
	require.ErrorIs(t, err, object.ErrHTML)
	assert.Equal(t, []string{"/callLegs/x%2F..%2Fy"}, server.made)
}

// The password goes to no other server than the one that is named.
func TestNoRedirect(t *testing.T) {
	asked := false
	other := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { asked = true }))
	defer other.Close()
	server := httptest.NewServer(http.RedirectHandler(other.URL, http.StatusFound))
	defer server.Close()
	_, err := newClient(t, server.URL, "").SystemStatus(t.Context())
	require.ErrorContains(t, err, "answered 302 Found")
	assert.False(t, asked)
}
