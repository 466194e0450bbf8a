// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package page

import (
	"encoding/csv"
	"html"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/legato-otel/legato/internal/archive/store"
	"github.com/legato-otel/legato/internal/testkit/postgres"
)

// words of a page, without its elements.
func words(page string) string {
	text := regexp.MustCompile(`(?s)<[^>]*>`).ReplaceAllString(page, " ")
	return strings.Join(strings.Fields(text), " ")
}

func TestPersonPage(t *testing.T) {
	h := newDay(t).handler()
	page := get(t, h, "/people?address=T.Ferreira@example.test").Body.String()
	text := words(page)
	assert.Contains(t, text, "Person or endpoint Tomás Ferreira")
	assert.Contains(t, text, "calls 2 failed ✕ 1 (50.0 %) with packet loss 2 (100.0 %) of them bad ▲ 2 (100.0 %) in calls 57 min 00 s")
	assert.Contains(t, text, "Last call Started 2026-03-05 13:42:30 Meeting Board meeting Lasted 19 min 14 s Left because Hung up")
	assert.Contains(t, text, "Others on bridge cms-london , 12:42:30 to 14:42:30 7 calls, 3 with packet loss , 2 failed")
	assert.Contains(t, page, `href="./legs?bridge=`+london+`&amp;from=2026-03-05T12%3A42%3A30Z&amp;loss=0.1&amp;to=2026-03-05T14%3A42%3A30Z"`)
	assert.Contains(t, page, `href="./rooms?id=`+board.RoomID+`"`)
	assert.Contains(t, page, "export.csv?address=T.Ferreira%40example.test&amp;form=excel")
	assert.Equal(t, []string{"Tomás Ferreira", "Tomás Ferreira"}, rowNames(page))
	// A person in a running call is shown as in a call, and a name without an address has a page too.
	assert.Contains(t, words(get(t, h, "/people?name=Ada+Birch").Body.String()), "Is in a call")
	assert.Contains(t, get(t, h, "/legs").Body.String(), `<a href="people?address=t.ferreira%40example.test">all calls</a>`)
	assert.Equal(t, http.StatusNotFound, get(t, h, "/people?name=nobody").Code)
	assert.Equal(t, http.StatusSeeOther, get(t, h, "/people").Code)
	assert.Equal(t, http.StatusSeeOther, get(t, h, "/people?name=%ff").Code)
}

func TestRoomPage(t *testing.T) {
	h := newDay(t).handler()
	page := get(t, h, "/rooms?id="+board.RoomID).Body.String()
	text := words(page)
	assert.Contains(t, text, "Room Board meeting")
	assert.Contains(t, text, "meeting 1 with failures or packet loss 1 (100.0 %)")
	assert.Contains(t, page, `href="./people?address=t.ferreira%40example.test"`)
	assert.Contains(t, text, "cms-london")
	assert.Equal(t, []string{"Board meeting"}, rowNames(page))
	assert.Contains(t, words(get(t, h, "/rooms?name=weekly+SYNC").Body.String()), "running now 1")
	assert.Contains(t, get(t, h, "/conferences/"+traceBoard).Body.String(), `<h1><a href="./../rooms?id=`+board.RoomID+`">`)
	assert.Equal(t, http.StatusNotFound, get(t, h, "/rooms?name=nowhere").Code)
	assert.Equal(t, http.StatusSeeOther, get(t, h, "/rooms").Code)
}

func TestSearchPage(t *testing.T) {
	h := newDay(t).handler()
	page := get(t, h, "/search?q=ERREIRA").Body.String()
	assert.Contains(t, page, `<a href="people?name=Tom%C3%A1s&#43;Ferreira"><bdi class="cut">Tomás Ferreira`)
	assert.Contains(t, page, `<a href="people?address=t.ferreira%40example.test">`)
	assert.Contains(t, words(get(t, h, "/search?q=board").Body.String()), "Rooms Rooms, seen last first Which Last seen Board meeting 2026-03-05")
	assert.Contains(t, get(t, h, "/search?q=cto").Body.String(), `<a href="./?owner=Office&#43;of&#43;the&#43;CTO">`)
	assert.Contains(t, get(t, h, "/search?q=oslo").Body.String(), `<a href="legs?bridge=cms-oslo">`)
	assert.Contains(t, words(get(t, h, "/search?q=no").Body.String()), "only what begins so is found")
	assert.Contains(t, words(get(t, h, "/search?q=nobody").Body.String()), "Nothing found.")
	answer := get(t, h, "/find?id=ferreira")
	assert.Equal(t, "./search?q=ferreira", answer.Header().Get("Location"))
}

// The CSV of a person has this person's calls, and that of a room this room's meetings: not
// those of others whose name goes on.
func TestExportsOfOne(t *testing.T) {
	w := newDay(t)
	call := *w.call(store.Room{RoomName: "Design review 2"}, "de510000000000000000000000000001", oslo, "02:00:00", "03:00:00")
	w.leg(&call, "Pia Rowena", "user2@example.test.example.org", "02:00:00", "03:00:00", nil)
	w.leg(&call, "Pia Rowe", "other@example.test", "02:00:00", "03:00:00", nil)
	w.write()
	h := w.handler()
	link := regexp.MustCompile(`href="(?:\./)?((?:export|meetings)\.csv[^"]*form=machine[^"]*)"`)
	export := func(address string) [][]string {
		found := link.FindStringSubmatch(get(t, h, address).Body.String())
		require.NotNil(t, found, address)
		answer := get(t, h, "/"+html.UnescapeString(found[1]))
		require.Equal(t, http.StatusOK, answer.Code, found[1])
		lines, err := csv.NewReader(answer.Body).ReadAll()
		require.NoError(t, err)
		return lines
	}
	columnOf := func(lines [][]string, name string) (texts []string) {
		for _, line := range lines[1:] {
			if text := line[slices.Index(lines[0], name)]; !slices.Contains(texts, text) {
				texts = append(texts, text)
			}
		}
		return texts
	}
	assert.Equal(t, []string{"user2@example.test"}, columnOf(export("/people?address=user2@example.test"), "remote_party"))
	assert.Equal(t, []string{"Pia Rowe"}, columnOf(export("/people?name=pia+rowe"), "participant"))
	assert.Equal(t, []string{"Design review"}, columnOf(export("/rooms?name=design+review"), "room_name"))
	assert.Equal(t, []string{board.RoomName}, columnOf(export("/rooms?id="+board.RoomID), "room_name"))
	assert.Equal(t, http.StatusBadRequest, get(t, h, "/export.csv?address=%ff").Code)
	assert.Equal(t, http.StatusBadRequest, get(t, h, "/export.csv?name="+strings.Repeat("x", maxValue+1)).Code, "never those of everybody instead")
}

// Names that are too long for an address have no page, and break none.
func TestPagesOfLongNames(t *testing.T) {
	assert.Empty(t, personURL("", strings.Repeat("W", 301)))
	assert.Empty(t, roomURL("", strings.Repeat("W", 301)))
	assert.Empty(t, personURL("", ""))
	assert.Equal(t, "people?"+url.Values{paramName: {`"><b>`}}.Encode(), personURL("", `"><b>`))
}

// A helpdesk's day: somebody calls who had a bad line. The helpdesk finds the person
// by a part of the name, sees the quality of the last call, sees that others on the
// same bridge had packet loss at that time, and downloads that.
func TestHelpdesk(t *testing.T) {
	for _, driver := range store.Drivers() {
		t.Run(driver, func(t *testing.T) {
			w := newWorld(t)
			if driver == store.PostgreSQL {
				w = newWorldIn(t, driver, postgres.Shared(t).Database(t))
			}
			w.day()
			b := open(t, w.handler())
			b.goTo("/")
			b.do(chromedp.Focus("#find-id"))
			b.keys("e", "r", "r", "e", "i", kb.Enter)
			b.until("location.pathname === '/search' && document.readyState === 'complete'")
			assert.Equal(t, "Tomás Ferreira,t.ferreira@example.test", b.says("[...document.querySelectorAll('.seen tbody a')].map(a => a.textContent).join()"))
			screenshot(b.ctx, t, "helpdesk-1-search-"+driver)
			b.says("[...document.querySelectorAll('.seen a')].find(a => a.textContent === 't.ferreira@example.test').click()")
			b.until("location.pathname === '/people' && document.readyState === 'complete'")
			assert.Contains(t, b.says("document.querySelector('#h-last').parentElement.innerText"), "11.2 % loss")
			screenshot(b.ctx, t, "helpdesk-2-person-"+driver)
			others := "[...document.querySelectorAll('#h-last ~ dl a')].find(a => a.textContent.includes('with packet loss'))"
			assert.Equal(t, "3 with packet loss", b.says(others+".textContent"))
			b.says(others + ".click()")
			b.until("location.pathname === '/legs' && document.readyState === 'complete'")
			assert.Equal(t, "Tomás Ferreira,Tomás Ferreira,Boardroom 4", b.says("[...document.querySelectorAll('tbody th > a')].map(a => a.textContent).join()"))
			screenshot(b.ctx, t, "helpdesk-3-others-"+driver)
			link := b.says("[...document.querySelectorAll('.export a')].find(a => a.textContent === 'CSV').getAttribute('href')")
			answer := get(t, w.handler(), strings.TrimPrefix(link, "."))
			require.Equal(t, http.StatusOK, answer.Code)
			assert.Equal(t, 4, strings.Count(answer.Body.String(), "\r\n"), answer.Body.String())
			lines, err := csv.NewReader(answer.Body).ReadAll()
			require.NoError(t, err)
			var losses []string
			for _, line := range lines[1:] {
				losses = append(losses, line[slices.Index(lines[0], "participant")]+" "+line[slices.Index(lines[0], "packet_loss_percent")]+" "+line[slices.Index(lines[0], "bridge_name")])
			}
			assert.Equal(t, []string{"Boardroom 4 2.4 cms-london", "Tomás Ferreira 18.6 cms-london", "Tomás Ferreira 11.2 cms-london"}, losses)
		})
	}
}
