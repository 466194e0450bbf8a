// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package mediasensereceiver

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/config/confighttp"
	"go.opentelemetry.io/collector/config/configoptional"

	"github.com/legato-otel/legato/internal/ingest/dedup"
	"github.com/legato-otel/legato/internal/ingest/webhook"
	"github.com/legato-otel/legato/internal/names"
)

// Config of the mediasense receiver.
type Config struct {
	// HTTP is the listener. Its keys stand at the receiver's own level:
	// endpoint (default localhost:8085), auth, max_request_body_size (default
	// 4 MiB, of the inflated body), read_timeout (default 30 s), ... MediaSense
	// does not speak TLS to it.
	HTTP confighttp.ServerConfig `mapstructure:",squash"`

	// Path that MediaSense posts to. Default "/mediasense".
	Path string `mapstructure:"path"`

	// Storage names the storage extension in which the keys of accepted events
	// and the levels of the disks survive a restart. Optional.
	Storage *component.ID `mapstructure:"storage"`

	// PerTrack adds a record for each track of a session event. Default false.
	PerTrack bool `mapstructure:"per_track"`

	// MaxBatchBytes and MaxBatchRecords bound a piece of a body that goes on in
	// one payload: its events as they were posted, in bytes, and their number.
	// As OTLP it has at most three times as many bytes. An event alone may be
	// more. Default 1 MiB and 512.
	MaxBatchBytes   int `mapstructure:"max_batch_bytes"`
	MaxBatchRecords int `mapstructure:"max_batch_records"`

	// MaxInFlightBytes bounds all bodies together that are in memory at once,
	// inflated, in bytes. What comes above it is answered with 503. Default 128 MiB.
	MaxInFlightBytes int64 `mapstructure:"max_in_flight_bytes"`

	// ShutdownTimeout is how long a stop waits for what is in flight before it is
	// cut off, unanswered. Default 5 s.
	ShutdownTimeout time.Duration `mapstructure:"shutdown_timeout"`

	// QueryParameters maps query parameters of the URI that is posted to, to
	// resource attributes. Optional.
	QueryParameters map[string]string `mapstructure:"query_parameters"`

	// ResourceAttributes are added to the resource of every record and metric
	// and replace those of the same name. Optional.
	ResourceAttributes map[string]string `mapstructure:"resource_attributes"`

	// Deduplication configures how copies are told from new events.
	Deduplication DeduplicationConfig `mapstructure:"deduplication"`

	// Metrics configures the metrics signal.
	Metrics MetricsConfig `mapstructure:"metrics"`

	// Subscription makes the receiver subscribe itself at MediaSense servers
	// through their API, and look after it. Optional.
	Subscription configoptional.Optional[SubscriptionConfig] `mapstructure:"subscription"`

	// prevent unkeyed literal initialization
	_ struct{}
}

// DeduplicationConfig says for how long an event is known.
type DeduplicationConfig struct {
	// Window in which the same event is a copy. Default 24 h.
	Window time.Duration `mapstructure:"window"`
	// StorageWindow is that of threshold events, which have nothing that tells a
	// second crossing from a copy of the first; and how far apart threshold
	// events may come in a wrong order. Default 10 s.
	StorageWindow time.Duration `mapstructure:"storage_window"`
	// MaxEntries is how many events are known at most; the oldest go. With a
	// subscription, these are events of the servers that it names; other senders
	// have a quarter as many for themselves. Default 65536.
	MaxEntries int `mapstructure:"max_entries"`

	// prevent unkeyed literal initialization
	_ struct{}
}

// MetricsConfig of the metrics signal.
type MetricsConfig struct {
	// Interval at which metrics are sent on. Default 15 s.
	Interval time.Duration `mapstructure:"interval"`
	// CardinalityLimit is the largest number of series of one metric of one
	// server. Default 2000.
	CardinalityLimit int `mapstructure:"cardinality_limit"`

	// prevent unkeyed literal initialization
	_ struct{}
}

var _ component.Config = (*Config)(nil)

const defaultPath = "/mediasense"

func createDefaultConfig() component.Config {
	server := confighttp.NewDefaultServerConfig()
	server.NetAddr.Endpoint = "localhost:8085"
	server.MaxRequestBodySize = 4 << 20
	// confighttp has no limit here; a body that trickles in would hold a
	// connection for ever.
	server.ReadTimeout = 30 * time.Second
	server.CompressionAlgorithms = webhook.DefaultEncodings()
	return &Config{
		HTTP:          server,
		Path:          defaultPath,
		MaxBatchBytes: 1 << 20, MaxBatchRecords: 512,
		MaxInFlightBytes: 128 << 20,
		ShutdownTimeout:  5 * time.Second,
		Deduplication:    DeduplicationConfig{Window: 24 * time.Hour, StorageWindow: 10 * time.Second, MaxEntries: 1 << 16},
		Metrics:          MetricsConfig{Interval: 15 * time.Second, CardinalityLimit: 2000},
		Subscription:     configoptional.Default(defaultSubscription()),
	}
}

// Validate checks the configuration. It changes nothing.
func (c *Config) Validate() error {
	var errs []error
	if c.HTTP.NetAddr.Endpoint == "" {
		errs = append(errs, errors.New("endpoint must not be empty"))
	}
	if c.HTTP.MaxRequestBodySize <= 0 {
		errs = append(errs, fmt.Errorf("max_request_body_size must be positive, got %d", c.HTTP.MaxRequestBodySize))
	}
	if err := webhook.CheckPath(c.Path); err != nil {
		errs = append(errs, err)
	}
	if c.MaxInFlightBytes < c.HTTP.MaxRequestBodySize {
		errs = append(errs, fmt.Errorf("max_in_flight_bytes must be at least max_request_body_size (%d), got %d", c.HTTP.MaxRequestBodySize, c.MaxInFlightBytes))
	}
	if c.ShutdownTimeout <= 0 {
		errs = append(errs, fmt.Errorf("shutdown_timeout must be positive, got %s", c.ShutdownTimeout))
	}
	if c.MaxBatchBytes <= 0 {
		errs = append(errs, fmt.Errorf("max_batch_bytes must be positive, got %d", c.MaxBatchBytes))
	}
	if c.MaxBatchRecords <= 0 {
		errs = append(errs, fmt.Errorf("max_batch_records must be positive, got %d", c.MaxBatchRecords))
	}
	if c.HTTP.ReadTimeout < 0 {
		errs = append(errs, fmt.Errorf("read_timeout must not be negative, got %s", c.HTTP.ReadTimeout))
	}
	for _, parameter := range slices.Sorted(maps.Keys(c.QueryParameters)) {
		switch attribute := c.QueryParameters[parameter]; attribute {
		case "":
			errs = append(errs, fmt.Errorf("query_parameters: %q needs the name of a resource attribute, got \"\"", parameter))
		case names.ServiceName, names.ClientAddress:
			errs = append(errs, fmt.Errorf("query_parameters: %q must not replace %s", parameter, attribute))
		}
	}
	if c.Subscription.HasValue() {
		errs = append(errs, c.Subscription.Get().checkPaths(c.Path))
	}
	return errors.Join(errs...)
}

// Validate checks the configuration. It changes nothing.
func (c *DeduplicationConfig) Validate() error {
	var errs []error
	if c.Window < time.Second { // a number without a unit is in nanoseconds
		errs = append(errs, fmt.Errorf("window must be at least 1s, got %s", c.Window))
	}
	if c.StorageWindow != 0 && c.StorageWindow < 10*time.Millisecond {
		errs = append(errs, fmt.Errorf("storage_window must be 0, for none, or at least 10ms, got %s", c.StorageWindow))
	}
	if c.MaxEntries < dedup.MinimumEntries || c.MaxEntries > dedup.MaximumEntries {
		errs = append(errs, fmt.Errorf("max_entries must be from %d to %d, got %d", dedup.MinimumEntries, dedup.MaximumEntries, c.MaxEntries))
	}
	return errors.Join(errs...)
}

// Validate checks the configuration. It changes nothing.
func (c *MetricsConfig) Validate() error {
	var errs []error
	if c.Interval < 10*time.Millisecond { // a number without a unit is in nanoseconds
		errs = append(errs, fmt.Errorf("interval must be at least 10ms, got %s", c.Interval))
	}
	if c.CardinalityLimit <= 0 {
		errs = append(errs, fmt.Errorf("cardinality_limit must be positive, got %d", c.CardinalityLimit))
	}
	return errors.Join(errs...)
}
