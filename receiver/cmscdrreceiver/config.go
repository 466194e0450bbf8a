// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package cmscdrreceiver

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/config/confighttp"
	"go.opentelemetry.io/collector/config/configoptional"

	"github.com/legato-otel/legato/internal/ingest/outbox"
	"github.com/legato-otel/legato/internal/ingest/webhook"
	"github.com/legato-otel/legato/internal/names"
	"github.com/legato-otel/legato/internal/otel/durations"
)

// Config of the cmscdr receiver.
type Config struct {
	// HTTP is the listener. Its keys stand at the receiver's own level:
	// endpoint (default localhost:8080), tls, auth, max_request_body_size
	// (default 20 MiB, of the inflated body), read_timeout (default 30 s), ...
	HTTP confighttp.ServerConfig `mapstructure:",squash"`

	// Path that Call Bridges post to. Default "/cdr".
	Path string `mapstructure:"path"`

	// Storage names the storage extension for the ledger of accepted records and the
	// id of the entry at each Call Bridge, so that they survive a restart. Without it,
	// the receiver accepts records twice that it did not acknowledge before a restart.
	// Optional.
	Storage *component.ID `mapstructure:"storage"`

	// MaxBatchBytes and MaxBatchRecords bound one payload for the next consumer: the
	// bytes of its records as posted, and their number. Its OTLP size is at most three
	// times as large. A single record may be longer. Default 1 MiB and 512.
	MaxBatchBytes   int `mapstructure:"max_batch_bytes"`
	MaxBatchRecords int `mapstructure:"max_batch_records"`

	// MaxInFlightBytes bounds all bodies in memory together, in bytes after
	// decompression. Requests above it are answered with 503. Default 128 MiB.
	MaxInFlightBytes int64 `mapstructure:"max_in_flight_bytes"`

	// ShutdownTimeout is how long a shutdown waits for requests in flight before it
	// closes their connections. Default 5 s.
	ShutdownTimeout time.Duration `mapstructure:"shutdown_timeout"`

	// QueryParameters maps query parameters of the posted URI to resource attributes.
	// system_id is always mapped. Optional.
	QueryParameters map[string]string `mapstructure:"query_parameters"`

	// ResourceAttributes are added to the resource of every record and metric. They replace
	// attributes of the same name. Optional.
	ResourceAttributes map[string]string `mapstructure:"resource_attributes"`

	// Metrics configures the metrics signal.
	Metrics MetricsConfig `mapstructure:"metrics"`

	// Registration makes the receiver register itself at Call Bridges through their
	// API, and check the registration at an interval. Optional.
	Registration configoptional.Optional[RegistrationConfig] `mapstructure:"registration"`

	// prevent unkeyed literal initialization
	_ struct{}
}

// MetricsConfig of the metrics signal.
type MetricsConfig struct {
	// Interval at which metrics are sent. Default 15 s.
	Interval time.Duration `mapstructure:"interval"`
	// CardinalityLimit is the largest number of series of one metric of one
	// Call Bridge. Default 2000.
	CardinalityLimit int `mapstructure:"cardinality_limit"`

	// prevent unkeyed literal initialization
	_ struct{}
}

var _ component.Config = (*Config)(nil)

const systemIDParameter = "system_id"

const defaultPath = "/cdr"

// leastDurations are the least values of the receiver's own durations.
var leastDurations = durations.Bounds{
	"shutdown_timeout":               {AtLeast: durations.Min},
	"metrics::interval":              {AtLeast: durations.Min},
	"registration::interval":         {AtLeast: time.Second},
	"registration::servers::timeout": {AtLeast: durations.Min},
}

func createDefaultConfig() component.Config {
	server := confighttp.NewDefaultServerConfig()
	server.NetAddr.Endpoint = "localhost:8080"
	server.MaxRequestBodySize = 20 << 20
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
		Metrics:          MetricsConfig{Interval: 15 * time.Second, CardinalityLimit: 2000},
		Registration:     configoptional.Default(RegistrationConfig{Interval: 5 * time.Minute}),
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
		case names.ServiceName, names.ServiceInstanceID, names.SessionID, names.CallBridgeID, names.ClientAddress:
			errs = append(errs, fmt.Errorf("query_parameters: %q must not replace %s", parameter, attribute))
		}
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

func (c *Config) chunkLimits() outbox.Limits {
	return outbox.Limits{Bytes: c.MaxBatchBytes, Records: c.MaxBatchRecords}
}

// parameters returns the mapped query parameters with their attributes, in a stable order.
func (c *Config) parameters() []pair {
	all := map[string]string{systemIDParameter: names.SystemID}
	maps.Copy(all, c.QueryParameters)
	var pairs []pair
	for _, parameter := range slices.Sorted(maps.Keys(all)) {
		pairs = append(pairs, pair{parameter, all[parameter]})
	}
	return pairs
}
