// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package cmseventsreceiver

import (
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/config/confighttp"
	"go.opentelemetry.io/collector/config/configopaque"
	"go.opentelemetry.io/collector/config/configretry"
	"go.opentelemetry.io/collector/confmap"

	"github.com/legato-otel/legato/internal/meetingserver/api"
	"github.com/legato-otel/legato/internal/meetingserver/events"
	"github.com/legato-otel/legato/internal/otel/durations"
)

// Config of the cmsevents receiver.
type Config struct {
	// Servers are the Call Bridges of the cluster. Required.
	Servers []ServerConfig `mapstructure:"servers"`

	// MaxConnections is the largest number of sockets to one server, 1 to 5. A socket has
	// room for 100 subscriptions. A server accepts five sockets from all its clients
	// together, Cisco Meeting Management included. Default 1.
	MaxConnections int `mapstructure:"max_connections"`

	// Elements to subscribe to. Default: all documented elements.
	Elements ElementsConfig `mapstructure:"elements"`

	// RosterOnAllBridges subscribes to the participants of a meeting on every server that
	// hosts it: only the server that hosts a participant reports why they left. Default
	// false: on one server.
	RosterOnAllBridges bool `mapstructure:"roster_on_all_bridges"`

	// QueueSize is the largest number of event records of one server that wait for the next
	// consumer. Default 10000.
	QueueSize int `mapstructure:"queue_size"`

	// MaxQueueSize is the largest number of bytes of the waiting event records of one
	// server. Default 32 MiB.
	MaxQueueSize int `mapstructure:"max_queue_size"`

	// MaxStateSize is the largest number of bytes of the calls and participants of one
	// server. Objects above it are ignored and counted. Default 64 MiB.
	MaxStateSize int `mapstructure:"max_state_size"`

	// SnapshotGrace is how long, after a reconnect, no missing object may arrive before
	// objects absent from the new snapshot are removed. The quiet time of shorter
	// connections adds up. Default 3 s.
	SnapshotGrace time.Duration `mapstructure:"snapshot_grace"`

	// ProbeAfter is how long a server may be silent before the receiver checks whether it
	// is reachable. Default 60 s.
	ProbeAfter time.Duration `mapstructure:"probe_after"`

	// LostAfter is how long calls and participants are kept after no server lists them.
	// Default 10 m, longer than the pause after a refused password.
	LostAfter time.Duration `mapstructure:"lost_after"`

	// MaxMessageSize is the longest message that is read, in bytes. Default 8 MiB.
	MaxMessageSize int64 `mapstructure:"max_message_size"`

	// ResourceAttributes are added to the resource of every record and metric, and replace
	// attributes with the same key. Optional.
	ResourceAttributes map[string]string `mapstructure:"resource_attributes"`

	// Reconnect is the backoff between connections. Default 2 s to 40 s, randomized by 50
	// %. It can be neither disabled nor limited in time.
	Reconnect configretry.BackOffConfig `mapstructure:"reconnect"`

	// ShutdownTimeout is how long Shutdown may take. Default 5 s.
	ShutdownTimeout time.Duration `mapstructure:"shutdown_timeout"`

	// Metrics configures the metrics signal.
	Metrics MetricsConfig `mapstructure:"metrics"`

	// prevent unkeyed literal initialization
	_ struct{}
}

// ServerConfig is one Call Bridge. It has the fields of api.ServerConfig; a type of its own
// makes errors name the configured keys.
type ServerConfig struct {
	// HTTP configures the HTTP client. Its keys are at the level of the server: endpoint
	// (https://cms1:445, required), tls, timeout (default 10 s), ... An http:// endpoint
	// needs tls::insecure, because it sends the password in clear.
	HTTP confighttp.ClientConfig `mapstructure:",squash"`
	// Username of an account with the role api or admin. Required without auth.
	Username string `mapstructure:"username"`
	// Password of the account. Required without auth.
	Password configopaque.String `mapstructure:"password"`
	// ResourceAttributes are added to the resource of the server's records and metrics, and
	// replace attributes with the same key of Config.ResourceAttributes. Optional.
	ResourceAttributes map[string]string `mapstructure:"resource_attributes"`

	// prevent unkeyed literal initialization
	_ struct{}
}

// ElementsConfig lists the elements to subscribe to.
type ElementsConfig struct {
	// Calls are the elements of the list of calls. Default: all documented.
	Calls []string `mapstructure:"calls"`
	// CallInfo are the elements of one call; [] disables these subscriptions. Default: all
	// documented.
	CallInfo []string `mapstructure:"call_info"`
	// CallRoster are the elements of participants; [] disables these subscriptions.
	// Default: all documented.
	CallRoster []string `mapstructure:"call_roster"`
	// AllowUndocumented accepts undocumented names in the lists. How a server treats them
	// is not documented. Default false.
	AllowUndocumented bool `mapstructure:"allow_undocumented"`

	// prevent unkeyed literal initialization
	_ struct{}
}

// MetricsConfig configures the metrics signal.
type MetricsConfig struct {
	// Interval between two exports of the gauges. Default 15 s.
	Interval time.Duration `mapstructure:"interval"`

	// prevent unkeyed literal initialization
	_ struct{}
}

var _ component.Config = (*Config)(nil)

// maxConnections is how many event sockets a Meeting Server accepts from all its clients
// together.
const maxConnections = 5

// leastDurations are the least values of the receiver's own durations.
var leastDurations = durations.Bounds{
	"servers::timeout":            {AtLeast: durations.Min}, // without it, a server that hangs would block its goroutine
	"snapshot_grace":              {AtLeast: 100 * time.Millisecond},
	"probe_after":                 {AtLeast: 100 * time.Millisecond},
	"lost_after":                  {AtLeast: 100 * time.Millisecond},
	"reconnect::initial_interval": {AtLeast: 100 * time.Millisecond},
	"shutdown_timeout":            {AtLeast: durations.Min},
	"metrics::interval":           {AtLeast: durations.Min},
}

func createDefaultConfig() component.Config {
	reconnect := configretry.NewDefaultBackOffConfig()
	reconnect.InitialInterval, reconnect.MaxInterval, reconnect.Multiplier, reconnect.MaxElapsedTime = 2*time.Second, 40*time.Second, 2, 0
	return &Config{
		MaxConnections: 1,
		Elements: ElementsConfig{
			Calls:      events.DocumentedElements(events.Calls),
			CallInfo:   events.DocumentedElements(events.CallInfo),
			CallRoster: events.DocumentedElements(events.CallRoster),
		},
		QueueSize:      10_000,
		MaxQueueSize:   32 << 20,
		MaxStateSize:   events.DefaultLimits.Bytes,
		SnapshotGrace:  3 * time.Second,
		ProbeAfter:     time.Minute,
		LostAfter:      10 * time.Minute,
		MaxMessageSize: 8 << 20,
		Reconnect:      reconnect,

		ShutdownTimeout: 5 * time.Second,
		Metrics:         MetricsConfig{Interval: 15 * time.Second},
	}
}

// Unmarshal applies the defaults of a server.
func (s *ServerConfig) Unmarshal(conf *confmap.Conf) error {
	s.HTTP = api.NewDefaultServerConfig().HTTP
	return conf.Unmarshal(s)
}

// Validate checks the configuration without changing it.
func (s *ServerConfig) Validate() error {
	err := s.apiConfig().Validate()
	if s.usesPlainHTTP() && !s.HTTP.TLS.Insecure {
		err = errors.Join(err, fmt.Errorf("endpoint %q would send username and password in clear; use https, or set tls::insecure", s.HTTP.Endpoint))
	}
	return err
}

func (s *ServerConfig) usesPlainHTTP() bool {
	u, err := url.Parse(s.HTTP.Endpoint)
	return err == nil && u.Scheme == "http"
}

func (s *ServerConfig) apiConfig() *api.ServerConfig {
	return &api.ServerConfig{HTTP: s.HTTP, Username: s.Username, Password: s.Password}
}

// Validate checks the configuration without changing it.
func (c *Config) Validate() error {
	var errs []error
	switch n := len(c.Servers); {
	case n == 0:
		errs = append(errs, errors.New("servers must name at least one Call Bridge"))
	case n > events.MaxServers:
		errs = append(errs, fmt.Errorf("servers must be at most %d, got %d", events.MaxServers, n))
	case n > 1 && !slices.Contains(c.Elements.Calls, events.CallCorrelator.String()):
		errs = append(errs, errors.New("elements::calls must contain callCorrelator with several servers: it identifies the calls of one meeting"))
	}
	seen := make(map[string]int)
	for i := range c.Servers {
		endpoint := strings.TrimSuffix(c.Servers[i].HTTP.Endpoint, "/")
		if first, isDuplicate := seen[endpoint]; isDuplicate && endpoint != "" {
			errs = append(errs, fmt.Errorf("servers::%d: endpoint is that of servers::%d", i, first))
		}
		seen[endpoint] = i
	}
	if c.MaxConnections < 1 || c.MaxConnections > maxConnections {
		errs = append(errs, fmt.Errorf("max_connections must be from 1 to %d, got %d", maxConnections, c.MaxConnections))
	}
	if c.QueueSize <= 0 {
		errs = append(errs, fmt.Errorf("queue_size must be positive, got %d", c.QueueSize))
	}
	if c.MaxMessageSize < 64<<10 {
		errs = append(errs, fmt.Errorf("max_message_size must be at least 65536, got %d", c.MaxMessageSize))
	}
	if c.MaxQueueSize < 1<<20 {
		errs = append(errs, fmt.Errorf("max_queue_size must be at least 1048576, got %d", c.MaxQueueSize))
	}
	if c.MaxStateSize < 1<<20 {
		errs = append(errs, fmt.Errorf("max_state_size must be at least 1048576, got %d", c.MaxStateSize))
	}
	errs = append(errs, c.validateReconnect())
	errs = append(errs, durations.Check(c, leastDurations))
	return errors.Join(errs...)
}

// validateReconnect checks rules beyond those of configretry: the receiver never gives up a
// server, and never retries in a tight loop.
func (c *Config) validateReconnect() error {
	var errs []error
	if !c.Reconnect.Enabled {
		errs = append(errs, errors.New("reconnect::enabled must be true: the receiver always reconnects"))
	}
	if c.Reconnect.MaxElapsedTime != 0 {
		errs = append(errs, fmt.Errorf("reconnect::max_elapsed_time must be 0: the receiver never gives up a server, got %s", c.Reconnect.MaxElapsedTime))
	}
	if c.Reconnect.MaxInterval < c.Reconnect.InitialInterval {
		errs = append(errs, fmt.Errorf("reconnect::max_interval must not be less than initial_interval, got %s", c.Reconnect.MaxInterval))
	}
	if c.Reconnect.Multiplier < 1 {
		errs = append(errs, fmt.Errorf("reconnect::multiplier must be at least 1, got %g", c.Reconnect.Multiplier))
	}
	return errors.Join(errs...)
}

// Validate checks the configuration. It changes nothing.
func (c *ElementsConfig) Validate() error {
	if c.AllowUndocumented {
		return nil
	}
	var errs []error
	for _, list := range [...]struct {
		key   string
		kind  events.SubKind
		names []string
	}{{"calls", events.Calls, c.Calls}, {"call_info", events.CallInfo, c.CallInfo}, {"call_roster", events.CallRoster, c.CallRoster}} {
		for _, name := range list.names {
			if !events.IsDocumented(list.kind, name) {
				errs = append(errs, fmt.Errorf("%s: %q is not a documented element; set allow_undocumented to subscribe to it", list.key, name))
			}
		}
	}
	return errors.Join(errs...)
}
