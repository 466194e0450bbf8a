// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package callpage

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"
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
func screenshot(t *testing.T, ctx context.Context, name string) {
	t.Helper()
	picture, err := chromedp.Run(ctx, chromedp.FullScreenshot(100))
	require.NoError(t, err)
	directory := filepath.Join("..", "..", "build", "screenshots")
	require.NoError(t, os.MkdirAll(directory, 0o755))
	require.NoError(t, os.WriteFile(filepath.Join(directory, name+".png"), picture, 0o600))
}
