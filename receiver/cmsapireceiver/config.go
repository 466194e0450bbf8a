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

	// Discover scrapes all bridges of the cluster that a server is in, at the
	// addresses that it tells, with the server's credentials. Default false.
	Discover bool `mapstructure:"discover"`

	// CDRReceiverURI is the URI that the bridges should post call detail records to.
	// Without a query any query will do. Optional.
	CDRReceiverURI string `mapstructure:"cdr_receiver_uri"`

	// Events are what a logs pipeline gets.
	Events EventsConfig `mapstructure:"events"`

	// Sample is how many call legs of a bridge are looked at in a scrape: those with
	// an alarm first, and then those that were not looked at for longest. Default
	// 20; 0 is none.
	Sample int `mapstructure:"sample"`

	// SampleCalls is how many calls of a bridge are looked at in a scrape: those that were
	// not looked at for longest. Default 3; 0 is none.
	SampleCalls int `mapstructure:"sample_calls"`

	// MaxRequests is how many requests a scrape makes to one bridge at most. Default
	// 30.
	MaxRequests int `mapstructure:"max_requests"`

	// ResourceAttributes are added to the resource of every metric and replace those
	// of the same name. Optional.
	ResourceAttributes map[string]string `mapstructure:"resource_attributes"`

	// ShutdownTimeout is how long a stop may take. Default 5 s.
	ShutdownTimeout time.Duration `mapstructure:"shutdown_timeout"`

	// prevent unkeyed literal initialization
	_ struct{}
}

// EventsConfig says which events a logs pipeline gets.
type EventsConfig struct {
	// Lists are all calls and all call legs of each bridge at each scrape, so that
	// callstitch ends what is not there any more. Default true.
	Lists bool `mapstructure:"lists"`
	// Completeness tells when call detail records of a bridge do not arrive at the cmscdr
	// receivers of this Collector. Default true.
	Completeness bool `mapstructure:"completeness"`
	// Quality is loss, jitter and round trip time of each call leg that is looked at.
	// Default true.
	Quality bool `mapstructure:"quality"`

	// prevent unkeyed literal initialization
	_ struct{}
}

// ServerConfig is one Call Bridge. It is a api.ServerConfig, spelled out so
// that an error names the keys as they are written.
type ServerConfig struct {
	// HTTP is the client. Its keys stand at the server's own level: endpoint
	// (https://cms1:445, required), tls, timeout (default 10 s), ... An endpoint
	// with http:// needs tls::insecure, because it sends the password in clear.
	HTTP confighttp.ClientConfig `mapstructure:",squash"`
	// Username of an account with the role api or admin. Required without auth.
	Username string `mapstructure:"username"`
	// Password of the account. Required without auth.
	Password configopaque.String `mapstructure:"password"`
	// CDRReceiverURI replaces the one of all servers. Optional.
	CDRReceiverURI string `mapstructure:"cdr_receiver_uri"`
	// ResourceAttributes are added to the resource of the server's metrics, and
	// replace those of the same name that all servers have. Optional.
	ResourceAttributes map[string]string `mapstructure:"resource_attributes"`

	// prevent unkeyed literal initialization
	_ struct{}
}

var _ component.Config = (*Config)(nil)

const (
	// maxServers bounds the bridges that are scraped, named or discovered. A cluster
	// has 24 at most.
	maxServers = 64
	// minRequests is what a scrape needs for the objects that are read each time.
	minRequests = 12
)

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

// Unmarshal applies a server's defaults.
func (s *ServerConfig) Unmarshal(conf *confmap.Conf) error {
	s.HTTP = api.NewDefaultServerConfig().HTTP
	return conf.Unmarshal(s)
}

// Validate checks the configuration. It changes nothing.
func (s *ServerConfig) Validate() error {
	errs := []error{s.api().Validate(), validateURI(s.CDRReceiverURI)}
	if s.HTTP.Timeout <= 0 { // a server that hangs would be waited for for ever
		errs = append(errs, fmt.Errorf("timeout must be positive, got %s", s.HTTP.Timeout))
	}
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
		if first, twice := seen[endpoint]; twice && endpoint != "" {
			errs = append(errs, fmt.Errorf("servers::%d: endpoint is that of servers::%d", i, first))
		}
		seen[endpoint] = i
	}
	if c.Timeout < time.Second { // without one a server that hangs would hold up all others
		errs = append(errs, fmt.Errorf("timeout must be at least 1s, got %s", c.Timeout))
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
	if c.ShutdownTimeout <= 0 {
		errs = append(errs, fmt.Errorf("shutdown_timeout must be positive, got %s", c.ShutdownTimeout))
	}
	return errors.Join(errs...)
}

// validateURI refuses what is no URL. It shows no query: there may be a token in
// it.
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
