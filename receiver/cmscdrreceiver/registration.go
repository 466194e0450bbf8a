// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package cmscdrreceiver

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"github.com/cenkalti/backoff/v5"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componentstatus"
	"go.uber.org/zap"

	"github.com/legato-otel/legato/internal/cmsapi"
)

// RegistrationConfig makes the receiver register itself at Call Bridges.
type RegistrationConfig struct {
	// URI that the bridges are to post to. Required.
	URI string `mapstructure:"uri"`
	// Servers are the Call Bridges, each one of a cluster. Required.
	Servers []cmsapi.ServerConfig `mapstructure:"servers"`
	// Interval at which the registration is looked after. Default 5 m.
	Interval time.Duration `mapstructure:"interval"`

	// prevent unkeyed literal initialization
	_ struct{}
}

// Validate checks the configuration. It changes nothing.
func (c *RegistrationConfig) Validate() error {
	var errs []error
	if u, err := url.Parse(c.URI); err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		errs = append(errs, fmt.Errorf("uri must be the http or https URL of this receiver as the Call Bridge sees it, got %q", withoutQuery(c.URI)))
	}
	if len(c.Servers) == 0 {
		errs = append(errs, errors.New("servers must name at least one Call Bridge"))
	}
	if c.Interval <= 0 {
		errs = append(errs, fmt.Errorf("interval must be positive, got %s", c.Interval))
	}
	return errors.Join(errs...)
}

// withoutQuery cuts off what may be a token.
func withoutQuery(uri string) string {
	for i := range len(uri) {
		if uri[i] == '?' {
			return uri[:i]
		}
	}
	return uri
}

// registrar keeps one Call Bridge posting to this receiver.
type registrar struct {
	uri      string
	interval time.Duration
	server   string // the API's endpoint, for people
	client   *cmsapi.Client
	host     component.Host
	logger   *zap.Logger
	retry    backoff.BackOff
	failed   bool
}

// lockedOut is how long to wait after a 401: wrong credentials do not become
// right by trying, and accounts get locked.
const lockedOut = 5 * time.Minute

func newRegistrars(ctx context.Context, r *cdrReceiver, host component.Host) (all []*registrar, err error) {
	if !r.config.Registration.HasValue() {
		return nil, nil
	}
	config := r.config.Registration.Get()
	for i := range config.Servers {
		client, err := cmsapi.NewClient(ctx, &config.Servers[i], host, r.settings.TelemetrySettings)
		if err != nil {
			return nil, fmt.Errorf("registration: %w", err)
		}
		retry := backoff.NewExponentialBackOff()
		retry.InitialInterval, retry.MaxInterval = time.Second, time.Minute
		all = append(all, &registrar{
			uri: config.URI, interval: config.Interval, server: config.Servers[i].HTTP.Endpoint,
			client: client, host: host, logger: r.settings.Logger, retry: retry,
		})
	}
	return all, nil
}

// run registers until ctx ends. It does not take the registration back: the
// bridge then keeps the records while the Collector restarts.
func (g *registrar) run(ctx context.Context) {
	defer g.client.Close()
	for {
		wait := g.interval
		if err := g.register(ctx); err != nil {
			wait = g.waitAfter(err)
		}
		select {
		case <-time.After(wait):
		case <-ctx.Done():
			return
		}
	}
}

// register does it once and reports what changed.
func (g *registrar) register(ctx context.Context) error {
	done, err := g.client.RegisterCDRReceiver(ctx, g.uri)
	switch {
	case ctx.Err() != nil:
	case err != nil && !g.failed:
		g.failed = true
		g.logger.Error("This receiver cannot be registered at the Call Bridge; trying again", zap.String("server", g.server), zap.Error(err))
		componentstatus.ReportStatus(g.host, componentstatus.NewRecoverableErrorEvent(fmt.Errorf("register at %s: %w", g.server, err)))
	case err == nil && (g.failed || done != cmsapi.Present):
		g.logger.Info("This receiver is registered at the Call Bridge", zap.String("server", g.server), zap.String("registration", string(done)))
		if g.failed {
			componentstatus.ReportStatus(g.host, componentstatus.NewEvent(componentstatus.StatusOK))
		}
		g.failed = false
	}
	if err == nil {
		g.retry.Reset()
	}
	return err
}

func (g *registrar) waitAfter(err error) time.Duration {
	if refused, ok := errors.AsType[*cmsapi.Error](err); ok && refused.Status == http.StatusUnauthorized {
		return lockedOut
	}
	return g.retry.NextBackOff()
}
