// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package cmseventsreceiver

import (
	"context"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"

	"github.com/legato-otel/legato/internal/meetingserver/events"
	"github.com/legato-otel/legato/internal/names"
	"github.com/legato-otel/legato/receiver/cmseventsreceiver/internal/metadata"
)

// recordOutcome is the outcome of an event record.
type recordOutcome uint8

const (
	recordAccepted recordOutcome = iota
	recordOverflow               // the queue was full; a resync reports the difference later
	recordRefused                // the next consumer returned a permanent error, or the stop came first
	recordOutcomes
)

// messageMalformed extends the message outcomes of package events.
const messageMalformed = events.ListEnded + 1

// typeAcknowledgement extends the message types of package events.
const typeAcknowledgement = events.MessageTypes

var (
	recordOptions = [recordOutcomes][]metric.AddOption{
		recordAccepted: addOption("outcome", "accepted"),
		recordOverflow: addOption("outcome", "overflow"),
		recordRefused:  addOption("outcome", "refused"),
	}
	resyncOptions = map[string][]metric.AddOption{
		"overflow":  addOption("reason", "overflow"),
		"malformed": addOption("reason", "malformed"),
	}
	messageTypes = [typeAcknowledgement + 1]string{
		events.OtherMessage:       "other",
		events.SubscriptionUpdate: "subscription_update",
		events.CallListUpdate:     "call_list_update",
		events.CallInfoUpdate:     "call_info_update",
		events.RosterUpdate:       "roster_update",
		typeAcknowledgement:       "acknowledgement",
	}
	messageOutcomes = [messageMalformed + 1]string{
		events.Accepted:    "accepted",
		events.Ignored:     "ignored",
		events.UnknownType: "unknown",
		events.ListEnded:   "accepted",
		messageMalformed:   "malformed",
	}
	messageOptions = func() (all [typeAcknowledgement + 1][messageMalformed + 1][]metric.AddOption) {
		for t, kind := range messageTypes {
			for o, outcome := range messageOutcomes {
				all[t][o] = []metric.AddOption{metric.WithAttributeSet(attribute.NewSet(
					attribute.String("type", kind), attribute.String("outcome", outcome)))}
			}
		}
		return all
	}()
)

func addOption(key, value string) []metric.AddOption {
	return []metric.AddOption{metric.WithAttributeSet(attribute.NewSet(attribute.String(key, value)))}
}

// zeroCounters makes the series behind alerts start at zero, because a rate ignores the
// first value of a series.
func zeroCounters(ctx context.Context, telemetry *metadata.TelemetryBuilder) {
	for _, option := range recordOptions {
		telemetry.ReceiverCmseventsRecords.Add(ctx, 0, option...)
	}
	for _, option := range resyncOptions {
		telemetry.ReceiverCmseventsResyncs.Add(ctx, 0, option...)
	}
	for reason := range disconnectReasons {
		telemetry.ReceiverCmseventsReconnects.Add(ctx, 0, reasonOptions[reason]...)
	}
	telemetry.ReceiverCmseventsMessages.Add(ctx, 0, messageOptions[events.OtherMessage][messageMalformed]...)
	telemetry.ReceiverCmseventsAcknowledgements.Add(ctx, 0)
}

// serverAttributes identify a server by the semantic conventions.
func (srv *server) serverAttributes(more ...attribute.KeyValue) metric.MeasurementOption {
	return metric.WithAttributes(append(more, attribute.String(names.ServerAddress, srv.host), attribute.Int(names.ServerPort, srv.port))...)
}

// registerCallbacks registers the observable instruments.
func (r *eventsReceiver) registerCallbacks() error {
	t := r.telemetry
	return firstError(
		t.RegisterReceiverCmseventsConnectionsCallback(r.eachLink(func(o metric.Int64Observer, srv *server) {
			for state, n := range srv.socketStateCounts() {
				o.Observe(n, srv.serverAttributes(attribute.String("state", stateNames[state])))
			}
		})),
		t.RegisterReceiverCmseventsProblemsCallback(r.eachLink(func(o metric.Int64Observer, srv *server) {
			for p, has := range r.health.activeProblems(srv) {
				n := int64(0)
				if has {
					n = 1
				}
				o.Observe(n, srv.serverAttributes(attribute.String("problem", problemInfo[p].name)))
			}
		})),
		t.RegisterReceiverCmseventsSubscriptionsCallback(func(_ context.Context, o metric.Int64Observer) error {
			for i, n := range r.hub.subscriptionCounts() {
				srv := r.hub.servers[i]
				o.Observe(n.Wanted, srv.serverAttributes(attribute.String("state", "wanted")))
				o.Observe(n.Active, srv.serverAttributes(attribute.String("state", "active")))
				o.Observe(n.Unplaced, srv.serverAttributes(attribute.String("state", "unplaced")))
			}
			return nil
		}),
		t.RegisterReceiverCmseventsStateSizeCallback(r.eachLink(func(o metric.Int64Observer, srv *server) {
			o.Observe(int64(r.hub.stateBytes(srv.index)), srv.serverAttributes())
		})),
		t.RegisterReceiverCmseventsQueueSizeCallback(r.eachLink(func(o metric.Int64Observer, srv *server) {
			if srv.queue != nil {
				held, _ := srv.queue.counts()
				o.Observe(int64(held), srv.serverAttributes())
			}
		})),
		t.RegisterReceiverCmseventsQueueMemoryCallback(r.eachLink(func(o metric.Int64Observer, srv *server) {
			if srv.queue != nil {
				_, size := srv.queue.counts()
				o.Observe(int64(size), srv.serverAttributes())
			}
		})),
		t.RegisterReceiverCmseventsQueueCapacityCallback(r.eachLink(func(o metric.Int64Observer, srv *server) {
			if srv.queue != nil {
				o.Observe(int64(srv.queue.maxRecords), srv.serverAttributes())
			}
		})),
		t.RegisterReceiverCmseventsUntrackedCallback(func(_ context.Context, o metric.Int64Observer) error {
			o.Observe(r.hub.untracked())
			return nil
		}),
	)
}

// eachLink returns a callback that calls observe for each server.
func (r *eventsReceiver) eachLink(observe func(metric.Int64Observer, *server)) metric.Int64Callback {
	return func(_ context.Context, o metric.Int64Observer) error {
		for _, srv := range r.hub.servers {
			observe(o, srv)
		}
		return nil
	}
}

func firstError(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}
