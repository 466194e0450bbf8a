// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package cmssyslogreceiver

import (
	"context"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"

	"github.com/legato-otel/legato/internal/meetingserver/syslog"
)

// outcome is what became of a record; the attribute of receiver_cmssyslog_records.
type outcome uint8

const (
	outcomeAccepted outcome = iota
	outcomeRefused          // the next consumer wants it again later
	outcomeLost             // refused permanently, or until a stop
	outcomeCount
)

func optionsOf(key string, values ...string) map[string][]metric.AddOption {
	all := make(map[string][]metric.AddOption, len(values))
	for _, value := range values {
		all[value] = []metric.AddOption{metric.WithAttributeSet(attribute.NewSet(attribute.String(key, value)))}
	}
	return all
}

const complete = "complete"

var (
	outcomeNames     = [outcomeCount]string{"accepted", "refused", "lost"}
	outcomeOptions   = optionsOf("outcome", outcomeNames[:]...)
	transportOptions = optionsOf("network.transport", "udp", "tcp", "file")
	requestOptions   = optionsOf("outcome", complete, syslog.IncompleteNoRequest, syslog.IncompleteNoResponse,
		syslog.IncompleteTooLong, syslog.IncompleteBody, syslog.IncompleteEvicted)
)

func (in *intake) count(what outcome, n int) {
	in.telemetry.ReceiverCmssyslogRecords.Add(in.attempts, int64(n), outcomeOptions[outcomeNames[what]]...)
}

// countRequests counts the API requests among records.
func (in *intake) countRequests(items []item) {
	for i := range items {
		if request := items[i].record.Request; request != nil {
			name := request.Incomplete
			if name == "" {
				name = complete
			}
			in.telemetry.ReceiverCmssyslogRequests.Add(in.attempts, 1, requestOptions[name]...)
		}
	}
}

// startTelemetry lets the series be born at zero, because a rate does not see what a
// series is born with, and registers what is read when somebody looks.
func (r *syslogReceiver) startTelemetry(ctx context.Context, in *intake) error {
	for _, what := range outcomeOptions {
		r.telemetry.ReceiverCmssyslogRecords.Add(ctx, 0, what...)
	}
	for _, what := range requestOptions {
		r.telemetry.ReceiverCmssyslogRequests.Add(ctx, 0, what...)
	}
	return r.telemetry.RegisterReceiverCmssyslogOpenRequestsCallback(func(_ context.Context, o metric.Int64Observer) error {
		o.Observe(in.open.Load())
		return nil
	})
}
