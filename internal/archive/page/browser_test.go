// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package page

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/legato-otel/legato/internal/archive/store"
)

// newBrowser starts a headless Chromium with a window of its own. Where there is
// none, tests skip, unless LEGATO_REQUIRE_CHROMIUM is set: .ci/run sets it, so that
// nothing is skipped unseen.
func newBrowser(t *testing.T) context.Context {
	t.Helper()
	path := ""
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome", "google-chrome-stable"} {
		if found, err := exec.LookPath(name); err == nil {
			path = found
			break
		}
	}
	if path == "" {
		if os.Getenv("LEGATO_REQUIRE_CHROMIUM") != "" {
			t.Fatal("Chromium is not installed (Debian: apt-get install chromium)")
		}
		t.Skip("Chromium is not installed (Debian: apt-get install chromium)")
	}
	ctx, stop := chromedp.NewExecAllocator(context.WithoutCancel(t.Context()), chromedp.ExecPath(path), chromedp.NoSandbox, chromedp.DisableGPU, chromedp.NoFirstRun,
		chromedp.Headless, chromedp.WindowSize(1400, 900), chromedp.UserDataDir(t.TempDir()), chromedp.Flag("disable-quic", true),
		chromedp.Flag("disable-background-networking", true), chromedp.Flag("disable-component-update", true), chromedp.Flag("disable-sync", true))
	t.Cleanup(stop)
	ctx, stop = chromedp.NewContext(ctx)
	t.Cleanup(stop)
	require.NoError(t, chromedp.Do(ctx)) // starts it, without an end
	ctx, stop = context.WithTimeout(ctx, 2*time.Minute)
	t.Cleanup(stop)
	return ctx
}

// screenshot keeps what the page looks like in build/screenshots, for people.
func screenshot(ctx context.Context, t *testing.T, name string) {
	t.Helper()
	picture, err := chromedp.Run(ctx, chromedp.FullScreenshot(100))
	require.NoError(t, err)
	directory := filepath.Join("..", "..", "..", "build", "screenshots")
	require.NoError(t, os.MkdirAll(directory, 0o755))
	require.NoError(t, os.WriteFile(filepath.Join(directory, name+".png"), picture, 0o600))
}

// tab is a page in the browser, and what went wrong in it.
type tab struct {
	t   *testing.T
	ctx context.Context
	url string

	mu       sync.Mutex
	troubles []string
}

// open opens a tab on the pages. Whatever the browser complains of (a script that
// was kept from running, a dialog, an exception) fails the test.
func open(t *testing.T, h http.Handler) *tab {
	t.Helper()
	server := httptest.NewServer(h)
	t.Cleanup(server.Close)
	b := &tab{t: t, ctx: newBrowser(t), url: server.URL}
	require.NoError(t, chromedp.Listen(b.ctx, func(event any) {
		b.mu.Lock()
		defer b.mu.Unlock()
		switch event := event.(type) {
		case *page.EventJavascriptDialogOpening:
			b.troubles = append(b.troubles, "a dialog: "+event.Message)
		case *runtime.EventExceptionThrown:
			b.troubles = append(b.troubles, "an exception: "+event.ExceptionDetails.Text)
		case *log.EventEntryAdded:
			b.troubles = append(b.troubles, event.Entry.Text)
		case *network.EventRequestWillBeSent:
			if !strings.HasPrefix(event.Request.URL, b.url) && !strings.HasPrefix(event.Request.URL, "data:") {
				b.troubles = append(b.troubles, "asks "+event.Request.URL)
			}
		}
	}))
	_, err := chromedp.Call(b.ctx, log.Enable, cdp.Empty{})
	require.NoError(t, err)
	_, err = chromedp.Call(b.ctx, network.Enable, network.EnableParams{})
	require.NoError(t, err)
	t.Cleanup(func() {
		b.mu.Lock()
		defer b.mu.Unlock()
		assert.Empty(t, b.troubles)
	})
	return b
}

func (b *tab) do(steps ...chromedp.Action[chromedp.Void]) {
	b.t.Helper()
	require.NoError(b.t, chromedp.Do(b.ctx, steps...))
}

func (b *tab) goTo(path string) { b.t.Helper(); b.do(chromedp.Navigate(b.url + path)) }

// keys presses keys, one after the other.
func (b *tab) keys(keys ...string) {
	b.t.Helper()
	for _, key := range keys {
		b.do(chromedp.KeyEvent(key))
	}
}

// says is the value of an expression, as text.
func (b *tab) says(expression string) string {
	b.t.Helper()
	text, err := chromedp.Run(b.ctx, chromedp.Evaluate[string]("String("+expression+")"))
	require.NoError(b.t, err)
	return text
}

// until waits until an expression is true.
func (b *tab) until(expression string) {
	b.t.Helper()
	require.Eventually(b.t, func() bool {
		text, err := chromedp.Run(b.ctx, chromedp.Evaluate[string]("String(!!("+expression+"))"))
		return err == nil && text == "true"
	}, time.Minute, 50*time.Millisecond, expression)
}

// From the list to who left why, without a mouse.
func TestByKeyboard(t *testing.T) {
	b := open(t, newDay(t).handler())
	b.goTo("/")
	b.keys(kb.Tab)
	assert.Equal(t, "Skip to the content", b.says("document.activeElement.textContent"))
	b.keys(kb.Enter)
	b.until("document.activeElement.id === 'main'")
	b.keys(kb.Tab)
	assert.Equal(t, "f-party", b.says("document.activeElement.id"))
	b.keys("t", ".", "f", "e", "r", kb.Enter)
	b.until("location.search.includes('party=t.fer')")
	b.until("document.readyState === 'complete'")
	assert.Equal(t, "Board meeting", b.says("[...document.querySelectorAll('tbody th a')].map(a => a.textContent).join()"))
	b.do(chromedp.Focus("tbody th a"))
	b.keys(kb.Enter)
	b.until("location.pathname.startsWith('/conferences/') && document.readyState === 'complete'")
	assert.Equal(t, "Board meeting", b.says("document.querySelector('h1').textContent"))
	b.do(chromedp.Focus(".rows .call summary"))
	for range 6 {
		b.keys(kb.ArrowDown)
	}
	assert.Contains(t, b.says("document.activeElement.textContent"), "Tomás Ferreira")
	assert.Contains(t, b.says("document.activeElement.textContent"), "Connection timed out")
	assert.Contains(t, b.says("document.activeElement.textContent"), "18.6 %")
	outline := b.says("getComputedStyle(document.activeElement).outlineStyle")
	assert.Equal(t, "solid", outline)
	b.keys(kb.Enter)
	b.until("document.activeElement.parentElement.open")
	assert.Contains(t, b.says("document.activeElement.parentElement.innerText"), "t.ferreira@example.test")
	screenshot(b.ctx, t, "leg-opened")
	// A moved leg leads to the one that it continues, which opens.
	link := "[...document.querySelectorAll('.links a')].find(a => a.textContent === 'Continues another leg')"
	b.says(link + ".closest('details').open = true")
	target := b.says(link + ".hash")
	b.says(link + ".click()")
	b.until("location.hash === '" + target + "' && document.querySelector('" + target + " details').open")
}

// What runs changes on the page as it changes in the archive; what is open stays
// open, what has the focus keeps it, and it ends when the meeting does.
func TestLive(t *testing.T) {
	w := newDay(t)
	b := open(t, w.handler())
	b.goTo("/conferences/" + traceWeekly)
	require.Equal(t, "4", b.says("document.querySelector('[data-live]').dataset.live"))
	b.do(chromedp.Focus(".rows .leg summary"))
	b.keys(kb.Enter)
	b.until("document.activeElement.parentElement.open")
	b.says("window.before = document.activeElement")
	call := store.Call{Object: store.Object{ID: "late", TraceID: traceWeekly, Bridge: oslo}, Room: weekly}
	w.leg(&call, "Late <b>Lena</b>", "lena@example.test", "14:29:00", "", nil)
	w.write()
	b.until("document.body.innerText.includes('Late <b>Lena</b>')")
	assert.Equal(t, "true", b.says("window.before !== document.activeElement && document.activeElement.matches('summary') && document.activeElement.parentElement.open"))
	assert.Equal(t, "Ingrid Solheim", b.says("document.activeElement.querySelector('.name').textContent"))
	// Events about a participant show on the meeting, and in the list of what runs.
	w.batch.LegChanges = append(w.batch.LegChanges, store.LegChange{LegState: store.LegState{ID: "p-lena@example.test", At: now, State: "onHold", AudioMuted: new(true)}})
	w.write()
	b.until("[...document.querySelectorAll('.rows li.leg')].some(leg => leg.innerText.includes('Lena') && leg.innerText.includes('On hold') && leg.innerText.includes('audio muted'))")
	b.goTo("/")
	b.until("document.querySelector('[role=status]').textContent === '1 meeting with 3 legs'")
	assert.Contains(t, b.says("document.querySelector('#live').innerText"), "1 on hold · 1 muted")
	ended := *w.call(standup, "abcdef00000000000000000000000000", london, "14:29:30", "")
	w.write()
	// Text that the reader has selected elsewhere holds nothing up.
	b.says("document.getSelection().selectAllChildren(document.querySelector('h1'))")
	b.until("document.querySelector('[role=status]').textContent === '2 meetings with 3 legs'")
	assert.Contains(t, b.says("document.querySelector('#live').innerText"), "Stand-up")
	assert.Contains(t, b.says("document.querySelector('time').title"), "202")
	// A meeting that ends goes from one list to the other.
	ended.Phase, ended.State, ended.Outcome = store.Stitched, store.StateEnded, "complete"
	ended.EndedAt, ended.LastHeardAt, ended.DurationSeconds = ended.StartedAt.Add(time.Minute), ended.StartedAt.Add(time.Minute), new(60.0)
	w.batch.Calls = append(w.batch.Calls, ended)
	w.write()
	b.until("document.querySelector('#ended [data-key=c-abcdef00000000000000000000000000]') !== null")
	assert.NotContains(t, b.says("document.querySelector('#live').innerText"), "Stand-up")
}

// Names that strangers gave themselves are read, not run.
func TestHostileInTheBrowser(t *testing.T) {
	b := open(t, written(t, hostile))
	for _, path := range []string{"/", "/legs", "/sessions", "/sipcalls", "/overview", fmt.Sprintf("/conferences/%032x", 1), fmt.Sprintf("/conferences/%032x", 2), "/traces/" + traceSession} {
		b.goTo(path)
		assert.Equal(t, "1", b.says("document.scripts.length"), path)
		assert.Equal(t, "0", b.says("document.querySelectorAll('main img, main iframe, main base, main style, main meta, main script, main [onload], main [onerror], main [onmouseover]').length"))
		assert.Equal(t, "true", b.says("document.documentElement.scrollWidth <= innerWidth"), "%s: a long name widens the page", path)
	}
	b.goTo("/legs")
	assert.Contains(t, b.says("document.body.innerText"), "<script>alert(1)</script>")
	screenshot(b.ctx, t, "hostile")
}

// No page is wider than a telephone.
func TestNarrow(t *testing.T) {
	b := open(t, newDay(t).handler())
	b.do(chromedp.EmulateViewport(390, 844))
	for _, path := range []string{"/", "/?min=1", "/legs", "/sessions", "/overview", "/capacity", "/people?address=t.ferreira@example.test", "/rooms?id=" + board.RoomID, "/search?q=example", "/conferences/" + traceBoard, "/traces/" + traceSession} {
		b.goTo(path)
		assert.Equal(t, "390", b.says("document.documentElement.scrollWidth"), path)
	}
}

// boxes is the script that returns the boxes of the shown elements of a selector.
const boxes = `[...document.querySelectorAll("%s")].map(e => e.getBoundingClientRect()).filter(b => b.width > 0)`

// The search, the zone and the brand share a row, and nothing in it overlaps.
func TestTopRow(t *testing.T) {
	b := open(t, newDay(t).handler())
	for width, rows := range map[int64]string{420: "2", 640: "2", 768: "1", 1024: "1", 1200: "1", 1400: "1"} {
		b.do(chromedp.EmulateViewport(width, 900))
		for _, path := range []string{"/", "/?tz=Europe/Oslo"} {
			b.goTo(path)
			assert.Equal(t, rows, b.says("new Set("+fmt.Sprintf(boxes, ".brand, .zone, .find")+".map(b => Math.round((b.top + b.bottom) / 40))).size"), "%s at %d", path, width)
			assert.Equal(t, "true", b.says("document.documentElement.scrollWidth <= innerWidth"), "%s at %d", path, width)
		}
	}
}

// The table of the worst legs has the width of its section, and cuts no name that fits.
func TestWorstIsWide(t *testing.T) {
	b := open(t, newDay(t).handler())
	for _, width := range []int64{390, 420, 600, 768, 1200} {
		b.do(chromedp.EmulateViewport(width, 900))
		b.goTo("/conferences/" + traceBoard)
		assert.Equal(t, "true", b.says("document.querySelector('.worst tbody tr').offsetWidth >= document.querySelector('.worst').parentElement.clientWidth - 1"), "%d", width)
		assert.Empty(t, b.says("[...document.querySelectorAll('.worst .cut')].filter(e => e.scrollWidth > e.clientWidth).map(e => e.textContent).join()"), "%d", width)
	}
}

// No label of an axis or chart covers the next one.
func TestLabelsDoNotOverlap(t *testing.T) {
	w := newDay(t)
	// The labels of a meeting of more than a day are the longest: a day and a time.
	const traceLong = "10090000000000000000000000000000"
	w.call(weekly, traceLong, london, "12:00:00", "13:00:00")
	long := &w.batch.Calls[len(w.batch.Calls)-1]
	long.StartedAt = long.StartedAt.Add(-34 * time.Hour)
	w.write()
	_, err := w.store.AddUpUsage(t.Context(), now)
	require.NoError(t, err)
	b := open(t, w.handler())
	const overlaps = `[...document.querySelectorAll(".axis svg, svg.labels")].flatMap(svg => {
		const all = [...svg.querySelectorAll("text")].map(e => [e.textContent, e.getBoundingClientRect()]).filter(([, b]) => b.width > 0);
		return all.filter(([, b], i) => i > 0 && all[i-1][1].right > b.left).map(([text]) => text);
	}).join()`
	for _, width := range []int64{390, 420, 768} {
		b.do(chromedp.EmulateViewport(width, 900))
		for _, path := range []string{
			"/conferences/" + traceLong, "/conferences/" + traceBoard, "/conferences/" + traceWeekly, "/traces/" + traceSession, "/traces/" + traceScan,
			"/overview?range=24h", "/overview?range=7d", "/overview?range=30d", "/overview?range=90d", "/capacity?range=24h", "/capacity?range=7d", "/capacity?range=90d",
			"/people?address=t.ferreira@example.test", "/rooms?id=" + board.RoomID,
		} {
			b.goTo(path)
			assert.Empty(t, b.says(overlaps), "%s at %d", path, width)
		}
	}
}
