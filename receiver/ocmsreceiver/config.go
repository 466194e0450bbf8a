// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package ocmsreceiver

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/open-telemetry/opentelemetry-collector-contrib/pkg/stanza/fileconsumer"
	"github.com/open-telemetry/opentelemetry-collector-contrib/pkg/stanza/operator/input/tcp"
	"github.com/open-telemetry/opentelemetry-collector-contrib/pkg/stanza/operator/input/udp"
	"github.com/open-telemetry/opentelemetry-collector-contrib/pkg/stanza/split"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/config/configoptional"
	"go.opentelemetry.io/collector/config/configretry"
	metricnoop "go.opentelemetry.io/otel/metric/noop"
	tracenoop "go.opentelemetry.io/otel/trace/noop"
	"go.uber.org/zap"

	"github.com/legato-otel/legato/internal/ingest/dedup"
	"github.com/legato-otel/legato/internal/ingest/lines"
	"github.com/legato-otel/legato/internal/otel/durations"
	"github.com/legato-otel/legato/internal/otel/listener"
)

// Config of the ocms receiver.
type Config struct {
	// File configures the file input of pkg/stanza. Its keys are at the top level:
	// include, exclude, start_at, encoding, max_log_size (default 2 MiB),
	// force_flush_period (default 1 m), ...
	File fileconsumer.Config `mapstructure:",squash"`

	// Syslog receives events from syslog appenders, in addition to files or instead of
	// them. Optional.
	Syslog configoptional.Optional[SyslogConfig] `mapstructure:"syslog"`

	// Storage is the storage extension for the offsets and the identities of accepted
	// messages. Optional.
	Storage *component.ID `mapstructure:"storage"`

	// CreationTimeIsLocal means that CreationTime is local time, from which
	// TimeZoneOffset is subtracted; its Z is a literal. Default false: UTC.
	CreationTimeIsLocal bool `mapstructure:"creation_time_is_local"`

	// ExtraKeys are the names of all additional attributes that applications log.
	// Unless empty, no other undocumented name begins an attribute. Optional.
	ExtraKeys []string `mapstructure:"extra_keys"`

	// IncludeLogRecordOriginal keeps each line in log.record.original. Default true.
	IncludeLogRecordOriginal bool `mapstructure:"include_log_record_original"`

	// RetryOnFailure configures the retries of lines that the next consumer refused.
	// Default: pauses from 1 s to 30 s, without an end.
	RetryOnFailure configretry.BackOffConfig `mapstructure:"retry_on_failure"`

	// MaxBatchBytes is the largest size of the lines in one payload, in bytes. A single
	// line may be larger. Default 1 MiB.
	MaxBatchBytes int `mapstructure:"max_batch_bytes"`

	// ShutdownTimeout is how long a stop waits for lines in flight. Default 5 s.
	ShutdownTimeout time.Duration `mapstructure:"shutdown_timeout"`

	// ResourceAttributes are added to the resource of every record and metric
	// and replace those of the same name. Optional.
	ResourceAttributes map[string]string `mapstructure:"resource_attributes"`

	// Deduplication configures the detection of copies.
	Deduplication DeduplicationConfig `mapstructure:"deduplication"`

	// Metrics configures the metrics signal.
	Metrics MetricsConfig `mapstructure:"metrics"`

	// prevent unkeyed literal initialization
	_ struct{}
}

// SyslogConfig configures the listeners. At least one of the two is set.
type SyslogConfig struct {
	// UDP has the keys of pkg/stanza's UDP input.
	UDP *udp.BaseConfig `mapstructure:"udp"`
	// TCP has the keys of pkg/stanza's TCP input: max_log_size (default 1 MiB),
	// max_connections (default 64), ... It accepts both framings of RFC 6587.
	TCP *tcp.BaseConfig `mapstructure:"tcp"`

	// prevent unkeyed literal initialization
	_ struct{}
}

// DeduplicationConfig configures the detection of copies.
type DeduplicationConfig struct {
	// Window is how long after an event another one about the same message is a copy;
	// 0 accepts all. Default 1 m.
	Window time.Duration `mapstructure:"window"`
	// MaxEntries is the largest number of remembered messages; the oldest are dropped.
	// Default 65536.
	MaxEntries int `mapstructure:"max_entries"`

	// prevent unkeyed literal initialization
	_ struct{}
}

// MetricsConfig of the metrics signal.
type MetricsConfig struct {
	// Interval is the time between two exports of the metrics. Default 15 s.
	Interval time.Duration `mapstructure:"interval"`
	// CardinalityLimit is the largest number of series of one metric of one
	// server. Default 2000.
	CardinalityLimit int `mapstructure:"cardinality_limit"`
	// MaxCalls is the largest number of calls whose times are stored; the oldest are
	// dropped. Default 65536.
	MaxCalls int `mapstructure:"max_calls"`

	// prevent unkeyed literal initialization
	_ struct{}
}

var _ component.Config = (*Config)(nil)

// leastDurations are the least values of the receiver's own durations.
var leastDurations = durations.Bounds{
	"shutdown_timeout":      {AtLeast: durations.Min},
	"deduplication::window": {AtLeast: durations.Min, Zero: "accepts all"},
	"metrics::interval":     {AtLeast: durations.Min},
}

func createDefaultConfig() component.Config {
	file := *fileconsumer.NewConfig()
	// A line of many hops and streams is longer than pkg/stanza's mebibyte.
	file.MaxLogSize = 2 << 20
	// Half a line is not an event. The input passes it on only if the rest does not
	// come.
	file.FlushPeriod = time.Minute
	retry := configretry.NewDefaultBackOffConfig()
	retry.InitialInterval = time.Second
	retry.MaxElapsedTime = 0
	return &Config{
		File:                     file,
		IncludeLogRecordOriginal: true,
		RetryOnFailure:           retry,
		MaxBatchBytes:            1 << 20,
		ShutdownTimeout:          5 * time.Second,
		Deduplication:            DeduplicationConfig{Window: time.Minute, MaxEntries: 1 << 16},
		Metrics:                  MetricsConfig{Interval: 15 * time.Second, CardinalityLimit: 2000, MaxCalls: 1 << 16},
	}
}

// fileConfig returns the configuration of the file input.
func (c *Config) fileConfig() fileconsumer.Config {
	file := c.File
	file.Encoding = lines.EncodingOf(file.Encoding)
	return file
}

// seesLineEnds reports whether the lengths of lines are those of their bytes in the file,
// and whether an event is a line.
func (c *Config) seesLineEnds() bool {
	return lines.EncodingOf(c.File.Encoding) == lines.EncodingOf("") && c.File.SplitConfig == split.Config{}
}

// Validate checks the configuration. It changes nothing.
func (c *Config) Validate() error {
	var errs []error
	if len(c.File.Include) == 0 && !c.Syslog.HasValue() {
		errs = append(errs, errors.New("include must name a file, or syslog an address: got neither"))
	}
	if len(c.File.Include) > 0 {
		if _, err := c.fileConfig().Build(noopTelemetry(), func(context.Context, [][]byte, map[string]any, int64, []int64) error { return nil }); err != nil {
			errs = append(errs, err)
		}
	}
	for _, key := range c.ExtraKeys {
		if key == "" || strings.ContainsAny(key, "=,") {
			errs = append(errs, fmt.Errorf("extra_keys must be names without = and comma, got %q", key))
		}
	}
	if c.MaxBatchBytes <= 0 {
		errs = append(errs, fmt.Errorf("max_batch_bytes must be positive, got %d", c.MaxBatchBytes))
	}
	errs = append(errs, durations.Check(c, leastDurations))
	for _, key := range slices.Sorted(maps.Keys(c.ResourceAttributes)) {
		if key == "" {
			errs = append(errs, errors.New("resource_attributes must have names, got \"\""))
		}
	}
	return errors.Join(errs...)
}

// noopTelemetry returns telemetry for inputs that Validate builds and discards.
func noopTelemetry() component.TelemetrySettings {
	return component.TelemetrySettings{
		Logger: zap.NewNop(), MeterProvider: metricnoop.NewMeterProvider(), TracerProvider: tracenoop.NewTracerProvider(),
	}
}

// Validate checks the configuration. It changes nothing.
func (c *SyslogConfig) Validate() error {
	var errs []error
	if c.UDP == nil && c.TCP == nil {
		errs = append(errs, errors.New("must have udp or tcp, got neither"))
	}
	if c.UDP != nil {
		errs = append(errs, listener.CheckAddress("udp::listen_address", c.UDP.ListenAddress, "0.0.0.0:5514"))
	}
	if c.TCP != nil {
		errs = append(errs, listener.CheckAddress("tcp::listen_address", c.TCP.ListenAddress, "0.0.0.0:5515"))
	}
	return errors.Join(errs...)
}

// Validate checks the configuration. It changes nothing.
func (c *DeduplicationConfig) Validate() error {
	if c.MaxEntries < dedup.MinEntries || c.MaxEntries > dedup.MaxEntries {
		return fmt.Errorf("max_entries must be from %d to %d, got %d", dedup.MinEntries, dedup.MaxEntries, c.MaxEntries)
	}
	return nil
}

// Validate checks the configuration. It changes nothing.
func (c *MetricsConfig) Validate() error {
	var errs []error
	if c.CardinalityLimit <= 0 {
		errs = append(errs, fmt.Errorf("cardinality_limit must be positive, got %d", c.CardinalityLimit))
	}
	if c.MaxCalls <= 0 {
		errs = append(errs, fmt.Errorf("max_calls must be positive, got %d", c.MaxCalls))
	}
	return errors.Join(errs...)
}
