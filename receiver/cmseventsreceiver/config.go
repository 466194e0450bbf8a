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
	"go.opentelemetry.io/collector/confmap"

	"github.com/legato-otel/legato/internal/cmsapi"
	"github.com/legato-otel/legato/internal/cmsevents"
)

// Config of the cmsevents receiver.
type Config struct {
	// Servers are the Call Bridges, each one of a cluster. Required.
	Servers []ServerConfig `mapstructure:"servers"`

	// MaxConnections is how many sockets one server is given at most, 1 to 5. A
	// socket has room for 100 subscriptions. A server has five sockets for all
	// of its clients, Cisco Meeting Management among them. Default 1.
	MaxConnections int `mapstructure:"max_connections"`

	// Elements to subscribe to. Default: all that are documented.
	Elements ElementsConfig `mapstructure:"elements"`

	// RosterOnAllBridges watches the participants of a call on every bridge that
	// hosts it: only the bridge that hosts a participant says why they left.
	// Default false: on one.
	RosterOnAllBridges bool `mapstructure:"roster_on_all_bridges"`

	// QueueSize is how many event records of one server may wait for the next
	// consumer. Default 10000.
	QueueSize int `mapstructure:"queue_size"`

	// SnapshotGrace is for how long, after a reconnect, a server must have
	// announced nothing more of what was known before for the rest to be gone. The
	// quiet of shorter connections adds up. Default 3 s.
	SnapshotGrace time.Duration `mapstructure:"snapshot_grace"`

	// ProbeAfter is how long a server may be silent before it is asked whether
	// it is there. Default 60 s.
	ProbeAfter time.Duration `mapstructure:"probe_after"`

	// LostAfter is how long calls and participants are kept that no server
	// tells of. Default 5 m.
	LostAfter time.Duration `mapstructure:"lost_after"`

	// MaxMessageSize is the longest message read, in bytes. Default 8 MiB.
	MaxMessageSize int64 `mapstructure:"max_message_size"`

	// ResourceAttributes are added to the resource of every record and metric
	// and replace those of the same name. Optional.
	ResourceAttributes map[string]string `mapstructure:"resource_attributes"`

	// Metrics configures the metrics signal.
	Metrics MetricsConfig `mapstructure:"metrics"`

	// prevent unkeyed literal initialization
	_ struct{}
}

// ServerConfig is one Call Bridge. It is a cmsapi.ServerConfig, spelled out so
// that an error names the keys as they are written.
type ServerConfig struct {
	// HTTP is the client. Its keys stand at the server's own level: endpoint
	// (https://cms1:445, required), tls, timeout (default 10 s), ... An endpoint
	// with http:// needs tls::insecure, because it sends the password in clear.
	HTTP confighttp.ClientConfig `mapstructure:",squash"`
	// Username of an account with the role api or admin. Required.
	Username string `mapstructure:"username"`
	// Password of the account. Required.
	Password configopaque.String `mapstructure:"password"`

	// prevent unkeyed literal initialization
	_ struct{}
}

// ElementsConfig says which elements to subscribe to.
type ElementsConfig struct {
	// Calls are the elements of the list of calls. Default: all documented.
	Calls []string `mapstructure:"calls"`
	// CallInfo are the elements of one call; [] means no subscription to it.
	// Default: all documented.
	CallInfo []string `mapstructure:"call_info"`
	// CallRoster are the elements of participants; [] means no subscription to
	// them. Default: all documented.
	CallRoster []string `mapstructure:"call_roster"`
	// AllowUndocumented lets the lists hold names that are not documented: what
	// a server does with them is not documented either. Default false.
	AllowUndocumented bool `mapstructure:"allow_undocumented"`

	// prevent unkeyed literal initialization
	_ struct{}
}

// MetricsConfig of the metrics signal.
type MetricsConfig struct {
	// Interval at which metrics are sent on. Default 15 s.
	Interval time.Duration `mapstructure:"interval"`

	// prevent unkeyed literal initialization
	_ struct{}
}

var _ component.Config = (*Config)(nil)

// maxConnections is how many sockets a Meeting Server has for all its clients.
const maxConnections = 5

func createDefaultConfig() component.Config {
	return &Config{
		MaxConnections: 1,
		Elements: ElementsConfig{
			Calls:      cmsevents.Documented(cmsevents.Calls),
			CallInfo:   cmsevents.Documented(cmsevents.CallInfo),
			CallRoster: cmsevents.Documented(cmsevents.CallRoster),
		},
		QueueSize:      10_000,
		SnapshotGrace:  3 * time.Second,
		ProbeAfter:     time.Minute,
		LostAfter:      5 * time.Minute,
		MaxMessageSize: 8 << 20,
		Metrics:        MetricsConfig{Interval: 15 * time.Second},
	}
}

// Unmarshal applies a server's defaults.
func (s *ServerConfig) Unmarshal(conf *confmap.Conf) error {
	s.HTTP = cmsapi.NewDefaultServerConfig().HTTP
	return conf.Unmarshal(s)
}

// Validate checks the configuration. It changes nothing.
func (s *ServerConfig) Validate() error {
	err := s.api().Validate()
	if s.plain() && !s.HTTP.TLS.Insecure {
		err = errors.Join(err, fmt.Errorf("endpoint %q would send username and password in clear; use https, or set tls::insecure", s.HTTP.Endpoint))
	}
	return err
}

func (s *ServerConfig) plain() bool {
	u, err := url.Parse(s.HTTP.Endpoint)
	return err == nil && u.Scheme == "http"
}

func (s *ServerConfig) api() *cmsapi.ServerConfig {
	return &cmsapi.ServerConfig{HTTP: s.HTTP, Username: s.Username, Password: s.Password}
}

// Validate checks the configuration. It changes nothing.
func (c *Config) Validate() error {
	var errs []error
	switch n := len(c.Servers); {
	case n == 0:
		errs = append(errs, errors.New("servers must name at least one Call Bridge"))
	case n > cmsevents.MaxServers:
		errs = append(errs, fmt.Errorf("servers must be at most %d, got %d", cmsevents.MaxServers, n))
	case n > 1 && !slices.Contains(c.Elements.Calls, cmsevents.CallCorrelator.String()):
		errs = append(errs, errors.New("elements::calls must hold callCorrelator if there are several servers: it tells which calls are one meeting"))
	}
	seen := make(map[string]int)
	for i := range c.Servers {
		endpoint := strings.TrimSuffix(c.Servers[i].HTTP.Endpoint, "/")
		if first, twice := seen[endpoint]; twice && endpoint != "" {
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
	for _, d := range [...]struct {
		key string
		got time.Duration
	}{{"snapshot_grace", c.SnapshotGrace}, {"probe_after", c.ProbeAfter}, {"lost_after", c.LostAfter}} {
		if d.got < 100*time.Millisecond { // a number without a unit is in nanoseconds
			errs = append(errs, fmt.Errorf("%s must be at least 100ms, got %s", d.key, d.got))
		}
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
		kind  cmsevents.Kind
		names []string
	}{{"calls", cmsevents.Calls, c.Calls}, {"call_info", cmsevents.CallInfo, c.CallInfo}, {"call_roster", cmsevents.CallRoster, c.CallRoster}} {
		for _, name := range list.names {
			if !cmsevents.Known(list.kind, name) {
				errs = append(errs, fmt.Errorf("%s: %q is no documented element; set allow_undocumented to subscribe to it", list.key, name))
			}
		}
	}
	return errors.Join(errs...)
}

// Validate checks the configuration. It changes nothing.
func (c *MetricsConfig) Validate() error {
	if c.Interval < 10*time.Millisecond { // a number without a unit is in nanoseconds
		return fmt.Errorf("interval must be at least 10ms, got %s", c.Interval)
	}
	return nil
}
