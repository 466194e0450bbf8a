// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package webhook

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"slices"
	"sync"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componentstatus"
	"go.opentelemetry.io/collector/config/confighttp"

	"github.com/legato-otel/legato/internal/concurrency/bounded"
)

// Server is a listener and what it serves.
type Server struct {
	// Address that is listened on.
	Address net.Addr

	server  *http.Server
	handler *Handler
	wg      sync.WaitGroup
}

// Serve listens and serves. A port that is taken is an error; one that fails
// later is reported to the host.
func Serve(ctx context.Context, host component.Host, config *confighttp.ServerConfig, set component.TelemetrySettings, settings Settings) (*Server, error) {
	listener, err := config.ToListener(ctx)
	if err != nil {
		return nil, fmt.Errorf("listen on %s: %w", config.NetAddr.Endpoint, err)
	}
	s := &Server{Address: listener.Addr(), handler: NewHandler(ctx, settings)}
	var encodings []string
	options := append(decoders(config.CompressionAlgorithms),
		confighttp.WithErrorHandler(func(w http.ResponseWriter, r *http.Request, _ string, status int) {
			s.handler.failed(w, r, status, encodings)
		}))
	s.server, err = config.ToServer(ctx, host.GetExtensions(), set, s.handler, options...)
	if err != nil {
		return nil, errors.Join(err, listener.Close())
	}
	for _, name := range append(slices.Clone(config.CompressionAlgorithms), identity) { // with confighttp's own if there are none
		if name != "" {
			encodings = append(encodings, name)
		}
	}
	s.wg.Go(func() {
		if err := s.server.Serve(listener); err != nil && !errors.Is(err, http.ErrServerClosed) {
			componentstatus.ReportStatus(host, componentstatus.NewFatalErrorEvent(err))
		}
	})
	return s, nil
}

// Stop refuses what is new, waits for the requests in flight until grace ends, and
// then closes their connections and cancels what they wait for: they are not
// answered, and come again. It returns the cause of grace's end if there were any.
// It does not wait more than bounded.AfterGrace for a consumer that ignores that: such a
// request's goroutine ends when its consumer returns, and stores nothing then.
func (s *Server) Stop(grace context.Context) error {
	err := s.server.Shutdown(grace)
	if err != nil {
		err = context.Cause(grace)
		_ = s.server.Close() // of connections that are no use any more
	}
	s.handler.close()
	end, cancel := bounded.After(grace, bounded.AfterGrace)
	defer cancel()
	_ = bounded.Wait(end, &s.handler.requests) // err says it already
	_ = bounded.Wait(end, &s.wg)
	return err
}
