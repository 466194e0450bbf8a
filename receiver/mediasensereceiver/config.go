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
	"github.com/legato-otel/legato/internal/ingest/outbox"
	"github.com/legato-otel/legato/internal/ingest/webhook"
	"github.com/legato-otel/legato/internal/names"
	"github.com/legato-otel/legato/internal/otel/durations"
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

	// Storage names the storage extension for the keys of accepted events and the levels
	// of the storage partitions, so that they survive a restart. Optional.
	Storage *component.ID `mapstructure:"storage"`

	// PerTrack adds a record for each track of a session event. Default false.
	PerTrack bool `mapstructure:"per_track"`

	// MaxBatchBytes and MaxBatchRecords bound one payload for the next consumer: the
	// bytes of its events as posted, and their number. Its OTLP size is at most three
	// times as large. A single event may be longer. Default 1 MiB and 512.
	MaxBatchBytes   int `mapstructure:"max_batch_bytes"`
	MaxBatchRecords int `mapstructure:"max_batch_records"`

	// MaxInFlightBytes bounds all bodies in memory together, in bytes after
	// decompression. Requests above it are answered with 503. Default 128 MiB.
	MaxInFlightBytes int64 `mapstructure:"max_in_flight_bytes"`

	// ShutdownTimeout is how long a shutdown waits for requests in flight before it
	// closes their connections. Default 5 s.
	ShutdownTimeout time.Duration `mapstructure:"shutdown_timeout"`

	// QueryParameters maps query parameters of the posted URI to resource attributes.
	// Optional.
	QueryParameters map[string]string `mapstructure:"query_parameters"`

	// ResourceAttributes are added to the resource of every record and metric
	// and replace those of the same name. Optional.
	ResourceAttributes map[string]string `mapstructure:"resource_attributes"`

	// Deduplication configures which events count as duplicates.
	Deduplication DeduplicationConfig `mapstructure:"deduplication"`

	// Metrics configures the metrics signal.
	Metrics MetricsConfig `mapstructure:"metrics"`

	// Subscription makes the receiver subscribe at MediaSense servers through their API,
	// and check the subscription at an interval. Optional.
	Subscription configoptional.Optional[SubscriptionConfig] `mapstructure:"subscription"`

	// prevent unkeyed literal initialization
	_ struct{}
}

// DeduplicationConfig configures how long an accepted event is known.
type DeduplicationConfig struct {
	// Window in which the same event is a duplicate. Default 24 h.
	Window time.Duration `mapstructure:"window"`
	// StorageWindow is the window of threshold events, whose second crossing looks like a copy
	// of the first. It is also how far apart threshold events can arrive in a wrong order.
	// Default 10 s.
	StorageWindow time.Duration `mapstructure:"storage_window"`
	// MaxEntries bounds the known events; the receiver forgets the oldest ones. With a
	// subscription it bounds the events of the servers that it names, and a quarter of it
	// those of other senders. Default 65536.
	MaxEntries int `mapstructure:"max_entries"`

	// prevent unkeyed literal initialization
	_ struct{}
}

// MetricsConfig of the metrics signal.
type MetricsConfig struct {
	// Interval at which metrics are sent. Default 15 s.
	Interval time.Duration `mapstructure:"interval"`
	// CardinalityLimit is the largest number of series of one metric of one
	// server. Default 2000.
	CardinalityLimit int `mapstructure:"cardinality_limit"`

	// prevent unkeyed literal initialization
	_ struct{}
}

var _ component.Config = (*Config)(nil)

const defaultPath = "/mediasense"

// leastDurations are the least values of the receiver's own durations.
var leastDurations = durations.Bounds{
	"shutdown_timeout":               {AtLeast: durations.Min},
	"deduplication::window":          {AtLeast: time.Second},
	"deduplication::storage_window":  {AtLeast: durations.Min, Zero: "none"},
	"metrics::interval":              {AtLeast: durations.Min},
	"subscription::verify_interval":  {AtLeast: time.Second},
	"subscription::servers::timeout": {AtLeast: durations.Min}, // without it, a server that hangs would block its manager
}

func createDefaultConfig() component.Config {
	server := confighttp.NewDefaultServerConfig()
	server.NetAddr.Endpoint = "localhost:8085"
	server.MaxRequestBodySize = 4 << 20
	// confighttp has no default limit, so a slow body would hold a connection without
	// end.
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
	errs := []error{
		webhook.CheckServer(&c.HTTP, c.Path, c.MaxInFlightBytes),
		durations.Check(c, leastDurations),
		c.chunkLimits().Validate(),
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

func (c *Config) chunkLimits() outbox.Limits {
	return outbox.Limits{Bytes: c.MaxBatchBytes, Records: c.MaxBatchRecords}
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
	if c.CardinalityLimit <= 0 {
		return fmt.Errorf("cardinality_limit must be positive, got %d", c.CardinalityLimit)
	}
	return nil
}
