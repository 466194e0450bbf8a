// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package callrecordexporter

import (
	"context"
	"errors"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componentstatus"
	"go.uber.org/zap"

	"github.com/legato-otel/legato/internal/archive/hostcheck"
	"github.com/legato-otel/legato/internal/archive/httperror"
	"github.com/legato-otel/legato/internal/archive/page"
	"github.com/legato-otel/legato/internal/archive/store"
	"github.com/legato-otel/legato/internal/otel/limitedlog"
	"github.com/legato-otel/legato/internal/otel/listener"
)

// pageServer serves the archive over HTTP. It only reads.
type pageServer struct {
	server *http.Server
	// pages serves the pages, nil until the archive is open.
	pages atomic.Pointer[http.Handler]
	wg    sync.WaitGroup
	// grace is how long stop waits for requests. A download may take as long as it
	// is long; a Collector that stops does not wait for it.
	grace time.Duration

	stopping sync.Once
	stopped  error // by stopping
}

// startPage listens and serves until stop; until show, that the archive is not
// open.
func startPage(ctx context.Context, host component.Host, config *HTTPConfig, grace time.Duration, set component.TelemetrySettings) (*pageServer, error) {
	socket, err := config.Server.ToListener(ctx)
	if err != nil {
		return nil, err
	}
	p := &pageServer{grace: grace}
	p.server, err = config.Server.ToServer(ctx, host.GetExtensions(), set,
		hostcheck.Handler(config.Server.NetAddr.Endpoint, config.AllowedHosts, p), listener.PlainBodies()...)
	if err != nil {
		return nil, errors.Join(err, socket.Close())
	}
	p.server.ErrorLog = listener.ErrorLog(limitedlog.New(set.Logger))
	p.wg.Go(func() {
		if err := p.server.Serve(socket); !errors.Is(err, http.ErrServerClosed) {
			componentstatus.ReportStatus(host, componentstatus.NewFatalErrorEvent(err))
		}
	})
	return p, nil
}

// show starts to serve pages.
func (p *pageServer) show(pages http.Handler) { p.pages.Store(&pages) }

// ServeHTTP implements http.Handler.
func (p *pageServer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if pages := p.pages.Load(); pages != nil {
		(*pages).ServeHTTP(w, r)
		return
	}
	w.Header().Set("Retry-After", "5")
	httperror.Write(w, r, http.StatusServiceUnavailable, "The call archive is not open yet: its database cannot be reached, or is being prepared for this release. The Collector tries again; its log has the reason.")
}

// stop breaks off the requests that take longer than the grace. Of several calls
// the first one does it, and the others wait for it.
func (p *pageServer) stop(ctx context.Context) error {
	p.stopping.Do(func() {
		ctx, cancel := context.WithTimeout(ctx, p.grace)
		defer cancel()
		err := p.server.Shutdown(ctx)
		if errors.Is(err, context.DeadlineExceeded) {
			err = p.server.Close()
		} else if err != nil {
			err = errors.Join(err, p.server.Close())
		}
		p.wg.Wait()
		p.stopped = err
	})
	return p.stopped
}

// newHandler is everything that is served.
func newHandler(config *HTTPConfig, archive *store.Store, set component.TelemetrySettings) http.Handler {
	pages := page.New(page.Config{
		Store: archive, TraceURL: config.TraceURL, LogsURL: config.LogsURL,
		Failed: func(err error) { set.Logger.Error("The archive could not be read for a page", zap.Error(err)) },
	})
	if config.AccessLog {
		return &accessLog{next: pages, logger: set.Logger}
	}
	return pages
}
