// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package cmssyslogreceiver

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/open-telemetry/opentelemetry-collector-contrib/pkg/stanza/fileconsumer"
	"github.com/open-telemetry/opentelemetry-collector-contrib/pkg/stanza/operator/input/tcp"
	"github.com/open-telemetry/opentelemetry-collector-contrib/pkg/stanza/operator/input/udp"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/config/configretry"
	metricnoop "go.opentelemetry.io/otel/metric/noop"
	tracenoop "go.opentelemetry.io/otel/trace/noop"
	"go.uber.org/zap"

	"github.com/legato-otel/legato/internal/ingest/lines"
	"github.com/legato-otel/legato/internal/meetingserver/syslog"
	"github.com/legato-otel/legato/internal/otel/durations"
	"github.com/legato-otel/legato/internal/otel/listener"
)

// Config of the cmssyslog receiver.
type Config struct {
	// UDP has the keys of pkg/stanza's UDP input: listen_address (required),
	// add_attributes, async, ... Optional.
	UDP *udp.BaseConfig `mapstructure:"udp"`
	// TCP has the keys of pkg/stanza's TCP input: listen_address (required), tls,
	// max_log_size (default 64 KiB), max_connections (default 256), ... It accepts both
	// framings of RFC 6587. Optional.
	TCP *tcp.BaseConfig `mapstructure:"tcp"`
	// File configures the file input of pkg/stanza. Its keys are at the top level:
	// include, exclude, start_at, ...
	File fileconsumer.Config `mapstructure:",squash"`

	// Location is the time zone of dates without a zone, such as Europe/Berlin. Default
	// UTC.
	Location string `mapstructure:"location"`

	// Storage is the storage extension for the offsets of files. Optional.
	Storage *component.ID `mapstructure:"storage"`

	// Servers map hosts to Call Bridges. Optional.
	Servers []ServerConfig `mapstructure:"servers"`

	// ResourceAttributes are added to the resource of every record and metric
	// and replace those of the same name. Optional.
	ResourceAttributes map[string]string `mapstructure:"resource_attributes"`

	// Requests configures how the lines of API traces are joined.
	Requests RequestsConfig `mapstructure:"requests"`

	// FlushInterval is how long a record from the network waits for others at most.
	// Default 100 ms.
	FlushInterval time.Duration `mapstructure:"flush_interval"`

	// MaxBatchRecords is the largest number of records in one payload. Default 512.
	MaxBatchRecords int `mapstructure:"max_batch_records"`

	// RetryOnFailure configures the retries of records that the next consumer refused.
	// Default: pauses from 1 s to 30 s, without an end.
	RetryOnFailure configretry.BackOffConfig `mapstructure:"retry_on_failure"`

	// ShutdownTimeout is how long a stop waits for records in flight. Default 5 s.
	ShutdownTimeout time.Duration `mapstructure:"shutdown_timeout"`

	// Metrics configures the metrics signal.
	Metrics MetricsConfig `mapstructure:"metrics"`

	// prevent unkeyed literal initialization
	_ struct{}
}

// ServerConfig is one Call Bridge.
type ServerConfig struct {
	// Host is the host name in the lines of the bridge, or the address of the sender,
	// without regard to case. Required.
	Host string `mapstructure:"host"`
	// CallBridge is the id of the bridge in its cluster, as call detail records have it.
	// It becomes the service.instance.id. Optional.
	CallBridge string `mapstructure:"call_bridge"`
	// ResourceAttributes are added to the resource of the bridge's records and metrics.
	// They replace common attributes of the same name. Optional.
	ResourceAttributes map[string]string `mapstructure:"resource_attributes"`

	// prevent unkeyed literal initialization
	_ struct{}
}

// RequestsConfig configures how the lines of API traces are joined.
type RequestsConfig struct {
	// TraceTimeout ends a request with a response so long after its last line. Default
	// 2 s.
	TraceTimeout time.Duration `mapstructure:"trace_timeout"`
	// ResponseTimeout ends a request without a response. Default 1 m.
	ResponseTimeout time.Duration `mapstructure:"response_timeout"`
	// MaxSize is the largest size of one request, in bytes; the rest is left out. Default
	// 64 KiB.
	MaxSize int `mapstructure:"max_size"`
	// MaxTotalSize is the largest size of all open requests, in bytes. Default 16 MiB.
	MaxTotalSize int `mapstructure:"max_total_size"`

	// prevent unkeyed literal initialization
	_ struct{}
}

// MetricsConfig of the metrics signal.
type MetricsConfig struct {
	// Interval is the time between two exports of the metrics. Default 15 s.
	Interval time.Duration `mapstructure:"interval"`
	// CardinalityLimit is the largest number of series of one metric of one bridge.
	// Default 2000.
	CardinalityLimit int `mapstructure:"cardinality_limit"`

	// prevent unkeyed literal initialization
	_ struct{}
}

var _ component.Config = (*Config)(nil)

// leastDurations are the least values of the receiver's own durations.
var leastDurations = durations.Bounds{
	"requests::trace_timeout":    {AtLeast: 100 * time.Millisecond},
	"requests::response_timeout": {AtLeast: 100 * time.Millisecond},
	"flush_interval":             {AtLeast: durations.Min},
	"shutdown_timeout":           {AtLeast: durations.Min},
	"metrics::interval":          {AtLeast: durations.Min},
}

func createDefaultConfig() component.Config {
	file := *fileconsumer.NewConfig()
	file.MaxLogSize = lines.DefaultMaxLogSize
	file.IncludeFilePath = true // two bridges may log into files with the same name
	retry := configretry.NewDefaultBackOffConfig()
	retry.InitialInterval = time.Second
	retry.MaxElapsedTime = 0
	return &Config{
		File:     file,
		Location: "UTC",
		Requests: RequestsConfig{
			TraceTimeout: syslog.DefaultTraceTimeout, ResponseTimeout: syslog.DefaultResponseTimeout,
			MaxSize: syslog.DefaultLimits.RequestBytes, MaxTotalSize: syslog.DefaultLimits.Bytes,
		},
		FlushInterval:   100 * time.Millisecond,
		MaxBatchRecords: 512,
		RetryOnFailure:  retry,
		ShutdownTimeout: 5 * time.Second,
		Metrics:         MetricsConfig{Interval: 15 * time.Second, CardinalityLimit: 2000},
	}
}

func (c *Config) inputs() *lines.Config {
	return &lines.Config{UDP: c.UDP, TCP: c.TCP, File: c.File}
}

// Validate checks the configuration. It changes nothing.
func (c *Config) Validate() error {
	var errs []error
	if c.UDP == nil && c.TCP == nil && len(c.File.Include) == 0 {
		errs = append(errs, errors.New("must have udp, tcp or include, got none"))
	}
	if c.UDP != nil {
		errs = append(errs, listener.CheckAddress("udp::listen_address", c.UDP.ListenAddress, "0.0.0.0:514"))
	}
	if c.TCP != nil {
		errs = append(errs, listener.CheckAddress("tcp::listen_address", c.TCP.ListenAddress, "0.0.0.0:6514"))
	}
	if len(c.File.Include) > 0 {
		if _, err := lines.Build(&lines.Config{File: c.File}, noopTelemetry(), func(context.Context, lines.Origin, []string) error { return nil }); err != nil {
			errs = append(errs, err)
		}
	}
	if _, err := time.LoadLocation(c.Location); err != nil {
		errs = append(errs, fmt.Errorf("location must be UTC, Local or the name of a time zone such as Europe/Berlin, got %q", c.Location))
	}
	seen := make(map[string]int)
	for i := range c.Servers {
		host := strings.ToLower(c.Servers[i].Host)
		if first, isDuplicate := seen[host]; isDuplicate && host != "" {
			errs = append(errs, fmt.Errorf("servers::%d: host is that of servers::%d", i, first))
		}
		seen[host] = i
	}
	if c.MaxBatchRecords <= 0 {
		errs = append(errs, fmt.Errorf("max_batch_records must be positive, got %d", c.MaxBatchRecords))
	}
	errs = append(errs, durations.Check(c, leastDurations))
	return errors.Join(errs...)
}

// noopTelemetry returns telemetry for inputs that Validate builds and discards.
func noopTelemetry() component.TelemetrySettings {
	return component.TelemetrySettings{
		Logger: zap.NewNop(), MeterProvider: metricnoop.NewMeterProvider(), TracerProvider: tracenoop.NewTracerProvider(),
	}
}

// Validate checks the configuration. It changes nothing.
func (c *ServerConfig) Validate() error {
	if c.Host == "" {
		return errors.New("host must not be empty")
	}
	return nil
}

// Validate checks the configuration. It changes nothing.
func (c *RequestsConfig) Validate() error {
	var errs []error
	if c.MaxSize < 4096 {
		errs = append(errs, fmt.Errorf("max_size must be at least 4096, got %d", c.MaxSize))
	}
	if c.MaxTotalSize < c.MaxSize {
		errs = append(errs, fmt.Errorf("max_total_size must be at least max_size (%d), got %d", c.MaxSize, c.MaxTotalSize))
	}
	return errors.Join(errs...)
}

// Validate checks the configuration. It changes nothing.
func (c *MetricsConfig) Validate() error {
	if c.CardinalityLimit <= 0 {
		return fmt.Errorf("cardinality_limit must be positive, got %d", c.CardinalityLimit)
	}
	return nil
}
