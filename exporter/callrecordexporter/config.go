// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package callrecordexporter

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/config/confighttp"
	"go.opentelemetry.io/collector/config/configopaque"
	"go.opentelemetry.io/collector/config/configoptional"
	"go.opentelemetry.io/collector/config/configretry"
	"go.opentelemetry.io/collector/exporter/exporterhelper"

	"github.com/legato-otel/legato/internal/archive/hostcheck"
	"github.com/legato-otel/legato/internal/archive/page"
	"github.com/legato-otel/legato/internal/archive/store"
	"github.com/legato-otel/legato/internal/otel/durations"
	"github.com/legato-otel/legato/internal/otel/listener"
)

// Config of the callrecord exporter.
type Config struct {
	// Driver is "sqlite" (default) or "postgres".
	Driver string `mapstructure:"driver"`

	// DataSource is a file for sqlite (default "data/calls.db"; it and its
	// directory are made if they are not there), a connection string for postgres,
	// as "postgres://user@host:5432/calls?sslmode=verify-full". What it leaves out
	// comes from PGHOST, PGPASSFILE and the like, as with psql.
	DataSource configopaque.String `mapstructure:"datasource"`

	// Retention is how long a conference, and whatever else is over, is kept.
	// Default 0: without end.
	Retention time.Duration `mapstructure:"retention"`

	// Timeout of one transaction. Default 30 s.
	Timeout exporterhelper.TimeoutConfig `mapstructure:",squash"`

	// Queue between the pipeline and the database, off unless configured: without it, accepted
	// records are stored. Its size is in bytes of OTLP, 256 MiB by default.
	Queue configoptional.Optional[exporterhelper.QueueBatchConfig] `mapstructure:"sending_queue"`

	// Retry of the requests in the queue. Default: without end, after 1 s to 30 s. Without a
	// queue it does nothing: who sent the records keeps them and sends again.
	Retry configretry.BackOffConfig `mapstructure:"retry_on_failure"`

	// ShutdownTimeout is how long a stop waits for the transaction and the pages
	// that are under way before it breaks them off. Default 5 s.
	ShutdownTimeout time.Duration `mapstructure:"shutdown_timeout"`

	// HTTP serves the archive as a page and as CSV. Off unless configured.
	HTTP configoptional.Optional[HTTPConfig] `mapstructure:"http"`

	// prevent unkeyed literal initialization
	_ struct{}
}

// HTTPConfig of the page.
type HTTPConfig struct {
	// Server has confighttp's keys: endpoint (default localhost:8088), tls, auth, …
	Server confighttp.ServerConfig `mapstructure:",squash"`

	// AllowedHosts are the names by which the page is reached, without scheme and port;
	// "*" is any. localhost and IP addresses are always allowed. Without it, an
	// endpoint on localhost takes no other name, and any other endpoint takes all.
	AllowedHosts []string `mapstructure:"allowed_hosts"`

	// TraceURL is the address of a trace in a tracing backend, with {trace_id} in
	// it. Optional.
	TraceURL string `mapstructure:"trace_url"`

	// LogsURL is the address of a search in a log backend, with {trace_id} in it: log
	// lines and API requests of a meeting have its trace id. {from} and {to} are the time
	// range in milliseconds since 1970. Optional.
	LogsURL string `mapstructure:"logs_url"`

	// AccessLog writes a line to the Collector's log for each request, with the
	// authenticated user and without the values that were asked for. Default false.
	AccessLog bool `mapstructure:"access_log"`

	// prevent unkeyed literal initialization
	_ struct{}
}

var _ component.Config = (*Config)(nil)

const (
	defaultDataSource = "data/calls.db"
	defaultEndpoint   = "localhost:8088"
	defaultTimeout    = 30 * time.Second
	// defaultQueueSize is in bytes of OTLP, as is minQueueSize: a post is some
	// hundred bytes to some MiB, so that a number of posts bounds nothing. Who
	// writes a number below it means posts or records.
	defaultQueueSize = 256 << 20
	minQueueSize     = 1 << 20
)

// leastDurations are the least values of the exporter's own durations.
var leastDurations = durations.Bounds{
	"retention":        {AtLeast: time.Minute, Zero: "without end"},
	"timeout":          {AtLeast: durations.Min, Zero: "without a limit"},
	"shutdown_timeout": {AtLeast: durations.Min},
}

func createDefaultConfig() component.Config {
	// One consumer: there is one writer to a database. What waits for it is
	// written in one transaction.
	queue := exporterhelper.NewDefaultQueueConfig()
	queue.NumConsumers = 1
	queue.Sizer = exporterhelper.RequestSizerTypeBytes
	queue.QueueSize = defaultQueueSize
	queue.Batch = configoptional.Some(exporterhelper.BatchConfig{
		FlushTimeout: 200 * time.Millisecond,
		Sizer:        exporterhelper.RequestSizerTypeItems,
		MinSize:      1000,
	})
	retry := configretry.NewDefaultBackOffConfig()
	retry.InitialInterval = time.Second
	retry.MaxElapsedTime = 0
	server := confighttp.NewDefaultServerConfig()
	server.NetAddr.Endpoint = defaultEndpoint
	return &Config{
		Driver:          store.SQLite,
		DataSource:      defaultDataSource,
		Timeout:         exporterhelper.TimeoutConfig{Timeout: defaultTimeout},
		Queue:           configoptional.Default(queue),
		Retry:           retry,
		ShutdownTimeout: 5 * time.Second,
		HTTP:            configoptional.Default(HTTPConfig{Server: server}),
	}
}

// Validate checks the configuration. It changes nothing.
func (c *Config) Validate() error {
	var errs []error
	if !slices.Contains(store.Drivers(), c.Driver) {
		errs = append(errs, fmt.Errorf("driver must be one of %s, got %q", strings.Join(store.Drivers(), ", "), c.Driver))
	}
	switch {
	case c.DataSource == "":
		errs = append(errs, errors.New("datasource must not be empty: it is a file for sqlite, a connection string for postgres"))
	case c.Driver == store.SQLite:
		if err := store.CheckFile(string(c.DataSource)); err != nil {
			errs = append(errs, fmt.Errorf("datasource: %w", err))
		}
	case c.Driver == store.PostgreSQL:
		if err := store.CheckConnection(string(c.DataSource)); err != nil {
			errs = append(errs, fmt.Errorf("datasource: %w", err))
		}
	}
	errs = append(errs, durations.Check(c, leastDurations))
	if c.Queue.HasValue() {
		if queue := c.Queue.Get(); queue.Sizer == exporterhelper.RequestSizerTypeBytes && queue.QueueSize < minQueueSize {
			errs = append(errs, fmt.Errorf("sending_queue::queue_size must be at least %d, got %d: it is in bytes unless sending_queue::sizer is requests or items",
				minQueueSize, queue.QueueSize))
		}
	}
	return errors.Join(errs...)
}

// Validate checks the section. It changes nothing.
func (c *HTTPConfig) Validate() error {
	if err := listener.CheckHTTP(&c.Server, "0.0.0.0:8088"); err != nil {
		return err
	}
	if err := hostcheck.Validate(c.AllowedHosts); err != nil {
		return fmt.Errorf("allowed_hosts %w", err)
	}
	if err := page.CheckTraceURL(c.TraceURL); err != nil {
		return fmt.Errorf("trace_url %w, got %q", err, c.TraceURL)
	}
	if err := page.CheckLogsURL(c.LogsURL); err != nil {
		return fmt.Errorf("logs_url %w, got %q", err, c.LogsURL)
	}
	return nil
}
