// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package cmssyslogreceiver

import (
	"context"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"

	"github.com/legato-otel/legato/internal/meetingserver/syslog"
)

// outcome is the fate of a record, an attribute of receiver_cmssyslog_records.
type outcome uint8

const (
	outcomeAccepted outcome = iota
	outcomeRefused          // by the next consumer, for now; it is retried
	outcomeLost             // refused permanently, or until a stop
	outcomeCount
)

func optionsByValue(key string, values ...string) map[string][]metric.AddOption {
	all := make(map[string][]metric.AddOption, len(values))
	for _, value := range values {
		all[value] = []metric.AddOption{metric.WithAttributeSet(attribute.NewSet(attribute.String(key, value)))}
	}
	return all
}

const complete = "complete"

var (
	outcomeNames     = [outcomeCount]string{"accepted", "refused", "lost"}
	outcomeOptions   = optionsByValue("outcome", outcomeNames[:]...)
	transportOptions = optionsByValue("network.transport", "udp", "tcp", "file")
	requestOptions   = optionsByValue("outcome", complete, syslog.IncompleteNoRequest, syslog.IncompleteNoResponse,
		syslog.IncompleteTooLong, syslog.IncompleteBody, syslog.IncompleteEvicted)
)

func (d *delivery) countOutcome(outcome outcome, n int) {
	d.telemetry.ReceiverCmssyslogRecords.Add(d.attemptsContext, int64(n), outcomeOptions[outcomeNames[outcome]]...)
}

// countRequests counts the API requests among records.
func (d *delivery) countRequests(items []pendingRecord) {
	for i := range items {
		if request := items[i].record.Request; request != nil {
			name := request.Incomplete
			if name == "" {
				name = complete
			}
			d.telemetry.ReceiverCmssyslogRequests.Add(d.attemptsContext, 1, requestOptions[name]...)
		}
	}
}

// startTelemetry lets the series begin at 0, because rate() ignores the first value of a
// series, and registers the gauge.
func (r *syslogReceiver) startTelemetry(ctx context.Context, d *delivery) error {
	for _, option := range outcomeOptions {
		r.telemetry.ReceiverCmssyslogRecords.Add(ctx, 0, option...)
	}
	for _, option := range requestOptions {
		r.telemetry.ReceiverCmssyslogRequests.Add(ctx, 0, option...)
	}
	return r.telemetry.RegisterReceiverCmssyslogOpenRequestsCallback(func(_ context.Context, o metric.Int64Observer) error {
		o.Observe(d.openRequests.Load())
		return nil
	})
}
