// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package cmsapireceiver

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"slices"
	"sync"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/receiver"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"

	"github.com/legato-otel/legato/internal/names"
	"github.com/legato-otel/legato/receiver/cmsapireceiver/internal/metadata"
)

var (
	errStopping = errors.New("the receiver stops")
	errNoStatus = errors.New("GET /system/status: answered 404 Not Found: check that endpoint is the web admin interface of a Call Bridge")
)

// targets are all bridges, configured and discovered.
type targets struct {
	config    *Config
	settings  receiver.Settings
	telemetry *metadata.TelemetryBuilder
	host      component.Host
	health    *health

	wantsEvents bool // somebody wants events

	stopContext context.Context // ends when the receiver stops
	end         context.CancelCauseFunc

	mu   sync.Mutex
	list []*target
}

func newTargets(config *Config, set receiver.Settings, telemetry *metadata.TelemetryBuilder) *targets {
	life, end := context.WithCancelCause(context.Background())
	return &targets{config: config, settings: set, telemetry: telemetry, stopContext: life, end: end}
}

// start creates the clients of the configured servers. An unreachable server does not fail it.
func (all *targets) start(ctx context.Context, host component.Host) error {
	all.host, all.health = host, newHealth(host)
	for i := range all.config.Servers {
		t, err := newTarget(ctx, all, &all.config.Servers[i], "")
		if err != nil {
			return errors.Join(fmt.Errorf("servers::%d: %w", i, err), all.shutdown(ctx))
		}
		all.mu.Lock()
		all.list = append(all.list, t)
		all.mu.Unlock()
	}
	return all.telemetry.RegisterReceiverCmsapiProblemsCallback(all.observeProblems)
}

// shutdown closes the clients. No scrape may run.
func (all *targets) shutdown(context.Context) error {
	all.mu.Lock()
	defer all.mu.Unlock()
	for _, t := range all.list {
		t.close()
	}
	all.list = nil
	return nil
}

// snapshot returns a copy of the list.
func (all *targets) snapshot() []*target {
	all.mu.Lock()
	defer all.mu.Unlock()
	return slices.Clone(all.list)
}

// scrape reads all bridges concurrently. health reports a failing server once; an error returned
// from here would be logged at each scrape.
func (all *targets) scrape(ctx context.Context) scrapeResult {
	ctx, cancel := all.withStop(ctx)
	defer cancel()
	out := all.scrapeThese(ctx, all.snapshot())
	if fresh := all.discover(context.WithoutCancel(ctx)); len(fresh) > 0 {
		all.scrapeThese(ctx, fresh).moveTo(out)
	}
	return out
}

// withStop returns a context that ends with the receiver, and early enough for the next consumer
// to accept the result within the same timeout.
func (all *targets) withStop(ctx context.Context) (context.Context, context.CancelFunc) {
	ctx, end := context.WithCancelCause(ctx)
	stop := context.AfterFunc(all.stopContext, func() { end(errStopping) })
	ctx, cancel := context.WithTimeoutCause(ctx, all.config.Timeout*4/5,
		fmt.Errorf("the scrape took longer than four fifths of timeout, %s", all.config.Timeout))
	return ctx, func() {
		cancel()
		stop()
		end(nil)
	}
}

// scrapeResult is the result of a scrape.
type scrapeResult struct {
	metrics pmetric.Metrics
	events  plog.Logs
}

func newScrapeResult() scrapeResult { return scrapeResult{pmetric.NewMetrics(), plog.NewLogs()} }

func (s scrapeResult) moveTo(to scrapeResult) {
	s.metrics.ResourceMetrics().MoveAndAppendTo(to.metrics.ResourceMetrics())
	s.events.ResourceLogs().MoveAndAppendTo(to.events.ResourceLogs())
}

func (all *targets) scrapeThese(ctx context.Context, list []*target) scrapeResult {
	parts := make([]scrapeResult, len(list))
	var scrapes sync.WaitGroup
	for i, t := range list {
		scrapes.Go(func() { parts[i] = t.scrape(ctx) })
	}
	scrapes.Wait()
	out := newScrapeResult()
	for _, part := range parts {
		part.moveTo(out)
	}
	return out
}

func (all *targets) observeProblems(_ context.Context, o metric.Int64Observer) error {
	for _, t := range all.snapshot() {
		own, has := all.health.problemOf(t)
		for _, p := range problems() {
			n := int64(0)
			if has && p == own {
				n = 1
			}
			o.Observe(n, metric.WithAttributes(attribute.String(names.ServerAddress, t.host), attribute.Int(names.ServerPort, t.port),
				attribute.String("problem", p.String())))
		}
	}
	return nil
}

// hostPort returns host and port of a URL. Without a port it is the default port of the scheme.
func hostPort(endpoint string) string {
	u, err := url.Parse(endpoint)
	if err != nil {
		return ""
	}
	return net.JoinHostPort(u.Hostname(), cmp.Or(u.Port(), map[string]string{"http": "80", "https": "443"}[u.Scheme]))
}

// startTelemetryAtZero lets the series of alerts begin at 0, because rate() ignores the first
// value of a series.
func startTelemetryAtZero(ctx context.Context, telemetry *metadata.TelemetryBuilder) {
	for _, outcome := range readOptions {
		telemetry.ReceiverCmsapiReads.Add(ctx, 0, outcome...)
	}
	for _, outcome := range legOptions {
		telemetry.ReceiverCmsapiLegs.Add(ctx, 0, outcome...)
	}
}
