// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package callrecordexporter

import (
	"context"
	"errors"
	"net/http"
	"sync"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componentstatus"
	"go.uber.org/zap"

	"github.com/legato-otel/legato/internal/callarchive"
	"github.com/legato-otel/legato/internal/callpage"
)

// page serves the archive over HTTP. It only reads.
type page struct {
	server *http.Server
	wg     sync.WaitGroup
}

// startPage listens and serves until stop.
func startPage(ctx context.Context, host component.Host, config *HTTPConfig, store *callarchive.Store, set component.TelemetrySettings) (*page, error) {
	listener, err := config.Server.ToListener(ctx)
	if err != nil {
		return nil, err
	}
	p := &page{}
	p.server, err = config.Server.ToServer(ctx, host.GetExtensions(), set, newHandler(config, store, set))
	if err != nil {
		return nil, errors.Join(err, listener.Close())
	}
	p.wg.Go(func() {
		if err := p.server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			componentstatus.ReportStatus(host, componentstatus.NewFatalErrorEvent(err))
		}
	})
	return p, nil
}

// stop ends the requests that take longer than ctx.
func (p *page) stop(ctx context.Context) error {
	err := p.server.Shutdown(ctx)
	if err != nil {
		err = errors.Join(err, p.server.Close())
	}
	p.wg.Wait()
	return err
}

// newHandler is everything that is served.
func newHandler(config *HTTPConfig, store *callarchive.Store, set component.TelemetrySettings) http.Handler {
	return callpage.New(callpage.Config{
		Store: store, TraceURL: config.TraceURL,
		Failed: func(err error) { set.Logger.Error("The archive could not be read for a page", zap.Error(err)) },
	})
}
