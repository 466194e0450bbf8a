// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package page

import (
	"bytes"
	"cmp"
	"image"
	"image/color"
	paint "image/draw"
	"image/png"
	"maps"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"testing"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/legato-otel/legato/internal/archive/store"
)

// What the pages look like, for people: in light and dark, wide and narrow.
func TestScreenshots(t *testing.T) {
	w := newDay(t)
	w.batch.LegChanges = []store.LegChange{
		{LegState: store.LegState{ID: "p-ingrid.solheim@example.test", At: now, State: "connected", Presenting: new(true), ActiveSpeaker: new(true)}},
		{LegState: store.LegState{ID: "p-ada.birch@example.test", At: now, State: "connected", AudioMuted: new(true)}},
	}
	running, err := store.Select[store.Leg](t.Context(), w.store, "WHERE state = 'running' AND display_name = 'Ingrid Solheim'")
	require.NoError(t, err)
	require.Len(t, running, 1)
	w.batch.Qualities = []store.LegQuality{{ID: running[0].ID, At: now, LossPercent: new(6.7), JitterMs: new(31.0), Alarms: "packetLoss"}}
	w.write()
	_, err = w.store.AddUpUsage(t.Context(), now)
	require.NoError(t, err)
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
				{"person", "/people?address=t.ferreira@example.test"},
				{"room", "/rooms?id=" + board.RoomID},
				{"search", "/search?q=ar"},
				{"capacity", "/capacity"},
				{"sessions", "/sessions"},
				{"session", "/traces/" + traceSession},
				{"overview", "/overview?range=24h"},
				{"error", "/nothing"},
			} {
				require.NoError(t, chromedp.Do(ctx, chromedp.Navigate(server.URL+page.address)))
				screenshot(ctx, t, page.name+"-"+screen.name+"-"+scheme)
			}
		}
	}
}

// The picture in docs/call-archive.md, with -update.
func TestPicture(t *testing.T) {
	file := filepath.Join("..", "..", "..", "docs", "call-archive.png")
	if *update {
		b := open(t, newDay(t).handler())
		b.do(chromedp.EmulateViewport(1280, 1000))
		b.goTo("/conferences/" + traceBoard)
		b.until("document.querySelector('.copy').hidden === false")
		height := b.says("Math.ceil(document.querySelector('#h-facts').getBoundingClientRect().top)")
		shot, err := chromedp.Run(b.ctx, chromedp.FullScreenshot(100))
		require.NoError(t, err)
		picture, err := png.Decode(bytes.NewReader(shot))
		require.NoError(t, err)
		bottom, err := strconv.Atoi(height)
		require.NoError(t, err)
		var small bytes.Buffer
		require.NoError(t, (&png.Encoder{CompressionLevel: png.BestCompression}).Encode(&small, fewColours(picture, bottom-20)))
		require.NoError(t, os.WriteFile(file, small.Bytes(), 0o600))
	}
	info, err := os.Stat(file)
	require.NoError(t, err)
	assert.Less(t, info.Size(), int64(200_000))
}

// fewColours is the upper part of a picture in its 256 most frequent colours.
func fewColours(picture image.Image, bottom int) image.Image {
	bounds := picture.Bounds()
	bounds.Max.Y = min(bounds.Max.Y, bottom)
	counts := map[color.Color]int{}
	for y := bounds.Min.Y; y < bounds.Max.Y; y++ {
		for x := bounds.Min.X; x < bounds.Max.X; x++ {
			counts[picture.At(x, y)]++
		}
	}
	frequent := slices.SortedFunc(maps.Keys(counts), func(a, b color.Color) int { return cmp.Compare(counts[b], counts[a]) })
	small := image.NewPaletted(bounds, frequent[:min(256, len(frequent))])
	paint.Draw(small, bounds, picture, bounds.Min, paint.Src)
	return small
}
