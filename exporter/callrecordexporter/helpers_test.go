// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package callrecordexporter

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/exporter"
	"go.opentelemetry.io/collector/exporter/exportertest"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"

	"github.com/legato-otel/legato/exporter/callrecordexporter/internal/metadata"
	"github.com/legato-otel/legato/internal/archive/store"
)

// load reads a configuration as a Collector does.
func load(t *testing.T, values map[string]any) (*Config, error) {
	t.Helper()
	config := createDefaultConfig().(*Config)
	if err := confmap.NewFromStringMap(values).Unmarshal(config); err != nil {
		return nil, err
	}
	return config, confmap.Validate(config)
}

// harness is a started exporter, with its log and internal metrics.
type harness struct {
	exporter.Logs
	t         *testing.T
	source    string
	telemetry *componenttest.Telemetry
	log       *observer.ObservedLogs
}

// newHarness starts an exporter on a file of its own, unless the values say
// otherwise.
func newHarness(t *testing.T, values map[string]any) *harness {
	t.Helper()
	return newHarnessWith(t, values, func(*Config) {})
}

// newHarnessWith starts an exporter. change may set values that Validate refuses.
func newHarnessWith(t *testing.T, values map[string]any, change func(*Config)) *harness {
	t.Helper()
	r := &harness{t: t, source: filepath.Join(t.TempDir(), "calls.db"), telemetry: componenttest.NewTelemetry()}
	all := map[string]any{"datasource": r.source}
	maps.Copy(all, values)
	config, err := load(t, all)
	require.NoError(t, err)
	change(config)
	set := exportertest.NewNopSettings(metadata.Type)
	set.TelemetrySettings = r.telemetry.NewTelemetrySettings()
	var core zapcore.Core
	core, r.log = observer.New(zap.DebugLevel)
	set.Logger = zap.New(core)
	r.Logs, err = NewFactory().CreateLogs(t.Context(), set, config)
	require.NoError(t, err)
	require.NoError(t, r.Start(t.Context(), componenttest.NewNopHost()))
	t.Cleanup(func() {
		require.NoError(t, r.Shutdown(context.Background()))
		require.NoError(t, r.telemetry.Shutdown(context.Background()))
	})
	return r
}

// counts are the values of the exporter's own series.
func (r *harness) counts() map[string]int64 {
	r.t.Helper()
	all := make(map[string]int64)
	var data metricdata.ResourceMetrics
	require.NoError(r.t, r.telemetry.Reader.Collect(r.t.Context(), &data))
	for _, scope := range data.ScopeMetrics {
		for _, m := range scope.Metrics {
			sum, ok := m.Data.(metricdata.Sum[int64])
			if !ok {
				continue
			}
			for _, point := range sum.DataPoints {
				name := []string{m.Name}
				for _, key := range []string{"outcome", "table"} {
					if v, has := point.Attributes.Value(attribute.Key(key)); has {
						name = append(name, v.AsString())
					}
				}
				all[strings.Join(name, " ")] += point.Value
			}
		}
	}
	return all
}

// archive opens what the exporter wrote, beside it.
func (r *harness) archive() *store.Store {
	r.t.Helper()
	return openArchive(r.t, r.source)
}

func openArchive(t *testing.T, source string) *store.Store {
	t.Helper()
	s, err := store.Open(t.Context(), store.SQLite, source)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	return s
}

// readLogs reads the requests of a file, one JSON object after the other.
func readLogs(t *testing.T, file string) (all []plog.Logs) {
	t.Helper()
	text, err := os.ReadFile(file)
	require.NoError(t, err)
	decoder := json.NewDecoder(bytes.NewReader(text))
	for {
		var one json.RawMessage
		if err := decoder.Decode(&one); errors.Is(err, io.EOF) {
			return all
		} else {
			require.NoError(t, err, file)
		}
		logs, err := (&plog.JSONUnmarshaler{}).UnmarshalLogs(one)
		require.NoError(t, err, file)
		all = append(all, logs)
	}
}
