// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package mediasensereceiver

import (
	"context"
	"errors"

	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/receiver"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	"go.uber.org/zap"

	"github.com/legato-otel/legato/internal/ids"
	"github.com/legato-otel/legato/internal/ingest/outbox"
	"github.com/legato-otel/legato/internal/mediasense/event"
	"github.com/legato-otel/legato/internal/names"
	"github.com/legato-otel/legato/internal/otel/aggregate"
	"github.com/legato-otel/legato/receiver/mediasensereceiver/internal/metadata"
)

// measures counts events: sessions and tags for the server that sent them; the
// disks for all servers together, because each tells of them, and which tells
// first is chance.
type measures struct {
	servers *aggregate.Set[*sessions]
	cluster *aggregate.Set[*disks]
	disks   *disks
	// expected returns the resources of the servers that the subscription names.
	expected func() []attribute.Set
}

// maxServers is how many servers have metrics at once. A MediaSense cluster has
// two that post.
const maxServers = 64

func newMeasures(config *Config, set receiver.Settings, shown func() []shownPartition, named *senders) (*measures, error) {
	settings := aggregate.Settings{
		Scope: metadata.ScopeName, Version: set.BuildInfo.Version,
		Resources: maxServers, Cardinality: config.Metrics.CardinalityLimit, Exemplars: exemplarBounds,
	}
	builder := newResourceBuilder(config)
	m := &measures{servers: aggregate.NewSet(settings, newSessions), expected: func() []attribute.Set { return builder.expected(named) }}
	settings.Resources = 1
	// Room for each state of all partitions there can be: an overflow of a gauge
	// would say nothing.
	settings.Cardinality = max(settings.Cardinality, maxPartitions*int(event.LevelCount)+1)
	m.cluster = aggregate.NewSet(settings, func(meter metric.Meter) (*disks, error) { return newDisks(meter, shown) })
	var err error
	m.disks, err = m.cluster.For(builder.cluster())
	return m, err
}

// collect reads all series. A server that the subscription names has them before its first
// event: the series begin at 0 then.
func (m *measures) collect(ctx context.Context) (pmetric.Metrics, error) {
	for _, resource := range m.expected() {
		if _, err := m.servers.For(resource); err != nil {
			return pmetric.NewMetrics(), err
		}
	}
	data, err := m.servers.Collect(ctx)
	cluster, clusterErr := m.cluster.Collect(ctx)
	cluster.ResourceMetrics().MoveAndAppendTo(data.ResourceMetrics())
	return data, errors.Join(err, clusterErr)
}

// record counts what is new in a piece that was accepted.
func (m *measures) record(ctx context.Context, in *intake, p *outbox.Piece, source *resource, logger *zap.Logger) {
	if m == nil || p.Rejected != nil {
		return
	}
	var server *sessions
	from, to := in.eventsOf(p)
	for i := from; i < to; i++ {
		e := &in.batch.Events[i]
		if in.events[i].duplicate || e.Type == event.TypeUnknown {
			continue
		}
		if e.Type.Object() == event.Storage {
			m.disks.count(ctx, e)
			continue
		}
		if server == nil {
			var err error
			if server, err = m.servers.For(source.sender()); err != nil {
				logger.Error("Events cannot be counted", zap.Error(err))
				return
			}
		}
		server.count(ctx, e, &in.events[i])
	}
}

func (s *sessions) count(ctx context.Context, e *event.Event, j *judged) {
	switch e.Type {
	case event.SessionStarted, event.SessionEnded:
		if e.Part <= 1 { // the others are about the same session
			s.countSession(ctx, e)
		}
	case event.SessionDeleted:
		s.deleted.Add(ctx, sessionsOf(e, j))
	case event.SessionPruned:
		s.pruned.Add(ctx, sessionsOf(e, j))
	case event.TagAdded, event.TagUpdated, event.TagDeleted:
		s.tag.Add(ctx, 1, labels(
			pair{names.KeyTagType, tagTypes.bound(e.Text(event.TagEventType))}, pair{names.KeyAction, actions[e.Type]}))
	default:
	}
}

func (s *sessions) countSession(ctx context.Context, e *event.Event) {
	switch e.Type {
	case event.SessionStarted:
		s.started.Add(ctx, 1, labels(pair{names.KeyMediaType, mediaType(e)}))
	case event.SessionEnded:
		media := pair{names.KeyMediaType, mediaType(e)}
		s.ended.Add(ctx, 1, labels(pair{names.KeyState, sessionStates.bound(e.Text(event.SessionState))}, media))
		if duration, ok := e.Int(event.SessionDuration); ok && aggregate.PlausibleSeconds(float64(duration)/1000) {
			s.duration.Record(exemplar(ctx, e), float64(duration)/1000, labels(media))
		}
	default:
	}
}

// exemplarBounds are the bounds between which a series of durations keeps the newest
// exemplar.
var exemplarBounds = map[string][]float64{names.MetricMediaSenseSessionDuration: {60, 600, 3600}}

// exemplar returns the context in which a session is measured: a session is always in its
// own trace, so both ids are those of its stitched span.
func exemplar(ctx context.Context, e *event.Event) context.Context {
	id := e.SessionID()
	if id == "" {
		return ctx
	}
	return aggregate.WithSpan(ids.Trace(names.KindSession, id), ids.Span(names.KindSession, id))
}

// sessionsOf is how many sessions an event about several is news of.
func sessionsOf(e *event.Event, j *judged) int64 {
	if j.sessions != nil {
		return int64(len(j.sessions))
	}
	return int64(len(e.SessionIDs()))
}

func (d *disks) count(ctx context.Context, e *event.Event) {
	d.threshold.Add(ctx, 1, metric.WithAttributes(
		append(partitionOf(e).attributes(), attribute.String(names.KeyAction, actions[e.Type]))...))
}
