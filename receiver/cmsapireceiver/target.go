// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package cmsapireceiver

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"net"
	"net/url"
	"slices"
	"strconv"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/otel/attribute"
	"go.uber.org/zap"

	"github.com/legato-otel/legato/internal/meetingserver/api"
	"github.com/legato-otel/legato/internal/meetingserver/callbridge"
	"github.com/legato-otel/legato/internal/meetingserver/completeness"
	"github.com/legato-otel/legato/internal/names"
	"github.com/legato-otel/legato/internal/otel/aggregate"
	"github.com/legato-otel/legato/receiver/cmsapireceiver/internal/metadata"
)

// target is a scraped Call Bridge. One scrape at a time uses it.
type target struct {
	config *ServerConfig
	shared *targets
	// peerID is the id of a discovered bridge, "" for a configured one.
	peerID     string
	name       string // host:port
	host       string
	port       int
	client     *api.Client
	logger     *zap.Logger
	builder    *metadata.MetricsBuilder
	quality    *aggregate.Set[*qualityInstruments]
	configured []attribute.KeyValue // configured, sorted
	receiver   api.ReceiverMatch

	identity       identity
	boot           startClock
	sampler        sampler
	calls          sampler
	version        string               // of the server's software, as last logged
	licenceStates  map[[2]string]bool   // features and states of licences
	retryUnknownAt map[string]time.Time // objects that the server does not know: not asked for before
	inventory      inventory
	watch          completeness.Watch
	retryAt        time.Time // not scraped before
	peers          map[string]string
}

// newTarget creates the target of a server with its client.
func newTarget(ctx context.Context, shared *targets, config *ServerConfig, discovered string) (*target, error) {
	u, err := url.Parse(config.HTTP.Endpoint)
	if err != nil {
		return nil, err
	}
	port := cmp.Or(u.Port(), map[string]string{"http": "80", "https": "443"}[u.Scheme])
	number, err := strconv.Atoi(port)
	if err != nil {
		return nil, err
	}
	matches, err := api.NewReceiverMatch(cmp.Or(config.CDRReceiverURI, shared.config.CDRReceiverURI))
	if err != nil {
		return nil, fmt.Errorf("cdr_receiver_uri: %w", err)
	}
	client, err := api.NewClient(ctx, config.api(), shared.host, shared.settings.TelemetrySettings)
	if err != nil {
		return nil, err
	}
	name := net.JoinHostPort(u.Hostname(), port)
	return &target{
		config: config, shared: shared, peerID: discovered, name: name, host: u.Hostname(), port: number,
		client: client, logger: shared.settings.Logger.With(zap.String("server", name)), receiver: matches,
		builder:       metadata.NewMetricsBuilder(shared.config.MetricsBuilderConfig, shared.settings),
		quality:       newQualityMetrics(shared.settings.BuildInfo.Version),
		configured:    configuredAttributes(shared.config.ResourceAttributes, config.ResourceAttributes),
		licenceStates: make(map[[2]string]bool), retryUnknownAt: make(map[string]time.Time), peers: make(map[string]string),
		identity: identity{callBridge: discovered},
	}, nil
}

func (t *target) close() { t.client.Close() }

// configuredAttributes merges the common attributes with those of one server.
func configuredAttributes(all, one map[string]string) (list []attribute.KeyValue) {
	merged := maps.Clone(all)
	if merged == nil {
		merged = map[string]string{}
	}
	maps.Copy(merged, one)
	for _, key := range slices.Sorted(maps.Keys(merged)) {
		list = append(list, attribute.String(key, merged[key]))
	}
	return list
}

// attributes returns the resource of the bridge's metrics.
func (t *target) attributes() []attribute.KeyValue {
	all := callbridge.Identity{CallBridge: t.identity.callBridge, Address: t.name}.Attributes()
	all = append(all, attribute.String(names.ServerAddress, t.host), attribute.Int(names.ServerPort, t.port))
	return append(all, t.configured...)
}

// scrape reads the bridge once. Objects that could not be read have no metrics and no events.
func (t *target) scrape(ctx context.Context) scrapeResult {
	out := newScrapeResult()
	if time.Now().Before(t.retryAt) {
		return out
	}
	s := &scrape{target: t, ctx: api.LimitRequests(ctx, t.shared.config.MaxRequests)}
	read := s.readAll()
	if read != nil {
		t.addMetrics(ctx, read, out.metrics)
		t.addEvents(read, out.events)
	}
	switch {
	case context.Cause(ctx) == errStopping: //nolint:errorlint // it is set as it is
	case s.err != nil:
		if s.problem == metadata.AttributeProblemForbidden && read == nil {
			t.retryAt = time.Now().Add(api.UnauthorizedRetryDelay)
		}
		t.shared.health.setProblem(t, s.problem, s.err)
	default:
		t.shared.health.clearProblem(t)
	}
	return out
}

// addMetrics adds the metrics of a reading.
func (t *target) addMetrics(ctx context.Context, r *reading, out pmetric.Metrics) {
	attributes := t.attributes()
	resource := pcommon.NewResource()
	callbridge.Put(resource.Attributes(), attributes)
	r.record(t.builder, t.licenceStates)
	options := []metadata.ResourceMetricsOption{metadata.WithResource(resource)}
	if !r.start.IsZero() {
		options = append(options, metadata.WithStartTimeOverride(pcommon.NewTimestampFromTime(r.start)))
	}
	t.builder.Emit(options...).ResourceMetrics().MoveAndAppendTo(out.ResourceMetrics())

	q, err := t.quality.InstrumentsFor(attribute.NewSet(attributes...))
	if err != nil {
		t.logger.Error("Call legs cannot be counted", zap.Error(err))
		return
	}
	for i := range r.legs {
		q.record(ctx, &r.legs[i].CallLeg)
	}
	for i := range r.sampledCalls {
		q.recordCall(ctx, &r.sampledCalls[i])
	}
	histograms, err := t.quality.Collect(context.WithoutCancel(ctx))
	if err != nil {
		t.logger.Error("Histograms of call legs cannot be read", zap.Error(err))
	}
	histograms.ResourceMetrics().MoveAndAppendTo(out.ResourceMetrics())
}
