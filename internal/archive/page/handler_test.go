// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package page

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/legato-otel/legato/internal/archive/store"
)

// The parts that change, as they are.
func TestGolden(t *testing.T) {
	h := newDay(t).handler()
	for name, address := range map[string]string{
		"meetings": "/?live=1", "legs": "/legs?live=1", "sessions": "/sessions?live=1", "board": "/conferences/" + traceBoard + "?live=1",
		"running": "/conferences/" + traceWeekly + "?live=1", "session": "/traces/" + traceSession + "?live=1", "scan": "/traces/" + traceScan + "?live=1",
	} {
		got := get(t, h, address).Body.String()
		file := filepath.Join("testdata", name+".html")
		if *update {
			require.NoError(t, os.MkdirAll("testdata", 0o755))
			require.NoError(t, os.WriteFile(file, []byte(got), 0o600))
		}
		want, err := os.ReadFile(file)
		require.NoError(t, err)
		assert.Equal(t, string(want), got, "%s: go test ./internal/archive/page -run Golden -update, and read the difference", name)
	}
}

func TestHeaders(t *testing.T) {
	h := newDay(t).handler()
	for _, address := range []string{"/", "/legs", "/conferences/" + traceBoard, "/overview", "/export.csv", "/static/style.css", "/nothing", "/search?q=x", "/people?name=Guest", "/rooms?name=stand-up", "/meetings.csv"} {
		header := get(t, h, address).Header()
		assert.Equal(t, policy, header.Get("Content-Security-Policy"), address)
		assert.NotContains(t, policy, "unsafe")
		assert.Equal(t, "nosniff", header.Get("X-Content-Type-Options"))
		assert.Equal(t, "no-referrer", header.Get("Referrer-Policy"))
		assert.Equal(t, "no-store", header.Get("Cache-Control"))
		assert.Empty(t, header.Values("Set-Cookie"))
		assert.NotEmpty(t, header.Get("Content-Type"), address)
	}
	assert.Contains(t, get(t, h, "/static/page.js?v="+assetsVersion).Header().Get("Cache-Control"), "immutable")
	for _, address := range []string{"/static/", "/static/none", "/static/..%2fhandler.go", "/templates/frame.html", "/legs/", "/conferences/", "/conferences/" + strings.Repeat("a", 301)} {
		assert.Equal(t, http.StatusNotFound, get(t, h, address).Code, address)
	}
}

func TestOnlyReading(t *testing.T) {
	h := newDay(t).handler()
	for _, method := range []string{http.MethodPost, http.MethodPut, http.MethodDelete, http.MethodPatch, http.MethodOptions, http.MethodTrace, "BREW"} {
		for _, address := range []string{"/", "/conferences/" + traceBoard, "/export.csv", "/nothing"} {
			answer := httptest.NewRecorder()
			h.ServeHTTP(answer, httptest.NewRequestWithContext(t.Context(), method, address, strings.NewReader("x")))
			assert.Equal(t, http.StatusMethodNotAllowed, answer.Code)
			assert.Equal(t, "GET, HEAD", answer.Header().Get("Allow"))
		}
	}
	answer := httptest.NewRecorder()
	h.ServeHTTP(answer, httptest.NewRequestWithContext(t.Context(), http.MethodHead, "/", nil))
	assert.Equal(t, http.StatusOK, answer.Code)
	assert.Equal(t, http.StatusRequestURITooLong, get(t, h, "/?x="+strings.Repeat("a", maxQuery)).Code)
}

// An invalid value is explained beside its field, and nothing is looked for.
func TestErrorsOfTheForm(t *testing.T) {
	h := newDay(t).handler()
	for query, want := range map[string]string{
		"loss=101": "must be a number from 0 to 100", "loss=NaN": "must be a number", "min=-1": "must be a number", "max=x": "must be a number",
		"from=yesterday": "must be a day or a time, as", "since=1": "must be a time span", "state=dead": "must be running or ended",
		"after=%00": "must be text", "after=1.!!": "is not a place in a list", "after=-5.YQ": "is not a place", "party=" + strings.Repeat("a", 301): "must be text of at most 300 bytes", "party=%ff": "must be text",
	} {
		answer := get(t, h, "/?"+query)
		assert.Equal(t, http.StatusBadRequest, answer.Code, query)
		assert.Contains(t, answer.Body.String(), want, query)
		assert.NotContains(t, answer.Body.String(), "Board meeting")
	}
	for _, address := range []string{"/?loss=101", "/legs?loss=101", "/sessions?min=x", "/?loss=101&state=running", "/?sort=x", "/legs?loss=101&live=1", "/sipcalls?min=x"} {
		answer := get(t, h, address)
		assert.Equal(t, http.StatusBadRequest, answer.Code, address)
		assert.Contains(t, answer.Body.String(), "Nothing was searched: a filter is not valid.", address)
		for _, result := range []string{"Running now", "of them found", "data-live"} {
			assert.NotContains(t, answer.Body.String(), result, address)
		}
	}
	assert.Equal(t, http.StatusBadRequest, get(t, h, "/export.csv?loss=x").Code)
}

var rowName = regexp.MustCompile(`<th scope="row"><a href="[^"]*"><bdi>([^<]*)</bdi>`)

func rowNames(page string) (all []string) {
	for _, m := range rowName.FindAllStringSubmatch(page, -1) {
		all = append(all, m[1])
	}
	return all
}

func TestFilterOfThePage(t *testing.T) {
	h := newDay(t).handler()
	for query, want := range map[string][]string{
		"party=t.ferr": {"Board meeting"}, "party=okafor": nil, "party=okafor&anywhere=1": {"Board meeting"}, "room=weekly&state=running": {"Weekly sync"},
		"reason=encryptionRequired": {"Board meeting"}, "reason=failure": {"Board meeting"}, "loss=10": {"Board meeting"}, "min=60": {"Board meeting"},
		"since=1h&state=ended": nil, "from=2026-03-05T12:30&to=2026-03-05T13:00": {"Board meeting"}, "tenant=" + strings.ToUpper(board.TenantID): {"Board meeting"},
		"room=" + board.RoomID: {"Board meeting"}, "loss=0,5&max=20": {"Weekly sync"},
	} {
		answer := get(t, h, "/?"+query)
		require.Equal(t, http.StatusOK, answer.Code, query)
		assert.Equal(t, want, rowNames(answer.Body.String()), query)
	}
	assert.Equal(t, []string{"Legal hotline"}, rowNames(get(t, h, "/legs?reason=ringingTimeout").Body.String()))
	assert.Equal(t, []string{"4201, 4207"}, rowNames(get(t, h, "/sessions?party=4207").Body.String()))
	page := get(t, h, "/?party=okafor").Body.String()
	assert.Contains(t, page, "Search anywhere in the name")
	csv := get(t, h, "/export.csv?party=t.ferr&reason=failure").Body.String()
	assert.Equal(t, 2, strings.Count(csv, "\r\n"), csv)
}

// All pages of a list, by their links, have all meetings once.
func TestPages(t *testing.T) {
	w := newWorld(t)
	for i := range 2*pageRows + 7 {
		c := *w.call(weekly, traceStandup[:24]+strings.Repeat("0", 5)+string([]byte{'a' + byte(i/26%6), 'a' + byte(i%6), 'a' + byte(i/6%6)}), london, "12:00:00", "12:30:00")
		w.batch.Calls[len(w.batch.Calls)-1].TraceID = c.ID[:8] + traceStandup[8:]
	}
	w.write()
	h := w.handler()
	next := regexp.MustCompile(`<a rel="next" href="\./([^"]*)"`)
	seen := map[string]bool{}
	address := "/?room=weekly"
	pages := 0
	for ; address != ""; pages++ {
		page := get(t, h, address).Body.String()
		for _, m := range regexp.MustCompile(`data-key="c-([0-9a-f]+)"`).FindAllStringSubmatch(page, -1) {
			assert.False(t, seen[m[1]], "twice")
			seen[m[1]] = true
		}
		address = ""
		if m := next.FindStringSubmatch(page); m != nil {
			address = "/" + strings.ReplaceAll(m[1], "&amp;", "&")
			assert.Contains(t, address, "room=weekly")
		}
	}
	assert.Equal(t, 3, pages)
	assert.Len(t, seen, 2*pageRows+7)
}

func TestFind(t *testing.T) {
	w := newDay(t)
	h := w.handler()
	for id, want := range map[string]string{
		traceBoard: "./conferences/" + traceBoard, strings.ToUpper(traceBoard): "./conferences/" + traceBoard, traceScan: "./conferences/" + traceScan, "": "./",
	} {
		answer := get(t, h, "/find?"+url.Values{"id": {id}}.Encode())
		assert.Equal(t, http.StatusSeeOther, answer.Code)
		assert.Equal(t, want, answer.Header().Get("Location"))
	}
	answer := get(t, h, "/find?id=00000001-0000-4000-8000-000000000001")
	assert.Regexp(t, "^\\./conferences/"+traceBoard+"\\?span=[0-9a-f]{16}#s-[0-9a-f]{16}$", answer.Header().Get("Location"))
	answer = get(t, h, "/find?id=sip-00000002")
	assert.Regexp(t, "^\\./conferences/"+traceBoard+"\\?span=[0-9a-f]{16}#s-", answer.Header().Get("Location"))
}

// An archive that cannot be read is explained in plain words, and logged.
func TestFailure(t *testing.T) {
	w := newWorld(t)
	var failed []error
	h := New(Config{Store: w.store, Failed: func(err error) { failed = append(failed, err) }})
	closed := newWorld(t)
	require.NoError(t, closed.store.Close())
	h.(*handler).config.Store = closed.store
	answer := get(t, h, "/")
	assert.Equal(t, http.StatusInternalServerError, answer.Code)
	assert.Contains(t, answer.Body.String(), "The archive cannot be read")
	require.Len(t, failed, 1)
	assert.NotContains(t, answer.Body.String(), failed[0].Error())

	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	gone := httptest.NewRecorder()
	h.ServeHTTP(gone, httptest.NewRequestWithContext(ctx, http.MethodGet, "/", nil))
	assert.Empty(t, gone.Body.String())
	assert.Len(t, failed, 1)
}

// So many pages at once, others wait, for a bounded time.
func TestBusy(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := New(Config{}).(*handler)
		for range mostAtOnce {
			h.slots <- struct{}{}
		}
		begun := time.Now()
		answer := get(t, h, "/")
		assert.Equal(t, http.StatusServiceUnavailable, answer.Code)
		assert.Equal(t, "5", answer.Header().Get("Retry-After"))
		assert.Equal(t, waitTimeout, time.Since(begun))
	})
}

// Exports are fewer, so that they leave connections to the pages.
func TestBusyWithExports(t *testing.T) {
	require.Less(t, mostExports, mostAtOnce)
	synctest.Test(t, func(t *testing.T) {
		h := New(Config{}).(*handler)
		for range mostExports {
			h.exports <- struct{}{}
		}
		begun := time.Now()
		answer := get(t, h, "/export.csv")
		assert.Equal(t, http.StatusServiceUnavailable, answer.Code)
		assert.NotEmpty(t, answer.Header().Get("Retry-After"))
		assert.NotContains(t, answer.Header().Get("Content-Type"), "csv")
		assert.Equal(t, waitTimeout, time.Since(begun))
	})
}

func TestCheckTraceURL(t *testing.T) {
	for text, good := range map[string]bool{
		"": true, "https://jaeger.example.com/trace/{trace_id}": true, "http://localhost:3000/explore?t={trace_id}&x={trace_id}": true,
		"https://jaeger.example.com/trace": false, "javascript:alert({trace_id})": false, "//x/{trace_id}": false, "https://{trace_id}": true, "https:{trace_id}": false,
	} {
		assert.Equal(t, good, CheckTraceURL(text) == nil, text)
	}
}

// What runs on a bridge with a gap since is shown as doubtful, with the gap.
func TestDoubtful(t *testing.T) {
	w := newDay(t)
	running, err := store.Select[store.Conference](t.Context(), w.store, "WHERE state = 'running'")
	require.NoError(t, err)
	require.NotEmpty(t, running)
	h := w.handler()
	room := "/rooms?id=" + weekly.RoomID
	pages := []string{"/", "/legs", "/conferences/" + running[0].TraceID, "/people?address=ada.birch@example.test", room}
	for _, address := range pages {
		assert.NotContains(t, get(t, h, address).Body.String(), "may have ended", address)
	}
	w.batch.Gaps = append(w.batch.Gaps, store.Gap{ID: "g", At: running[0].LastHeardAt.Add(time.Minute), Bridge: running[0].Bridge, Missing: new(int64(674))})
	w.write()
	for _, address := range pages {
		page := get(t, h, address).Body.String()
		assert.Contains(t, page, "may have ended", address)
		assert.Contains(t, page, "674 records", address)
	}
	// So is a leg whose meeting runs for sure, because another bridge was heard of since.
	call := w.call(weekly, traceWeekly, london, "14:28:00", "")
	w.leg(call, "Lea Marsh", "lea@example.test", "14:28:00", "", nil)
	w.batch.Gaps = append(w.batch.Gaps, store.Gap{ID: "h", At: at("14:27:00"), Bridge: oslo, Missing: new(int64(1))})
	w.write()
	page := words(get(t, h, "/conferences/"+traceWeekly).Body.String())
	assert.Equal(t, 2, strings.Count(page, "may have ended"), "the two legs on the other bridge")
	// In the API too.
	legs := ask(t, h, "legs?state=running", http.StatusOK)
	assert.Len(t, legs["leg_doubts"], 2)
	meeting := ask(t, h, "meetings/"+traceWeekly, http.StatusOK)
	assert.Equal(t, legs["leg_doubts"], meeting["leg_doubts"])
	assert.NotContains(t, meeting, "doubt")
	w.batch.Gaps = append(w.batch.Gaps, store.Gap{ID: "i", At: at("14:29:00"), Bridge: london, Missing: new(int64(3))})
	w.write()
	doubt := map[string]any{"at": "2026-03-05T14:29:00Z", "missing": 3.0}
	assert.Equal(t, doubt, ask(t, h, "meetings/"+traceWeekly, http.StatusOK)["doubt"])
	assert.Equal(t, map[string]any{traceWeekly: doubt}, ask(t, h, "meetings?state=running", http.StatusOK)["meeting_doubts"])
}

// Parameters has every parameter that the package knows.
func TestParameters(t *testing.T) {
	var known []string
	files, err := filepath.Glob("*.go")
	require.NoError(t, err)
	for _, file := range files {
		text, err := os.ReadFile(file)
		require.NoError(t, err)
		for _, found := range regexp.MustCompile(`(?m)^\s+param[A-Z]\w+\s+= "(\w+)"`).FindAllStringSubmatch(string(text), -1) {
			known = append(known, found[1])
		}
	}
	require.Greater(t, len(known), 30)
	assert.ElementsMatch(t, known, Parameters())
}

// Requests for an overview that is being counted do not take up all pages: one waits,
// as long as its own time is, and others get an answer that asks them to retry.
func TestOverviewHoldsFewPages(t *testing.T) {
	w := newDay(t)
	v, err := w.store.View(t.Context())
	require.NoError(t, err)
	defer v.Close()
	c := newOverviewCache()
	c.counting <- struct{}{} // somebody counts, and does not get done
	ctx, cancel := context.WithCancel(t.Context())
	waited := make(chan error, 1)
	go func() {
		_, err := c.get(ctx, v, ranges[0], now)
		waited <- err
	}()
	require.Eventually(t, func() bool { return len(c.waiting) == 1 }, 10*time.Second, time.Millisecond)
	_, err = c.get(t.Context(), v, ranges[0], now)
	require.ErrorIs(t, err, errBusy)
	cancel()
	require.ErrorIs(t, <-waited, context.Canceled)
	<-c.counting
	_, err = c.get(t.Context(), v, ranges[0], now)
	require.NoError(t, err)
	_, err = c.get(t.Context(), nil, ranges[0], now)
	require.NoError(t, err, "what was counted")
}

// A link to a leg of a big meeting leads to the page that has it.
func TestLinkToALegOfABigMeeting(t *testing.T) {
	w := newWorld(t)
	trace := fmt.Sprintf("%032x", 0xb16)
	c := w.call(store.Room{RoomName: "All hands"}, trace, "8b1f8d2e-0000-4000-8000-00000000b001", "10:00:00", "11:00:00")
	const legs = 2*traceLegs + 50
	for i := range legs {
		w.leg(c, fmt.Sprint("Person ", i), fmt.Sprintf("p%d@example.test", i), "10:00:00", "11:00:00", nil)
	}
	w.write()
	all, err := store.Select[store.Leg](t.Context(), w.store, "ORDER BY started_at, id")
	require.NoError(t, err)
	require.Len(t, all, legs)
	h := w.handler()
	for _, i := range []int{0, traceLegs - 1, traceLegs, 2*traceLegs - 1, 2 * traceLegs, legs - 1} {
		address, fragment, _ := strings.Cut(traceURL("conferences", trace, all[i].SpanID), "#")
		page := get(t, h, "/"+address).Body.String()
		assert.Contains(t, page, `id="`+fragment+`"`, "leg %d", i)
		assert.Equal(t, i >= traceLegs, strings.Contains(page, "These are later legs"), "leg %d", i)
	}
}
