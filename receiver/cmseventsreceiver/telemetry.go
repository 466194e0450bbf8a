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
func (l *link) serverAttributes(more ...attribute.KeyValue) metric.MeasurementOption {
	return metric.WithAttributes(append(more, attribute.String(names.ServerAddress, l.host), attribute.Int(names.ServerPort, l.port))...)
}

// registerCallbacks registers the observable instruments.
func (r *eventsReceiver) registerCallbacks() error {
	t := r.telemetry
	return firstError(
		t.RegisterReceiverCmseventsConnectionsCallback(r.eachLink(func(o metric.Int64Observer, l *link) {
			for state, n := range l.socketStateCounts() {
				o.Observe(n, l.serverAttributes(attribute.String("state", stateNames[state])))
			}
		})),
		t.RegisterReceiverCmseventsProblemsCallback(r.eachLink(func(o metric.Int64Observer, l *link) {
			for p, has := range r.health.activeProblems(l) {
				n := int64(0)
				if has {
					n = 1
				}
				o.Observe(n, l.serverAttributes(attribute.String("problem", problemInfo[p].name)))
			}
		})),
		t.RegisterReceiverCmseventsSubscriptionsCallback(func(_ context.Context, o metric.Int64Observer) error {
			for i, n := range r.hub.subscriptionCounts() {
				l := r.hub.links[i]
				o.Observe(n.Wanted, l.serverAttributes(attribute.String("state", "wanted")))
				o.Observe(n.Active, l.serverAttributes(attribute.String("state", "active")))
				o.Observe(n.Unplaced, l.serverAttributes(attribute.String("state", "unplaced")))
			}
			return nil
		}),
		t.RegisterReceiverCmseventsStateSizeCallback(r.eachLink(func(o metric.Int64Observer, l *link) {
			o.Observe(int64(r.hub.stateBytes(l.index)), l.serverAttributes())
		})),
		t.RegisterReceiverCmseventsQueueSizeCallback(r.eachLink(func(o metric.Int64Observer, l *link) {
			if l.queue != nil {
				held, _ := l.queue.counts()
				o.Observe(int64(held), l.serverAttributes())
			}
		})),
		t.RegisterReceiverCmseventsQueueMemoryCallback(r.eachLink(func(o metric.Int64Observer, l *link) {
			if l.queue != nil {
				_, size := l.queue.counts()
				o.Observe(int64(size), l.serverAttributes())
			}
		})),
		t.RegisterReceiverCmseventsQueueCapacityCallback(r.eachLink(func(o metric.Int64Observer, l *link) {
			if l.queue != nil {
				o.Observe(int64(l.queue.maxRecords), l.serverAttributes())
			}
		})),
		t.RegisterReceiverCmseventsUntrackedCallback(func(_ context.Context, o metric.Int64Observer) error {
			o.Observe(r.hub.untracked())
			return nil
		}),
	)
}

// eachLink returns a callback that calls observe for each server.
func (r *eventsReceiver) eachLink(observe func(metric.Int64Observer, *link)) metric.Int64Callback {
	return func(_ context.Context, o metric.Int64Observer) error {
		for _, l := range r.hub.links {
			observe(o, l)
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
