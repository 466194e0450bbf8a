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

// recordOutcome is what became of an event record.
type recordOutcome uint8

const (
	accepted recordOutcome = iota
	overflow               // no room in the queue; told in short by a resync
	refused                // by the next consumer, for good
	recordOutcomes
)

// malformed is the outcome of a message beside those of the picture.
const malformed = events.ListEnded + 1

// acknowledgement is a type of message beside those of the servers.
const acknowledgement = events.MessageTypes

var (
	recordOptions = [recordOutcomes][]metric.AddOption{
		accepted: addOption("outcome", "accepted"),
		overflow: addOption("outcome", "overflow"),
		refused:  addOption("outcome", "refused"),
	}
	resyncOptions = map[string][]metric.AddOption{
		"overflow":  addOption("reason", "overflow"),
		"malformed": addOption("reason", "malformed"),
	}
	messageTypes = [acknowledgement + 1]string{
		events.OtherMessage:       "other",
		events.SubscriptionUpdate: "subscription_update",
		events.CallListUpdate:     "call_list_update",
		events.CallInfoUpdate:     "call_info_update",
		events.RosterUpdate:       "roster_update",
		acknowledgement:           "acknowledgement",
	}
	messageOutcomes = [malformed + 1]string{
		events.Accepted:    "accepted",
		events.Ignored:     "ignored",
		events.UnknownType: "unknown",
		events.ListEnded:      "accepted",
		malformed:          "malformed",
	}
	messageOptions = func() (all [acknowledgement + 1][malformed + 1][]metric.AddOption) {
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

// zeroTelemetry lets the series that somebody is woken by be born at zero: a
// rate does not see what a series is born with.
func zeroTelemetry(ctx context.Context, telemetry *metadata.TelemetryBuilder) {
	for _, what := range recordOptions {
		telemetry.ReceiverCmseventsRecords.Add(ctx, 0, what...)
	}
	for _, why := range resyncOptions {
		telemetry.ReceiverCmseventsResyncs.Add(ctx, 0, why...)
	}
	for reason := range reasons {
		telemetry.ReceiverCmseventsReconnects.Add(ctx, 0, reasonOptions[reason]...)
	}
	telemetry.ReceiverCmseventsMessages.Add(ctx, 0, messageOptions[events.OtherMessage][malformed]...)
	telemetry.ReceiverCmseventsAcknowledgements.Add(ctx, 0)
}

// serverAttributes name a server as the semantic conventions do.
func (l *link) serverAttributes(more ...attribute.KeyValue) metric.MeasurementOption {
	return metric.WithAttributes(append(more, attribute.String(names.ServerAddress, l.host), attribute.Int(names.ServerPort, l.port))...)
}

// observe registers what is read when somebody looks.
func (r *eventsReceiver) observe() error {
	t := r.telemetry
	return firstError(
		t.RegisterReceiverCmseventsConnectionsCallback(r.eachLink(func(o metric.Int64Observer, l *link) {
			for state, n := range l.states() {
				o.Observe(n, l.serverAttributes(attribute.String("state", stateNames[state])))
			}
		})),
		t.RegisterReceiverCmseventsProblemsCallback(r.eachLink(func(o metric.Int64Observer, l *link) {
			for p, has := range r.health.has(l) {
				n := int64(0)
				if has {
					n = 1
				}
				o.Observe(n, l.serverAttributes(attribute.String("problem", problemTexts[p].name)))
			}
		})),
		t.RegisterReceiverCmseventsSubscriptionsCallback(func(_ context.Context, o metric.Int64Observer) error {
			for i, n := range r.hub.subscribed() {
				l := r.hub.links[i]
				o.Observe(n.Wanted, l.serverAttributes(attribute.String("state", "wanted")))
				o.Observe(n.Active, l.serverAttributes(attribute.String("state", "active")))
				o.Observe(n.Unplaced, l.serverAttributes(attribute.String("state", "unplaced")))
			}
			return nil
		}),
		t.RegisterReceiverCmseventsStateSizeCallback(r.eachLink(func(o metric.Int64Observer, l *link) {
			o.Observe(int64(r.hub.bytes(l.index)), l.serverAttributes())
		})),
		t.RegisterReceiverCmseventsQueueSizeCallback(r.eachLink(func(o metric.Int64Observer, l *link) {
			if l.queue != nil {
				held, _ := l.queue.sizes()
				o.Observe(int64(held), l.serverAttributes())
			}
		})),
		t.RegisterReceiverCmseventsQueueMemoryCallback(r.eachLink(func(o metric.Int64Observer, l *link) {
			if l.queue != nil {
				_, size := l.queue.sizes()
				o.Observe(int64(size), l.serverAttributes())
			}
		})),
		t.RegisterReceiverCmseventsQueueCapacityCallback(r.eachLink(func(o metric.Int64Observer, l *link) {
			if l.queue != nil {
				o.Observe(int64(l.queue.limit), l.serverAttributes())
			}
		})),
		t.RegisterReceiverCmseventsUntrackedCallback(func(_ context.Context, o metric.Int64Observer) error {
			o.Observe(r.hub.untracked())
			return nil
		}),
	)
}

// eachLink returns a callback that calls show for each server.
func (r *eventsReceiver) eachLink(show func(metric.Int64Observer, *link)) metric.Int64Callback {
	return func(_ context.Context, o metric.Int64Observer) error {
		for _, l := range r.hub.links {
			show(o, l)
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
