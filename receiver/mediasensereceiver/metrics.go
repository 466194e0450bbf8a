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

// metricSet counts events: sessions and tags for each server, and the storage partitions
// for all servers together. Each server reports the partitions of all, and the receiver
// counts the report that arrives first.
type metricSet struct {
	servers              *aggregate.Set[*sessionInstruments]
	cluster              *aggregate.Set[*partitionInstruments]
	partitionInstruments *partitionInstruments
	// listExpected returns the resources of the servers that the subscription names.
	listExpected func() []attribute.Set
}

// maxServers bounds the servers that have metrics at once. A MediaSense cluster has two that
// post.
const maxServers = 64

func newMetricSet(config *Config, set receiver.Settings, listPartitions func() []partitionState, named *namedSenders) (*metricSet, error) {
	settings := aggregate.Settings{
		Scope: metadata.ScopeName, Version: set.BuildInfo.Version,
		Resources: maxServers, Cardinality: config.Metrics.CardinalityLimit, Exemplars: exemplarBounds,
	}
	builder := newResourceBuilder(config)
	m := &metricSet{
		servers:      aggregate.NewSet(settings, newSessionInstruments),
		listExpected: func() []attribute.Set { return builder.expectedResources(named) },
	}
	settings.Resources = 1
	// The limit includes each state of all possible partitions, because the overflow
	// series of a gauge has no meaning.
	settings.Cardinality = max(settings.Cardinality, maxPartitions*int(event.LevelCount)+1)
	m.cluster = aggregate.NewSet(settings, func(meter metric.Meter) (*partitionInstruments, error) {
		return newPartitionInstruments(meter, listPartitions)
	})
	var err error
	m.partitionInstruments, err = m.cluster.InstrumentsFor(builder.clusterResource())
	return m, err
}

// collect reads all series. It adds the series of servers that the subscription names
// before their first event, so that they begin at 0.
func (m *metricSet) collect(ctx context.Context) (pmetric.Metrics, error) {
	for _, resource := range m.listExpected() {
		if _, err := m.servers.InstrumentsFor(resource); err != nil {
			return pmetric.NewMetrics(), err
		}
	}
	data, err := m.servers.Collect(ctx)
	cluster, clusterErr := m.cluster.Collect(ctx)
	cluster.ResourceMetrics().MoveAndAppendTo(data.ResourceMetrics())
	return data, errors.Join(err, clusterErr)
}

// countChunk counts the new events of an accepted chunk.
func (m *metricSet) countChunk(ctx context.Context, b *batch, c *outbox.Chunk, logger *zap.Logger) {
	if m == nil || c.QuarantineReason != nil {
		return
	}
	var server *sessionInstruments
	from, to := b.eventsOf(c)
	for i := from; i < to; i++ {
		e := &b.decoded.Events[i]
		if b.events[i].isDuplicate || e.Type == event.TypeUnknown {
			continue
		}
		if e.Type.Object() == event.Storage {
			m.partitionInstruments.countThreshold(ctx, e)
			continue
		}
		if server == nil {
			var err error
			if server, err = m.servers.InstrumentsFor(b.resource.metricResource()); err != nil {
				logger.Error("Events cannot be counted", zap.Error(err))
				return
			}
		}
		server.countEvent(ctx, e, &b.events[i])
	}
}

func (s *sessionInstruments) countEvent(ctx context.Context, e *event.Event, p *part) {
	switch e.Type {
	case event.SessionStarted, event.SessionEnded:
		if e.Part <= 1 { // the other pieces are about the same session
			s.countSession(ctx, e)
		}
	case event.SessionDeleted:
		s.deleted.Add(ctx, newSessionCount(e, p))
	case event.SessionPruned:
		s.pruned.Add(ctx, newSessionCount(e, p))
	case event.TagAdded, event.TagUpdated, event.TagDeleted:
		s.tag.Add(ctx, 1, attributesOf(
			pair{names.KeyTagType, tagTypes.label(e.Text(event.TagEventType))}, pair{names.KeyAction, actions[e.Type]}))
	default:
	}
}

func (s *sessionInstruments) countSession(ctx context.Context, e *event.Event) {
	switch e.Type {
	case event.SessionStarted:
		s.started.Add(ctx, 1, attributesOf(pair{names.KeyMediaType, mediaType(e)}))
	case event.SessionEnded:
		media := pair{names.KeyMediaType, mediaType(e)}
		s.ended.Add(ctx, 1, attributesOf(pair{names.KeyState, sessionStates.label(e.Text(event.SessionState))}, media))
		if duration, ok := e.Int(event.SessionDuration); ok && aggregate.PlausibleSeconds(float64(duration)/1000) {
			s.duration.Record(exemplar(ctx, e), float64(duration)/1000, attributesOf(media))
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

// newSessionCount returns how many sessions of an event about several are new.
func newSessionCount(e *event.Event, p *part) int64 {
	if p.newSessions != nil {
		return int64(len(p.newSessions))
	}
	return int64(len(e.SessionIDs()))
}

func (d *partitionInstruments) countThreshold(ctx context.Context, e *event.Event) {
	d.threshold.Add(ctx, 1, metric.WithAttributes(
		append(partitionOf(e).attributes(), attribute.String(names.KeyAction, actions[e.Type]))...))
}
