// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package mediasensereceiver

import (
	"cmp"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"go.opentelemetry.io/collector/config/confighttp"
	"go.opentelemetry.io/collector/config/configopaque"
	"go.opentelemetry.io/collector/confmap"
)

// SubscriptionConfig makes the receiver subscribe at MediaSense servers.
type SubscriptionConfig struct {
	// Callback is the URL of this receiver as the servers see it, normally with
	// an IP address, and with http: MediaSense posts to nothing else. Its path is
	// the receiver's path. Required, unless each server has its own.
	Callback string `mapstructure:"callback"`
	// Filters are the classes of events to subscribe to, or single events.
	// Default: all four classes. Servers before 10.0 know no filters.
	Filters []string `mapstructure:"filters"`
	// TagNameRegex limits tag events to tags with a matching name. Default: all.
	TagNameRegex string `mapstructure:"tag_name_regex"`
	// VerifyInterval is the interval of the checks of the subscriptions, which a server
	// may forget when it restarts. Default 5 m; above 25 m each check needs a new
	// session.
	VerifyInterval time.Duration `mapstructure:"verify_interval"`
	// UnsubscribeOnShutdown removes the subscriptions at shutdown. Default false: events
	// during a restart of the Collector are lost either way, but with the subscription
	// the first events after the restart are not.
	UnsubscribeOnShutdown bool `mapstructure:"unsubscribe_on_shutdown"`
	// Servers are the API servers, both the primary and the secondary: each sends only its own
	// events. Required.
	Servers []SubscriptionServer `mapstructure:"servers"`

	// prevent unkeyed literal initialization
	_ struct{}
}

// SubscriptionServer is one MediaSense API server.
type SubscriptionServer struct {
	// HTTP is the client of its API. Its keys stand at the server's own level:
	// endpoint (https://ms1:8440, required), tls, timeout (default 10 s), ... An
	// endpoint with http:// needs tls::insecure, because it sends the password
	// in clear.
	HTTP confighttp.ClientConfig `mapstructure:",squash"`
	// Username of an API user. Required.
	Username string `mapstructure:"username"`
	// Password of the user. Required.
	Password configopaque.String `mapstructure:"password"`
	// Callback to which this server posts, instead of the common one, for a query that
	// distinguishes the servers. Optional.
	Callback string `mapstructure:"callback"`

	// prevent unkeyed literal initialization
	_ struct{}
}

// The classes of events that can be subscribed to.
var allFilters = []string{"RECORDING_EVENTS", "TAG_EVENTS", "STORAGE_EVENTS", "CLEANUP_EVENTS"}

func defaultSubscription() SubscriptionConfig {
	return SubscriptionConfig{Filters: slices.Clone(allFilters), VerifyInterval: 5 * time.Minute}
}

func newDefaultClient() confighttp.ClientConfig {
	client := confighttp.NewDefaultClientConfig()
	client.Timeout = 10 * time.Second
	return client
}

// Unmarshal applies a server's defaults.
func (s *SubscriptionServer) Unmarshal(conf *confmap.Conf) error {
	s.HTTP = newDefaultClient()
	return conf.Unmarshal(s)
}

// Validate checks the configuration. It changes nothing.
func (s *SubscriptionServer) Validate() error {
	var errs []error
	u, err := url.Parse(s.HTTP.Endpoint)
	switch {
	case s.HTTP.Endpoint == "":
		errs = append(errs, errors.New("endpoint must not be empty"))
	case err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http":
		// Not the text itself: there may be a password in it.
		errs = append(errs, fmt.Errorf("endpoint must be a URL like https://ms1:8440, got %q", withoutUser(s.HTTP.Endpoint)))
	case u.User != nil || u.RawQuery != "":
		errs = append(errs, errors.New("endpoint must hold no user and no query; use username and password"))
	case u.Scheme == "http" && !s.HTTP.TLS.Insecure:
		errs = append(errs, fmt.Errorf("endpoint %q would send username and password in clear; use https, or set tls::insecure", s.HTTP.Endpoint))
	}
	if s.Username == "" {
		errs = append(errs, errors.New("username must not be empty"))
	}
	if s.Password == "" {
		errs = append(errs, errors.New("password must not be empty"))
	}
	return errors.Join(errs...)
}

// withoutUser returns the part after the last @ of a URL that cannot be parsed.
func withoutUser(text string) string { return text[strings.LastIndexByte(text, '@')+1:] }

// Validate checks the configuration. It changes nothing.
func (c *SubscriptionConfig) Validate() error {
	var errs []error
	if len(c.Servers) == 0 {
		errs = append(errs, errors.New("servers must name at least one MediaSense server"))
	}
	seen := make(map[string]int)
	for i := range c.Servers {
		s := &c.Servers[i]
		if err := checkCallback(cmp.Or(s.Callback, c.Callback)); err != nil {
			errs = append(errs, fmt.Errorf("%w for server %d", err, i))
		}
		endpoint := strings.TrimSuffix(s.HTTP.Endpoint, "/")
		if first, isDuplicate := seen[endpoint]; isDuplicate && endpoint != "" {
			errs = append(errs, fmt.Errorf("servers::%d: endpoint is that of servers::%d", i, first))
		}
		seen[endpoint] = i
	}
	if len(c.Filters) == 0 || slices.Contains(c.Filters, "") {
		errs = append(errs, fmt.Errorf("filters must name at least one of %s, or events, got %q", strings.Join(allFilters, ", "), c.Filters))
	}
	return errors.Join(errs...)
}

// checkPaths refuses a callback with another path than the receiver's.
func (c *SubscriptionConfig) checkPaths(path string) error {
	check := func(key, callback string) error {
		u, err := url.Parse(callback)
		if callback == "" || err != nil || comparablePath(u.EscapedPath()) == comparablePath(path) {
			return nil // checkCallback reports one that is missing or no URL
		}
		return fmt.Errorf("%s must have the path of this receiver, %q, or every event is answered 404, got the path %q", key, path, u.Path)
	}
	errs := []error{check("subscription::callback", c.Callback)}
	for i := range c.Servers {
		errs = append(errs, check(fmt.Sprintf("subscription::servers::%d::callback", i), c.Servers[i].Callback))
	}
	return errors.Join(errs...)
}

// comparablePath returns a path without escapes and without a slash at its end.
func comparablePath(path string) string {
	if plain, err := url.PathUnescape(path); err == nil {
		path = plain
	}
	return strings.TrimSuffix(path, "/")
}

// checkCallback returns an error for an invalid callback. It shows the callback without its
// query, which may contain a token.
func checkCallback(callback string) error {
	u, err := url.Parse(callback)
	shown, _, _ := strings.Cut(withoutUser(callback), "?")
	switch {
	case err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https":
		return fmt.Errorf("callback must be the http URL of this receiver as MediaSense sees it, got %q", shown)
	case u.Scheme == "https":
		return fmt.Errorf("callback must be an http URL, because MediaSense does not post by https, got %q", shown)
	default:
		return nil
	}
}
