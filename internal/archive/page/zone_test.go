// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package page

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// in asks for an address as a browser in a zone does.
func in(t *testing.T, h http.Handler, zone, address string) string {
	t.Helper()
	request := httptest.NewRequestWithContext(t.Context(), http.MethodGet, address, nil)
	request.AddCookie(&http.Cookie{Name: zoneCookie, Value: strings.ReplaceAll(zone, "/", "%2F")})
	recorder := httptest.NewRecorder()
	h.ServeHTTP(recorder, request)
	require.Equal(t, http.StatusOK, recorder.Code, address)
	return recorder.Body.String()
}

// Times are in the zone of the browser; in that of the address without one.
func TestZone(t *testing.T) {
	h := newDay(t).handler()
	start := regexp.MustCompile(`<time datetime="2026-03-05T12:58:40.000Z"><span class="date">([^<]*)</span> <span class="clock">([^<]*)</span>`)
	for zone, want := range map[string][]string{
		"UTC": {"2026-03-05", "12:58:40"}, "Europe/Berlin": {"2026-03-05", "13:58:40"}, "Asia/Kolkata": {"2026-03-05", "18:28:40"}, "Pacific/Auckland": {"2026-03-06", "01:58:40"},
		"Local": {"2026-03-05", "12:58:40"}, "../etc/passwd": {"2026-03-05", "12:58:40"}, "No/Where": {"2026-03-05", "12:58:40"},
	} {
		assert.Equal(t, want, start.FindStringSubmatch(in(t, h, zone, "/"))[1:], zone)
	}
	page := get(t, h, "/?tz=Europe/Berlin").Body.String()
	assert.Equal(t, []string{"2026-03-05", "13:58:40"}, start.FindStringSubmatch(page)[1:])
	assert.Contains(t, page, "Europe/Berlin (UTC&#43;01:00)")
	assert.Contains(t, page, `<a href="?tz=UTC" data-utc>UTC</a>`)
	assert.Contains(t, in(t, h, "Europe/Berlin", "/conferences/"+traceBoard), "13:58:40</time> to <time datetime=\"2026-03-05T14:02:11.000Z\">15:02:11</time> CET")
	assert.Contains(t, in(t, h, "Asia/Kolkata", "/overview"), "2026-03-05")
	assert.Equal(t, http.StatusBadRequest, get(t, h, "/?tz=No/Where").Code)
}

// Days of the overview are those of the reader, also if somebody in another zone has just
// asked for the same one.
func TestZoneOfTheOverview(t *testing.T) {
	h := newDay(t).handler()
	column := regexp.MustCompile(`<title>([^<]*): ([0-9]+) legs, `)
	storage := regexp.MustCompile(`data-label="Since"><time datetime="2026-03-05T11:15:00.000Z"><span class="date">([^<]*)</span> <span class="clock">([^<]*)</span>`)
	for _, c := range []struct{ zone, last, legs, since string }{
		{"UTC", "2026-03-05 00:00:00 UTC", "45", "11:15:00"},
		{"Asia/Tokyo", "2026-03-05 00:00:00 JST", "45", "20:15:00"},
		{"Pacific/Auckland", "2026-03-06 00:00:00 NZDT", "21", "00:15:00"},
		{"Asia/Kolkata", "2026-03-05 00:00:00 IST", "45", "16:45:00"},
	} {
		for _, days := range []string{"30d", "90d"} {
			page := in(t, h, c.zone, "/overview?range="+days)
			columns := column.FindAllStringSubmatch(page, -1)
			assert.Equal(t, []string{c.last, c.legs}, columns[len(columns)-1][1:], c.zone)
			assert.Equal(t, c.since, storage.FindStringSubmatch(page)[2], c.zone)
		}
	}
	// The API is for programs, in UTC.
	buckets := ask(t, h, "overview?range=30d", http.StatusOK)["buckets"].([]any)
	assert.Equal(t, "2026-03-05T00:00:00Z", buckets[len(buckets)-1].(map[string]any)["at"])
}

// However many names a zone is found under, few are kept.
func TestZonesAreBounded(t *testing.T) {
	for i := range 2 * mostZones {
		name := "Europe/" + strings.ReplaceAll(fmt.Sprintf("%012b", i), "0", "/")
		zoneNamed(strings.ReplaceAll(name, "1", "./") + "Berlin")
	}
	zonesLock.Lock()
	defer zonesLock.Unlock()
	assert.LessOrEqual(t, len(zones), mostZones)
}

// Times of a filter are in the zone of the address, so that a mailed address finds
// the same calls elsewhere; the form shows them in the reader's.
func TestZoneOfTheFilter(t *testing.T) {
	h := newDay(t).handler()
	address := "/?from=2026-03-05T13:50&to=2026-03-05T14:00&tz=Europe/Berlin"
	for _, zone := range []string{"UTC", "Europe/Berlin", "America/New_York"} {
		assert.Equal(t, []string{"Board meeting"}, rowNames(in(t, h, zone, address)), zone)
	}
	page := in(t, h, "America/New_York", address)
	assert.Contains(t, page, `name="from" type="datetime-local" value="2026-03-05T07:50"`)
	assert.Contains(t, page, `<input type="hidden" name="tz" value="America/New_York">`)
	// Without a zone in the address, times are in that of the page.
	assert.Equal(t, []string{"Board meeting"}, rowNames(in(t, h, "Europe/Berlin", "/?from=2026-03-05T13:50&to=2026-03-05T14:00&state=ended")))
	assert.Empty(t, rowNames(in(t, h, "UTC", "/?from=2026-03-05T13:50&to=2026-03-05T14:00&state=ended")))
	// So is the CSV.
	assert.Equal(t, 9, strings.Count(get(t, h, "/export.csv?from=2026-03-05T21:30&to=2026-03-05T22:20&tz=Asia/Tokyo").Body.String(), "\r\n"))
}

func TestTruncate(t *testing.T) {
	kathmandu, err := time.LoadLocation("Asia/Kathmandu")
	require.NoError(t, err)
	at := time.Date(2026, 3, 5, 3, 20, 0, 0, kathmandu) // UTC+05:45
	assert.Equal(t, time.Date(2026, 3, 5, 0, 0, 0, 0, kathmandu), truncate(at, 24*time.Hour))
	assert.Equal(t, time.Date(2026, 3, 5, 3, 0, 0, 0, kathmandu), truncate(at, time.Hour))
}

// Who sorts a list gets all of it in that order, and can turn it round.
func TestSortedList(t *testing.T) {
	h := newDay(t).handler()
	page := get(t, h, "/?sort=-duration_seconds&state=ended").Body.String()
	assert.Equal(t, "Board meeting", rowNames(page)[0])
	assert.Contains(t, page, `<th scope="col" class="number" aria-sort="descending"><a href="./?sort=duration_seconds&amp;state=ended">Lasted`)
	assert.Contains(t, page, "Back to the newest first")
	assert.NotContains(t, page, `rel="next"`)
	assert.Equal(t, "Weekly sync", rowNames(get(t, h, "/?sort=-room_name&state=ended").Body.String())[0])
	assert.Equal(t, "Tomás Ferreira", rowNames(get(t, h, "/legs?sort=-packet_loss_percent&state=ended").Body.String())[0])
	answer := get(t, h, "/?sort=digest")
	assert.Equal(t, http.StatusBadRequest, answer.Code)
	assert.Contains(t, answer.Body.String(), "The order must be one of started_at, room_name")
}

// The browser's zone is shown without a question, UTC is one click away and stays,
// and the heads of a list stay in sight.
func TestZoneInTheBrowser(t *testing.T) {
	b := open(t, newDay(t).handler())
	_, err := chromedp.Call(b.ctx, emulation.SetTimezoneOverride, emulation.SetTimezoneOverrideParams{TimezoneID: "Asia/Tokyo"})
	require.NoError(t, err)
	b.goTo("/legs")
	b.until("document.querySelector('[data-zone]').dataset.zone === 'Asia/Tokyo'")
	assert.Contains(t, b.says("document.body.innerText"), "21:58:40")
	b.says("document.querySelector('[data-utc]').click()")
	b.until("document.querySelector('[data-zone]').dataset.zone === 'UTC'")
	b.goTo("/")
	assert.Contains(t, b.says("document.body.innerText"), "12:58:40")
	b.says("[...document.querySelectorAll('.zone a')].find(a => a.textContent === 'Asia/Tokyo').click()")
	b.until("document.querySelector('[data-zone]').dataset.zone === 'Asia/Tokyo'")
	b.goTo("/legs")
	b.do(chromedp.EmulateViewport(1400, 500))
	b.says("scrollTo(0, 900)")
	b.until("scrollY > 300")
	assert.Equal(t, "0", b.says("Math.round(document.querySelector('section:last-of-type thead th').getBoundingClientRect().top)"))
}
