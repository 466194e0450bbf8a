// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package cmsapireceiver

import (
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/config/confighttp"
	"go.opentelemetry.io/collector/config/configopaque"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/scraper/scraperhelper"

	"github.com/legato-otel/legato/internal/meetingserver/api"
	"github.com/legato-otel/legato/internal/otel/durations"
	"github.com/legato-otel/legato/receiver/cmsapireceiver/internal/metadata"
)

// Config of the cmsapi receiver.
type Config struct {
	// ControllerConfig has the keys of every scraper: collection_interval (default
	// 60 s), initial_delay (1 s), and timeout, the longest that a scrape of all
	// servers takes (default 30 s).
	scraperhelper.ControllerConfig `mapstructure:",squash"`
	// MetricsBuilderConfig turns single metrics off, under metrics.
	metadata.MetricsBuilderConfig `mapstructure:",squash"`

	// Servers are the Call Bridges. Required.
	Servers []ServerConfig `mapstructure:"servers"`

	// Discover scrapes all bridges in the cluster of a server, at the addresses that the
	// server reports, with the credentials of the server. Default false.
	Discover bool `mapstructure:"discover"`

	// CDRReceiverURI is the URI to which the bridges should post call detail records. A
	// URI without a query matches every query. Optional.
	CDRReceiverURI string `mapstructure:"cdr_receiver_uri"`

	// Events selects the events for a logs pipeline.
	Events EventsConfig `mapstructure:"events"`

	// Sample is the number of call legs of a bridge whose details a scrape reads: legs with
	// an alarm first, then the least recently read ones. Default 20; 0 reads none.
	Sample int `mapstructure:"sample"`

	// SampleCalls is the number of calls of a bridge whose details a scrape reads: the least
	// recently read ones. Default 3; 0 reads none.
	SampleCalls int `mapstructure:"sample_calls"`

	// MaxRequests is the largest number of requests of a scrape to one bridge. Default 30.
	MaxRequests int `mapstructure:"max_requests"`

	// ResourceAttributes are added to the resource of every metric and replace those
	// of the same name. Optional.
	ResourceAttributes map[string]string `mapstructure:"resource_attributes"`

	// ShutdownTimeout is the longest duration of a stop. Default 5 s.
	ShutdownTimeout time.Duration `mapstructure:"shutdown_timeout"`

	// prevent unkeyed literal initialization
	_ struct{}
}

// EventsConfig selects the events for a logs pipeline.
type EventsConfig struct {
	// Lists emits all calls and all call legs of each bridge at each scrape, so that
	// callstitch can end calls and legs that no longer exist. Default true.
	Lists bool `mapstructure:"lists"`
	// Completeness emits an event when call detail records of a bridge do not arrive at the
	// cmscdr receivers of this Collector. Default true.
	Completeness bool `mapstructure:"completeness"`
	// Quality emits loss, jitter and round trip time of each sampled call leg. Default
	// true.
	Quality bool `mapstructure:"quality"`

	// prevent unkeyed literal initialization
	_ struct{}
}

// ServerConfig is one Call Bridge. It repeats api.ServerConfig, so that errors name the keys
// correctly.
type ServerConfig struct {
	// HTTP configures the HTTP client. Its keys are at the level of the server: endpoint
	// (https://cms1:445, required), tls, timeout (default 10 s), ... An endpoint
	// with http:// needs tls::insecure, because it sends the password in clear.
	HTTP confighttp.ClientConfig `mapstructure:",squash"`
	// Username is the name of an account with the role api or admin. Required without
	// auth.
	Username string `mapstructure:"username"`
	// Password is the password of the account. Required without auth.
	Password configopaque.String `mapstructure:"password"`
	// CDRReceiverURI replaces the common one. Optional.
	CDRReceiverURI string `mapstructure:"cdr_receiver_uri"`
	// ResourceAttributes are added to the resource of the server's metrics. They replace
	// common attributes of the same name. Optional.
	ResourceAttributes map[string]string `mapstructure:"resource_attributes"`

	// prevent unkeyed literal initialization
	_ struct{}
}

var _ component.Config = (*Config)(nil)

const (
	// maxServers is the largest number of bridges, configured and discovered. A cluster has
	// at most 24.
	maxServers = 64
	// minRequests is the number of requests for the objects that every scrape reads.
	minRequests = 12
)

// leastDurations are the least values of the receiver's own durations.
var leastDurations = durations.Bounds{
	"timeout":          {AtLeast: time.Second},   // a server that hangs would delay all others
	"servers::timeout": {AtLeast: durations.Min}, // a server that hangs would block the scrape
	"shutdown_timeout": {AtLeast: durations.Min},
}

func createDefaultConfig() component.Config {
	controller := scraperhelper.NewDefaultControllerConfig()
	controller.Timeout = 30 * time.Second
	return &Config{
		ControllerConfig:     controller,
		MetricsBuilderConfig: metadata.NewDefaultMetricsBuilderConfig(),
		Events:               EventsConfig{Completeness: true, Lists: true, Quality: true},
		Sample:               20,
		SampleCalls:          3,
		MaxRequests:          30,
		ShutdownTimeout:      5 * time.Second,
	}
}

// Unmarshal applies the defaults of a server.
func (s *ServerConfig) Unmarshal(conf *confmap.Conf) error {
	s.HTTP = api.NewDefaultServerConfig().HTTP
	return conf.Unmarshal(s)
}

// Validate checks the configuration. It changes nothing.
func (s *ServerConfig) Validate() error {
	errs := []error{s.api().Validate(), validateURI(s.CDRReceiverURI)}
	if isPlain(s.HTTP.Endpoint) && !s.HTTP.TLS.Insecure {
		errs = append(errs, fmt.Errorf("endpoint %q would send username and password in clear; use https, or set tls::insecure", s.HTTP.Endpoint))
	}
	return errors.Join(errs...)
}

func isPlain(endpoint string) bool {
	u, err := url.Parse(endpoint)
	return err == nil && u.Scheme == "http"
}

func (s *ServerConfig) api() *api.ServerConfig {
	return &api.ServerConfig{HTTP: s.HTTP, Username: s.Username, Password: s.Password}
}

// Validate checks the configuration. It changes nothing.
func (c *Config) Validate() error {
	errs := []error{validateURI(c.CDRReceiverURI)}
	switch n := len(c.Servers); {
	case n == 0:
		errs = append(errs, errors.New("servers must name at least one Call Bridge"))
	case n > maxServers:
		errs = append(errs, fmt.Errorf("servers must be at most %d, got %d", maxServers, n))
	}
	seen := make(map[string]int)
	for i := range c.Servers {
		endpoint := strings.TrimSuffix(c.Servers[i].HTTP.Endpoint, "/")
		if first, isDuplicate := seen[endpoint]; isDuplicate && endpoint != "" {
			errs = append(errs, fmt.Errorf("servers::%d: endpoint is that of servers::%d", i, first))
		}
		seen[endpoint] = i
	}
	if c.Sample < 0 {
		errs = append(errs, fmt.Errorf("sample must not be negative, got %d", c.Sample))
	}
	if c.SampleCalls < 0 {
		errs = append(errs, fmt.Errorf("sample_calls must not be negative, got %d", c.SampleCalls))
	}
	if c.MaxRequests < minRequests {
		errs = append(errs, fmt.Errorf("max_requests must be at least %d, got %d", minRequests, c.MaxRequests))
	}
	errs = append(errs, durations.Check(c, leastDurations))
	return errors.Join(errs...)
}

// validateURI returns an error for text that is not a URL. The error does not show the query,
// which may contain a token.
func validateURI(text string) error {
	if text == "" {
		return nil
	}
	if u, err := url.Parse(text); err == nil && u.Host != "" && (u.Scheme == "http" || u.Scheme == "https") {
		return nil
	}
	shown, _, _ := strings.Cut(text, "?")
	return fmt.Errorf("cdr_receiver_uri must be the http or https URL that the Call Bridge posts to, got %q", shown)
}
