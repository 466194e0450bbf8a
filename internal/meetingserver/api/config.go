// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package api

import (
	"errors"
	"fmt"
	"net/url"
	"time"

	"go.opentelemetry.io/collector/config/confighttp"
	"go.opentelemetry.io/collector/config/configopaque"
)

// ServerConfig configures access to the API of one Call Bridge.
type ServerConfig struct {
	// HTTP configures the HTTP client. Its keys are at the level of the server: endpoint
	// (https://cms1:445, required), tls, timeout (default 10 s), ...
	HTTP confighttp.ClientConfig `mapstructure:",squash"`
	// Username is the name of an account with the role api or admin. Username and Password
	// are required, unless auth names an extension that authenticates requests.
	Username string `mapstructure:"username"`
	// Password is the password of the account.
	Password configopaque.String `mapstructure:"password"`

	// prevent unkeyed literal initialization
	_ struct{}
}

// NewDefaultServerConfig returns the defaults of a server. Servers are elements of a list, so
// the component applies them in the Unmarshal of the element.
func NewDefaultServerConfig() ServerConfig {
	config := ServerConfig{HTTP: confighttp.NewDefaultClientConfig()}
	config.HTTP.Timeout = 10 * time.Second
	return config
}

// Validate checks the configuration. It changes nothing.
func (c *ServerConfig) Validate() error {
	var errs []error
	u, err := url.Parse(c.HTTP.Endpoint)
	switch {
	case c.HTTP.Endpoint == "":
		errs = append(errs, errors.New("endpoint must not be empty"))
	case err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http":
		errs = append(errs, fmt.Errorf("endpoint must be a URL like https://cms1:445, got %q", c.HTTP.Endpoint))
	case u.User != nil || u.RawQuery != "":
		errs = append(errs, errors.New("endpoint must hold no user and no query; use username and password"))
	}
	if c.Username == "" && (!c.HTTP.Auth.HasValue() || c.Password != "") {
		errs = append(errs, errors.New("username must not be empty"))
	}
	if c.Password == "" && (!c.HTTP.Auth.HasValue() || c.Username != "") {
		errs = append(errs, errors.New("password must not be empty"))
	}
	return errors.Join(errs...)
}
