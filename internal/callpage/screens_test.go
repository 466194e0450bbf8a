// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package callpage

import (
	"net/http/httptest"
	"testing"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"
)

// What the pages look like, for people: in light and dark, wide and narrow.
func TestScreenshots(t *testing.T) {
	w := newDay(t)
	server := httptest.NewServer(w.handler())
	t.Cleanup(server.Close)
	ctx := newBrowser(t)
	for _, screen := range []struct {
		name          string
		width, height int64
	}{{"wide", 1400, 900}, {"narrow", 390, 844}} {
		for _, scheme := range []string{"light", "dark"} {
			require.NoError(t, chromedp.Do(ctx, chromedp.EmulateViewport(screen.width, screen.height)))
			_, err := chromedp.Call(ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
				Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}},
			})
			require.NoError(t, err)
			for _, page := range []struct{ name, address string }{
				{"list", "/"},
				{"filtered", "/?party=t.fer&reason=failure&min=1"},
				{"meeting", "/conferences/" + traceBoard},
				{"running", "/conferences/" + traceWeekly},
				{"legs", "/legs"},
				{"sessions", "/sessions"},
				{"session", "/traces/" + traceSession},
				{"overview", "/overview?range=24h"},
				{"error", "/nothing"},
			} {
				require.NoError(t, chromedp.Do(ctx, chromedp.Navigate(server.URL+page.address)))
				screenshot(t, ctx, page.name+"-"+screen.name+"-"+scheme)
			}
		}
	}
}
