// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync/atomic"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/config/confighttp"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/receiver"
	"go.opentelemetry.io/collector/receiver/otlpreceiver"

	"github.com/legato-otel/legato/receiver/cmscdrreceiver"
)

// kind is one thing to measure.
type kind struct {
	name     string
	encoding encoding
	// receiver makes the factory and the configuration that listens on address;
	// nil for the floor.
	receiver func(address string) (receiver.Factory, map[string]any)
	metrics  bool
}

var kinds = []kind{
	{name: "cdr", encoding: cdrXML, receiver: cmscdr},
	{name: "cdr+metrics", encoding: cdrXML, receiver: cmscdr, metrics: true},
	{name: "otlp-json", encoding: otlpJSON, receiver: otlp},
	{name: "otlp-proto", encoding: otlpProto, receiver: otlp},
	// What any receiver costs that is built on the collector's HTTP server.
	{name: "floor", encoding: cdrXML},
}

func kindOf(name string) (kind, error) {
	for _, k := range kinds {
		if k.name == name {
			return k, nil
		}
	}
	return kind{}, fmt.Errorf("must be one of %s, got %q", kindNames(), name)
}

func kindNames() string {
	var names []string
	for _, k := range kinds {
		names = append(names, k.name)
	}
	return strings.Join(names, ", ")
}

// delivered is the number of records that the consumer must have after posts.
func (k kind) delivered(posts, batch int) int {
	if k.receiver == nil {
		return posts // the floor does not know of records
	}
	return posts * batch
}

// verify fails unless the consumer got exactly the posted records.
func (k kind) verify(posts, batch, delivered int) error {
	if want := k.delivered(posts, batch); delivered != want || posts == 0 {
		return fmt.Errorf("%d posts of %d records: %d of %d were delivered", posts, batch, delivered, want)
	}
	return nil
}

func cmscdr(address string) (receiver.Factory, map[string]any) {
	return cmscdrreceiver.NewFactory(), map[string]any{"endpoint": address}
}

func otlp(address string) (receiver.Factory, map[string]any) {
	return otlpreceiver.NewFactory(), map[string]any{
		"protocols": map[string]any{"http": map[string]any{"endpoint": address}},
	}
}

// counter is the consumer: it counts and forgets.
type counter struct {
	posts, records, points atomic.Int64
}

func (*counter) Capabilities() consumer.Capabilities { return consumer.Capabilities{} }

func (c *counter) ConsumeLogs(_ context.Context, logs plog.Logs) error {
	c.records.Add(int64(logs.LogRecordCount()))
	return nil
}

func (c *counter) ConsumeMetrics(_ context.Context, metrics pmetric.Metrics) error {
	c.points.Add(int64(metrics.DataPointCount()))
	return nil
}

// start serves the kind on address until the returned component is shut down.
func (k kind) start(ctx context.Context, address string, into *counter) (component.Component, error) {
	if k.receiver == nil {
		served := &floor{address: address, into: into}
		return served, served.Start(ctx, componenttest.NewNopHost())
	}
	factory, settings := k.receiver(address)
	var metrics consumer.Metrics
	if k.metrics {
		metrics = into
	}
	return startReceiver(ctx, factory, settings, into, metrics)
}

// floor reads bodies and answers 200.
type floor struct {
	address string
	into    *counter
	server  *http.Server
	done    chan error
}

func (f *floor) Start(ctx context.Context, host component.Host) error {
	config := confighttp.NewDefaultServerConfig()
	config.NetAddr.Endpoint = f.address
	listener, err := config.ToListener(ctx)
	if err != nil {
		return err
	}
	f.server, err = config.ToServer(ctx, host.GetExtensions(), componenttest.NewNopTelemetrySettings(), f)
	if err != nil {
		return errors.Join(err, listener.Close())
	}
	f.done = make(chan error, 1)
	go func() { f.done <- f.server.Serve(listener) }()
	return nil
}

func (f *floor) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if _, err := io.Copy(io.Discard, r.Body); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	f.into.posts.Add(1)
}

func (f *floor) Shutdown(ctx context.Context) error {
	err := f.server.Shutdown(ctx)
	if served := <-f.done; !errors.Is(served, http.ErrServerClosed) {
		err = errors.Join(err, served)
	}
	return err
}
