// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package page

import (
	"encoding/json"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// ask asks the API and reads its answer.
func ask(t *testing.T, h http.Handler, path string, status int) map[string]any {
	t.Helper()
	answer := get(t, h, apiPrefix+path)
	require.Equal(t, status, answer.Code, "%s: %s", path, answer.Body)
	require.Equal(t, "application/json; charset=utf-8", answer.Header().Get("Content-Type"))
	var body map[string]any
	require.NoError(t, json.Unmarshal(answer.Body.Bytes(), &body), answer.Body.String())
	return body
}

func TestAPI(t *testing.T) {
	w := newDay(t)
	_, err := w.store.AddUpUsage(t.Context(), now)
	require.NoError(t, err)
	h := w.handler()
	rows := func(path string) []any {
		data, ok := ask(t, h, path, http.StatusOK)["data"].([]any)
		require.True(t, ok, path)
		return data
	}
	meeting := rows("meetings?room=board")[0].(map[string]any)
	assert.Equal(t, traceBoard, meeting["trace_id"])
	assert.Equal(t, "2026-03-05T12:58:40.000Z", meeting["started_at"])
	assert.InDelta(t, 3811, meeting["duration_seconds"], 0)
	assert.NotContains(t, meeting, "revision")
	leg := rows("legs?reason=ringingTimeout")[0].(map[string]any)
	assert.Equal(t, "Legal hotline", leg["display_name"])
	assert.Equal(t, "+4420794600", leg["remote_party"], "machines get it as it is")
	assert.NotContains(t, leg, "packet_loss_percent", "what is not known is absent")
	assert.Equal(t, true, leg["encrypted_media"])
	assert.Len(t, rows("sessions"), 1)
	assert.Equal(t, true, ask(t, h, "legs?sort=-packet_loss_percent&limit=1", http.StatusOK)["more"], "a sorted list that is cut says so")
	assert.NotContains(t, ask(t, h, "legs?sort=-packet_loss_percent&limit=500", http.StatusOK), "more")
	assert.NotContains(t, ask(t, h, "legs?limit=1", http.StatusOK), "more", "it has a next page")
	assert.Equal(t, "Tomás Ferreira", rows("legs?sort=-packet_loss_percent&limit=1")[0].(map[string]any)["display_name"])
	assert.Empty(t, rows("meetings?party=nobody"))

	board := ask(t, h, "meetings/"+traceBoard, http.StatusOK)
	assert.Len(t, board["calls"], 2)
	assert.Len(t, board["legs"], 11)
	assert.Equal(t, "Board meeting", board["meeting"].(map[string]any)["room_name"])
	assert.Len(t, ask(t, h, "meetings/"+traceBoard+"?limit=3", http.StatusOK)["legs"], 3)
	person := ask(t, h, "people?address=t.ferreira@example.test", http.StatusOK)
	assert.InDelta(t, 2, person["legs"], 0)
	assert.InDelta(t, 2, person["bad_loss"], 0)
	assert.Len(t, rows("people/legs?name=Tom%C3%A1s+ferreira"), 2)
	assert.InDelta(t, 1, ask(t, h, "rooms?name=board+meeting", http.StatusOK)["meetings"], 0)
	assert.Len(t, rows("rooms/meetings?id="+"c05bace0-0000-4000-8000-000000000001"), 1)
	assert.Equal(t, "t.ferreira@example.test", rows("search?q=erreira%40")[0].(map[string]any)["text"].(string)[:23])
	assert.InDelta(t, 2, ask(t, h, "running", http.StatusOK)["legs"], 0)
	assert.Len(t, ask(t, h, "overview?range=7d", http.StatusOK)["buckets"], 29)
	usage := rows("usage?range=24h")
	assert.InDelta(t, 8, usage[len(usage)-2].(map[string]any)["peak_legs"], 0)
	assert.NotEmpty(t, rows("usage/tags?month=2026-03"))

	for path, field := range map[string]string{
		"meetings?loss=x": "loss", "legs?limit=501": "limit", "legs?limit=0": "limit", "legs?sort=digest": "sort", "people": "address", "rooms": "id",
		"usage?of=bridge": "of", "usage?of=tenant:": "of", "usage?of=all:x": "of", "usage/tags?month=2026-13": "month", "usage/tags?month=x": "month", "sip-calls?result=x": "result",
		"usage?range=1y": "range", "legs?tz=x": "tz", "legs?after=x": "after",
	} {
		failure := ask(t, h, path, http.StatusBadRequest)["error"].(map[string]any)
		assert.Contains(t, failure["fields"], field, path)
	}
	for _, path := range []string{"meetings/nothing", "people?name=nobody", "rooms?name=nowhere", "nothing", ""} {
		failure := ask(t, h, path, http.StatusNotFound)["error"].(map[string]any)
		assert.InDelta(t, 404, failure["status"], 0)
	}
}

// Following next, a program gets all rows once.
func TestAPIPages(t *testing.T) {
	h := newDay(t).handler()
	seen := map[string]bool{}
	pages := 0
	for path := "legs?limit=7&state=ended"; path != ""; pages++ {
		page := ask(t, h, path, http.StatusOK)
		for _, row := range page["data"].([]any) {
			id := row.(map[string]any)["id"].(string)
			assert.False(t, seen[id], "twice")
			seen[id] = true
		}
		path = ""
		if next, ok := page["next"].(string); ok {
			assert.Contains(t, next, "limit=7")
			path = "legs" + next
		}
	}
	all := ask(t, h, "legs?limit=500&state=ended", http.StatusOK)["data"].([]any)
	assert.Len(t, seen, len(all))
	assert.Greater(t, pages, 3)
}

// The documentation has every route, and no other.
func TestAPIDocumented(t *testing.T) {
	text, err := os.ReadFile(filepath.Join("..", "..", "..", "docs", "call-archive-api.md"))
	require.NoError(t, err)
	var documented []string
	for _, found := range regexp.MustCompile("(?m)^\\| `GET /api/v1/([^`?]*)").FindAllStringSubmatch(string(text), -1) {
		documented = append(documented, found[1])
	}
	slices.Sort(documented)
	assert.Equal(t, slices.Sorted(maps.Keys((&handler{}).apiRoutes())), documented)
}

func TestCapacityPage(t *testing.T) {
	w := newDay(t)
	h := w.handler()
	empty := words(get(t, h, "/capacity").Body.String())
	assert.Contains(t, empty, "Nothing was used in this month.")
	_, err := w.store.AddUpUsage(t.Context(), now)
	require.NoError(t, err)
	page := get(t, h, "/capacity?range=24h").Body.String()
	text := words(page)
	assert.Contains(t, text, "Most call legs at once, by hour The highest column is 8.")
	assert.Contains(t, text, "Most meetings at once, by hour The highest column is 1.")
	assert.Contains(t, text, "2026-03-05 13:00:00 8 1")
	assert.Contains(t, text, "Minutes by tenant and tag in 2026-03 (UTC)")
	assert.Contains(t, text, board.TenantID)
	assert.Contains(t, text, "bridge cms-london bridge cms-oslo")
	one := words(get(t, h, "/capacity?range=24h&of=bridge:"+oslo).Body.String())
	assert.Contains(t, one, "Most call legs at once, by hour The highest column is 5.")
	assert.Contains(t, words(get(t, h, "/capacity?range=90d&month=2026-02").Body.String()), "by day The highest column is 8.")
	assert.Equal(t, http.StatusOK, get(t, h, "/capacity?range=x&of=bridge:none&month=x").Code)
	assert.Equal(t, http.StatusBadRequest, get(t, h, "/usage.csv?month=2026-3").Code, "never another month instead")
	assert.Equal(t, http.StatusBadRequest, get(t, h, "/usage.csv?form=x").Code)
	assert.True(t, strings.HasPrefix(get(t, h, "/usage.csv?form=excel").Body.String(), "\ufeffmonth,"))
	assert.Contains(t, page, `href="./usage.csv?form=machine&amp;month=2026-03"`)
	csv := get(t, h, "/usage.csv?month=2026-03")
	assert.Equal(t, http.StatusOK, csv.Code)
	assert.True(t, strings.HasPrefix(csv.Body.String(), "month,tenant_id,tag,legs,meetings,minutes\r\n2026-03,"), csv.Body.String())
}

// Errors under /api/ are JSON: also of another version, of no route, and of another method.
func TestAPIErrorsAreJSON(t *testing.T) {
	h := newDay(t).handler()
	for _, row := range []struct {
		method, path string
		want         int
	}{
		{http.MethodGet, "/api/v1/nothing", http.StatusNotFound},
		{http.MethodGet, "/api/v2/running", http.StatusNotFound},
		{http.MethodGet, "/api/", http.StatusNotFound},
		{http.MethodGet, "/api", http.StatusNotFound},
		{http.MethodPost, "/api/v1/running", http.StatusMethodNotAllowed},
		{http.MethodGet, "/api/v1/running?x=" + strings.Repeat("a", maxQuery), http.StatusRequestURITooLong},
		{http.MethodGet, "/api/v1/legs?limit=x", http.StatusBadRequest},
		{http.MethodGet, "/api/v1/usage/tags?month=x", http.StatusBadRequest},
	} {
		answer := httptest.NewRecorder()
		h.ServeHTTP(answer, httptest.NewRequestWithContext(t.Context(), row.method, row.path, http.NoBody))
		assert.Equal(t, row.want, answer.Code, row.path)
		assert.Equal(t, "application/json; charset=utf-8", answer.Header().Get("Content-Type"), row.path)
		var body struct {
			Error struct {
				Status  int
				Message string
			}
		}
		require.NoError(t, json.Unmarshal(answer.Body.Bytes(), &body), "%s: %s", row.path, answer.Body)
		assert.Equal(t, row.want, body.Error.Status, row.path)
		assert.NotEmpty(t, body.Error.Message, row.path)
	}
}
