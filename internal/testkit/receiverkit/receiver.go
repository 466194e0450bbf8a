// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package receiverkit

import (
	"context"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/receiver"
	"go.opentelemetry.io/collector/receiver/receivertest"
	"go.opentelemetry.io/otel/attribute"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"
)

// Receiver is a receiver and its surroundings. A test sets Logs, Metrics, Host and the
// configuration before Start.
type Receiver struct {
	T        *testing.T
	Factory  receiver.Factory
	Config   component.Config
	Settings receiver.Settings
	Host     component.Host
	Logs     consumer.Logs          // nil: no logs pipeline
	Metrics  consumer.Metrics       // nil: no metrics pipeline
	Log      *observer.ObservedLogs // what the receiver logged
	Parts    []component.Component  // the created components, logs before metrics

	reader *sdkmetric.ManualReader
}

// New returns a receiver that is not started. Log has its entries from level on.
func New(t *testing.T, factory receiver.Factory, config component.Config, level zapcore.Level) *Receiver {
	t.Helper()
	core, log := observer.New(level)
	r := &Receiver{
		T: t, Factory: factory, Config: config, Host: componenttest.NewNopHost(),
		Settings: receivertest.NewNopSettings(factory.Type()), Log: log, reader: sdkmetric.NewManualReader(),
	}
	r.Settings.Logger = zap.New(core)
	r.Settings.MeterProvider = sdkmetric.NewMeterProvider(sdkmetric.WithReader(r.reader))
	return r
}

// Create makes a component for each signal that has a consumer.
func (r *Receiver) Create() {
	r.T.Helper()
	r.Parts = nil
	if r.Logs != nil {
		part, err := r.Factory.CreateLogs(r.T.Context(), r.Settings, r.Config, r.Logs)
		require.NoError(r.T, err)
		r.Parts = append(r.Parts, part)
	}
	if r.Metrics != nil {
		part, err := r.Factory.CreateMetrics(r.T.Context(), r.Settings, r.Config, r.Metrics)
		require.NoError(r.T, err)
		r.Parts = append(r.Parts, part)
	}
}

// StartParts starts what Create made.
func (r *Receiver) StartParts() {
	r.T.Helper()
	for _, part := range r.Parts {
		require.NoError(r.T, part.Start(r.T.Context(), r.Host))
	}
}

// Start creates and starts the receiver.
func (r *Receiver) Start() {
	r.T.Helper()
	r.Create()
	r.StartParts()
}

// Stop shuts the receiver down, if it is running.
func (r *Receiver) Stop() {
	r.T.Helper()
	parts := r.Parts
	r.Parts = nil
	for _, part := range parts {
		require.NoError(r.T, part.Shutdown(context.WithoutCancel(r.T.Context())))
	}
}

// InternalMetrics returns the metrics that the receiver records about itself.
func (r *Receiver) InternalMetrics() metricdata.ResourceMetrics {
	r.T.Helper()
	var data metricdata.ResourceMetrics
	require.NoError(r.T, r.reader.Collect(context.WithoutCancel(r.T.Context()), &data))
	return data
}

// Counter returns the sum of those series of an internal counter or gauge that have all of
// the attribute values.
func (r *Receiver) Counter(name string, values ...string) (total int64) {
	r.T.Helper()
	for _, scope := range r.InternalMetrics().ScopeMetrics {
		for _, m := range scope.Metrics {
			if m.Name != name {
				continue
			}
			switch d := m.Data.(type) {
			case metricdata.Sum[int64]:
				total += sumPoints(d.DataPoints, values)
			case metricdata.Gauge[int64]:
				total += sumPoints(d.DataPoints, values)
			}
		}
	}
	return total
}

func sumPoints(points []metricdata.DataPoint[int64], values []string) (total int64) {
	for _, p := range points {
		lacks := func(value string) bool {
			return !slices.ContainsFunc(p.Attributes.ToSlice(), func(kv attribute.KeyValue) bool { return kv.Value.String() == value })
		}
		if !slices.ContainsFunc(values, lacks) {
			total += p.Value
		}
	}
	return total
}
