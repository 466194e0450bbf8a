// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package cmscdrreceiver

import (
	"cmp"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"

	"go.opentelemetry.io/collector/config/confighttp"
	"go.opentelemetry.io/collector/config/configopaque"
	"go.opentelemetry.io/collector/confmap"

	"github.com/legato-otel/legato/internal/meetingserver/api"
)

// RegistrationConfig makes the receiver register itself at Call Bridges.
type RegistrationConfig struct {
	// URI to which the Call Bridge posts. Required, unless each server has its own. Only
	// one of several servers can use it.
	URI string `mapstructure:"uri"`
	// Servers are the Call Bridges, each one of a cluster. Required.
	Servers []RegistrationServer `mapstructure:"servers"`
	// Interval of the checks of the registration. Default 5 m.
	Interval time.Duration `mapstructure:"interval"`

	// prevent unkeyed literal initialization
	_ struct{}
}

// RegistrationServer is one Call Bridge. It has the fields of api.ServerConfig and a URI. The
// fields are not embedded, so that errors name the keys as they are written.
type RegistrationServer struct {
	// HTTP is the client of its API. Its keys stand at the server's own level.
	HTTP confighttp.ClientConfig `mapstructure:",squash"`
	// Username of an account with the role api or admin. Required.
	Username string `mapstructure:"username"`
	// Password of the account. Required.
	Password configopaque.String `mapstructure:"password"`
	// URI to which this Call Bridge posts, instead of the common one. Each server needs
	// a URI with a system_id of its own. Optional.
	URI string `mapstructure:"uri"`

	// prevent unkeyed literal initialization
	_ struct{}
}

// Unmarshal applies a server's defaults.
func (s *RegistrationServer) Unmarshal(conf *confmap.Conf) error {
	s.HTTP = api.NewDefaultServerConfig().HTTP
	return conf.Unmarshal(s)
}

// Validate checks the configuration. It changes nothing.
func (s *RegistrationServer) Validate() error { return s.api().Validate() }

func (s *RegistrationServer) api() *api.ServerConfig {
	return &api.ServerConfig{HTTP: s.HTTP, Username: s.Username, Password: s.Password}
}

// Validate checks the configuration. It changes nothing.
func (c *RegistrationConfig) Validate() error {
	var errs []error
	if len(c.Servers) == 0 {
		errs = append(errs, errors.New("servers must name at least one Call Bridge"))
	}
	for i := range c.Servers {
		if uri := cmp.Or(c.Servers[i].URI, c.URI); !isURI(uri) {
			withoutQuery, _, _ := strings.Cut(uri, "?") // the query may contain a token
			errs = append(errs, fmt.Errorf(
				"uri must be the http or https URL of this receiver as the Call Bridge sees it, got %q for server %d", withoutQuery, i))
		}
	}
	errs = append(errs, c.validateDistinct())
	return errors.Join(errs...)
}

// validateDistinct refuses two servers with one URI or one system_id: their
// records would look like those of one Call Bridge that restarts all the time.
func (c *RegistrationConfig) validateDistinct() error {
	var errs []error
	byURI, bySystem := make(map[string]int), make(map[string]int)
	for i := range c.Servers {
		u, err := url.Parse(cmp.Or(c.Servers[i].URI, c.URI))
		if err != nil {
			continue // Validate reports it
		}
		system := u.Query().Get(systemIDParameter)
		first, taken := bySystem[system]
		if taken && system != "" {
			errs = append(errs, fmt.Errorf(
				"uri: servers %d and %d have the same system_id %q; give each server a uri with a system_id of its own", first, i, system))
			continue
		}
		bySystem[system] = i
		u.Scheme, u.Host = strings.ToLower(u.Scheme), strings.ToLower(u.Host)
		if first, taken := byURI[u.String()]; taken {
			errs = append(errs, fmt.Errorf(
				"uri: servers %d and %d have the same uri; give each server a uri with a system_id of its own", first, i))
			continue
		}
		byURI[u.String()] = i
	}
	return errors.Join(errs...)
}

func isURI(text string) bool {
	u, err := url.Parse(text)
	return err == nil && u.Host != "" && (u.Scheme == "http" || u.Scheme == "https")
}
