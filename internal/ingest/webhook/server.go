// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package webhook

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"sync"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componentstatus"
	"go.opentelemetry.io/collector/config/confighttp"

	"github.com/legato-otel/legato/internal/concurrency/bounded"
	"github.com/legato-otel/legato/internal/otel/listener"
)

// Server is an HTTP server with one Handler.
type Server struct {
	// Address of the listener.
	Address net.Addr

	server  *http.Server
	handler *Handler
	wg      sync.WaitGroup
}

// Serve starts a server. A busy port is an error. Serve reports a later failure of the
// listener to the host.
func Serve(ctx context.Context, host component.Host, configured *confighttp.ServerConfig, set component.TelemetrySettings, settings Settings) (*Server, error) {
	config := *configured // ToServer writes its defaults into the configuration
	socket, err := config.ToListener(ctx)
	if err != nil {
		return nil, fmt.Errorf("listen on %s: %w", config.NetAddr.Endpoint, err)
	}
	s := &Server{Address: socket.Addr(), handler: NewHandler(ctx, settings)}
	var encodings []string
	options := append(decoderOptions(config.CompressionAlgorithms),
		confighttp.WithErrorHandler(func(w http.ResponseWriter, r *http.Request, _ string, status int) {
			s.handler.answerRejected(w, r, status, encodings)
		}))
	s.server, err = config.ToServer(ctx, host.GetExtensions(), set, s.handler, options...)
	if err != nil {
		return nil, errors.Join(err, socket.Close())
	}
	// ToServer has put its default into CompressionAlgorithms if none were configured.
	s.server.ErrorLog = listener.ErrorLog(s.handler.log)
	encodings = namesOf(config.CompressionAlgorithms)
	s.wg.Go(func() {
		if err := s.server.Serve(socket); err != nil && !errors.Is(err, http.ErrServerClosed) {
			componentstatus.ReportStatus(host, componentstatus.NewFatalErrorEvent(err))
		}
	})
	return s, nil
}

// Stop refuses new requests and waits for the requests in flight until ctx ends. Then it
// closes their connections and cancels their contexts: they get no answer, and their
// senders repeat them. It returns the cause of ctx's end if requests were in flight then. If
// a consumer ignores its context, Stop waits only bounded.CancelTimeout longer. The goroutine of
// that request ends when the consumer returns, and stores nothing.
func (s *Server) Stop(ctx context.Context) error {
	err := s.server.Shutdown(ctx)
	if err != nil {
		err = context.Cause(ctx)
		_ = s.server.Close() // cuts the connections
	}
	s.handler.close()
	end, cancel := bounded.Extend(ctx, bounded.CancelTimeout)
	defer cancel()
	_ = bounded.Wait(end, &s.handler.requests) // err has the cause already
	_ = bounded.Wait(end, &s.wg)
	return err
}
