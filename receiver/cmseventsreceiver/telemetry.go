// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package cmseventsreceiver

import (
	"context"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"

	"github.com/legato-otel/legato/internal/cmsevents"
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
const malformed = cmsevents.Broken + 1

// acknowledgement is a type of message beside those of the servers.
const acknowledgement = cmsevents.MessageTypes

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
		cmsevents.OtherMessage:       "other",
		cmsevents.SubscriptionUpdate: "subscription_update",
		cmsevents.CallListUpdate:     "call_list_update",
		cmsevents.CallInfoUpdate:     "call_info_update",
		cmsevents.RosterUpdate:       "roster_update",
		acknowledgement:              "acknowledgement",
	}
	messageOutcomes = [malformed + 1]string{
		cmsevents.Accepted:    "accepted",
		cmsevents.Ignored:     "ignored",
		cmsevents.UnknownType: "unknown",
		cmsevents.Broken:      "accepted",
		malformed:             "malformed",
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
	telemetry.ReceiverCmseventsMessages.Add(ctx, 0, messageOptions[cmsevents.OtherMessage][malformed]...)
	telemetry.ReceiverCmseventsAcknowledgements.Add(ctx, 0)
}

// observe registers what is read when somebody looks.
func (r *eventsReceiver) observe() error {
	t := r.telemetry
	return firstError(
		t.RegisterReceiverCmseventsConnectionsCallback(func(_ context.Context, o metric.Int64Observer) error {
			for _, l := range r.hub.links {
				counts := l.states()
				for state, n := range counts {
					o.Observe(n, metric.WithAttributes(attribute.String(names.ServerAddress, l.name), attribute.String("state", stateNames[state])))
				}
			}
			return nil
		}),
		t.RegisterReceiverCmseventsSubscriptionsCallback(func(_ context.Context, o metric.Int64Observer) error {
			for i, n := range r.hub.subscribed() {
				server := attribute.String(names.ServerAddress, r.hub.links[i].name)
				o.Observe(n.Wanted, metric.WithAttributes(server, attribute.String("state", "wanted")))
				o.Observe(n.Active, metric.WithAttributes(server, attribute.String("state", "active")))
				o.Observe(n.Unplaced, metric.WithAttributes(server, attribute.String("state", "unplaced")))
			}
			return nil
		}),
		t.RegisterReceiverCmseventsQueueSizeCallback(func(_ context.Context, o metric.Int64Observer) error {
			for _, l := range r.hub.links {
				if l.queue != nil {
					o.Observe(int64(l.queue.size()), metric.WithAttributes(attribute.String(names.ServerAddress, l.name)))
				}
			}
			return nil
		}),
		t.RegisterReceiverCmseventsQueueCapacityCallback(func(_ context.Context, o metric.Int64Observer) error {
			for _, l := range r.hub.links {
				if l.queue != nil {
					o.Observe(int64(l.queue.limit), metric.WithAttributes(attribute.String(names.ServerAddress, l.name)))
				}
			}
			return nil
		}),
		t.RegisterReceiverCmseventsUntrackedCallback(func(_ context.Context, o metric.Int64Observer) error {
			o.Observe(r.hub.untracked())
			return nil
		}),
	)
}

func firstError(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}
