// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package page

import (
	"encoding/csv"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/legato-otel/legato/internal/archive/store"
	"github.com/legato-otel/legato/internal/names"
)

// newProxy is a day of a SIP proxy: a call that a Meeting Server has a leg of, and
// some that reached none.
func newProxy(tb testing.TB) *world {
	tb.Helper()
	w := newWorld(tb)
	add := func(trace, call, from, to string, more func(*store.Dialog)) {
		d := store.Dialog{Object: w.object(names.KindDialog, trace, "ocms-1", from, to), SIPCallID: call, Method: "INVITE", ToParty: "board@meet.example.test"}
		more(&d)
		w.batch.Dialogs = append(w.batch.Dialogs, d)
	}
	ended := func(result string, code int64, name, party string) func(*store.Dialog) {
		return func(d *store.Dialog) {
			d.Result, d.Code, d.FromName, d.FromParty, d.RingSeconds = result, new(code), name, party, new(4.0)
			if result == names.DialogFailed {
				d.ErrorType = "486"
			}
		}
	}
	c := *w.call(board, traceBoard, london, "12:58:40", "14:02:11")
	w.leg(&c, "Nora Quill", "nora.quill@example.test", "12:59:02", "14:01:50", func(l *store.Leg) { l.SIPCallID = "joined@h" })
	add(traceBoard, "joined@h", "12:59:00", "14:01:50", ended(names.DialogAnswered, 200, "Nora Quill", "nora.quill@example.test"))
	add(traceScan, "busy@h", "13:00:00", "13:00:20", ended(names.DialogFailed, 486, "Ada Birch", "ada.birch@example.test"))
	add(traceWeekly, "gone@h", "13:05:00", "13:05:09", ended(names.DialogCancelled, 487, "Bond, James", "james@example.test"))
	add(traceSession, "elsewhere@h", "13:10:00", "13:20:00", ended(names.DialogAnswered, 200, "", "jon.ives@example.test"))
	add(traceStandup, "ringing@h", "14:29:50", "", func(d *store.Dialog) { d.FromParty = "lea@example.test" })
	w.write()
	return w
}

// The list as it is: calls without a leg, newest first.
func TestSIPCallsGolden(t *testing.T) {
	got := get(t, newProxy(t).handler(), "/sipcalls?live=1").Body.String()
	file := filepath.Join("testdata", "sipcalls.html")
	if *update {
		require.NoError(t, os.WriteFile(file, []byte(got), 0o600))
	}
	want, err := os.ReadFile(file)
	require.NoError(t, err)
	assert.Equal(t, string(want), got, "go test ./internal/archive/page -run Golden -update, and read the difference")
}

var shownCallers = regexp.MustCompile(`<th scope="row"><a href="[^"]*"><bdi>([^<]*)</bdi>`)

func callersOf(page string) (all []string) {
	for _, m := range shownCallers.FindAllStringSubmatch(page, -1) {
		all = append(all, m[1])
	}
	return all
}

func TestSIPCalls(t *testing.T) {
	h := newProxy(t).handler()
	for query, want := range map[string][]string{
		"":                            {"lea@example.test", "jon.ives@example.test", "Bond, James", "Ada Birch"},
		"code=486":                    {"Ada Birch"},
		"code=200":                    {"jon.ives@example.test"},
		"result=cancelled":            {"Bond, James"},
		"result=challenged":           nil,
		"party=ada.b":                 {"Ada Birch"},
		"party=birch":                 nil,
		"party=birch&anywhere=1":      {"Ada Birch"},
		"party=board@":                {"lea@example.test", "jon.ives@example.test", "Bond, James", "Ada Birch"},
		"party=nora":                  nil,
		"from=2026-03-05T13:04":       {"lea@example.test", "jon.ives@example.test", "Bond, James"},
		"to=2026-03-05T13:04":         {"Ada Birch"},
		"since=1h":                    {"lea@example.test"},
		"state=ended&sort=from_party": {"Ada Birch", "Bond, James", "jon.ives@example.test"},
	} {
		answer := get(t, h, "/sipcalls?"+query)
		assert.Equal(t, http.StatusOK, answer.Code, query)
		assert.Equal(t, want, callersOf(answer.Body.String()), query)
	}
	page := get(t, h, "/sipcalls?code=486").Body.String()
	assert.Contains(t, page, `href="./sipcalls" aria-current="page"`)
	assert.Contains(t, page, `<span>Failed</span> <code><bdi>INVITE 486</bdi></code>`)
	assert.Contains(t, page, `href="traces/`+traceScan+`?span=`)
	for query, want := range map[string]string{
		"code=99": "must be a SIP status code", "code=x": "must be a SIP status code", "result=dead": "must be failed, cancelled", "sort=room_name": "must be one of started_at", "since=x": "must be a time span",
	} {
		answer := get(t, h, "/sipcalls?"+query)
		assert.Equal(t, http.StatusBadRequest, answer.Code, query)
		assert.Contains(t, answer.Body.String(), want, query)
		assert.Empty(t, callersOf(answer.Body.String()))
	}
}

func TestSIPCallsCSV(t *testing.T) {
	h := newProxy(t).handler()
	page := get(t, h, "/sipcalls?result=failed").Body.String()
	link := regexp.MustCompile(`href="\./(sipcalls\.csv\?[^"]*)">CSV<`).FindStringSubmatch(page)
	require.NotNil(t, link, page)
	answer := get(t, h, "/"+strings.ReplaceAll(link[1], "&amp;", "&"))
	assert.Equal(t, http.StatusOK, answer.Code)
	assert.Contains(t, answer.Header().Get("Content-Disposition"), "sipcalls.csv")
	lines, err := csv.NewReader(answer.Body).ReadAll()
	require.NoError(t, err)
	require.Len(t, lines, 2)
	assert.Contains(t, lines[1], "busy@h")
	assert.Contains(t, lines[1], "486")
	assert.Equal(t, http.StatusBadRequest, get(t, h, "/sipcalls.csv?code=1").Code)
}

// The list has pages, which meet.
func TestSIPCallsPages(t *testing.T) {
	w := newWorld(t)
	for range pageRows + 5 {
		w.batch.Dialogs = append(w.batch.Dialogs, store.Dialog{
			Object: w.object(names.KindDialog, traceBoard, "ocms-1", "13:00:00", "13:00:01"), SIPCallID: "x", Code: new(int64(404)), FromParty: "someone@example.test",
		})
	}
	w.write()
	h := w.handler()
	first := get(t, h, "/sipcalls?code=404").Body.String()
	assert.Len(t, callersOf(first), pageRows)
	next := regexp.MustCompile(`<a rel="next" href="\./([^"]*)"`).FindStringSubmatch(first)
	require.NotNil(t, next)
	assert.Len(t, callersOf(get(t, h, "/"+strings.ReplaceAll(next[1], "&amp;", "&")).Body.String()), 5)
}

// From the navigation to why a call never reached a meeting, in the browser.
func TestSIPCallsInTheBrowser(t *testing.T) {
	b := open(t, newProxy(t).handler())
	b.goTo("/")
	b.says("[...document.querySelectorAll('nav a')].find(a => a.textContent === 'SIP calls').click()")
	b.until("location.pathname === '/sipcalls' && document.readyState === 'complete'")
	assert.Equal(t, "SIP calls without a meeting", b.says("document.querySelector('h1').textContent"))
	b.do(chromedp.Focus("#f-code"))
	b.keys("4", "8", "6", kb.Enter)
	b.until("location.search.includes('code=486') && document.readyState === 'complete'")
	assert.Equal(t, "Ada Birch", b.says("[...document.querySelectorAll('tbody th a')].map(a => a.textContent).join()"))
	assert.Contains(t, b.says("document.querySelector('tbody').innerText"), "INVITE 486")
	b.do(chromedp.EmulateViewport(390, 844))
	assert.Equal(t, "390", b.says("document.documentElement.scrollWidth"))
	b.do(chromedp.EmulateViewport(1400, 900))
	screenshot(b.ctx, t, "sipcalls")
	b.do(chromedp.Focus("tbody th a"))
	b.keys(kb.Enter)
	b.until("location.pathname.startsWith('/traces/') && document.readyState === 'complete'")
	assert.Contains(t, b.says("document.body.innerText"), "Ada Birch")
}
