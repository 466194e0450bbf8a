// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package cmscdrreceiver

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/cenkalti/backoff/v5"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componentstatus"
	"go.uber.org/zap"

	"github.com/legato-otel/legato/internal/meetingserver/api"
)

// statusAggregator reports one status for all registrars: OK when all of them are
// registered.
type statusAggregator struct {
	host component.Host

	mu      sync.Mutex
	failing int
}

func (a *statusAggregator) reportFailure(err error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.failing++
	componentstatus.ReportStatus(a.host, componentstatus.NewRecoverableErrorEvent(err))
}

// reportOtherFailure reports another error of a registrar that was failing already.
func (a *statusAggregator) reportOtherFailure(err error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	componentstatus.ReportStatus(a.host, componentstatus.NewRecoverableErrorEvent(err))
}

func (a *statusAggregator) reportRecovery() {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.failing--; a.failing == 0 {
		componentstatus.ReportStatus(a.host, componentstatus.NewEvent(componentstatus.StatusOK))
	}
}

// registrar keeps one Call Bridge posting to this receiver.
type registrar struct {
	registration      *api.CDRRegistration
	interval          time.Duration
	server            string // endpoint of the API, for the log
	client            *api.Client
	status            *statusAggregator
	store             *ledgerStore // nil without storage
	storedState       []byte       // the registration's state in the storage
	saveFailureLogged bool         // the log has the warning that storedState is outdated
	logger            *zap.Logger
	retry             backoff.BackOff
	failureKind       string // kind of the last error, "" after a success
	lastResult        api.Registration
}

// newURIRegistrars makes a registrar for each configured server. run closes its client at the
// end; closeClients closes the clients of registrars that never run.
func newURIRegistrars(ctx context.Context, r *cdrReceiver, host component.Host) (all []*registrar, err error) {
	if !r.config.Registration.HasValue() {
		return nil, nil
	}
	config := r.config.Registration.Get()
	status := &statusAggregator{host: host}
	for i := range config.Servers {
		server := &config.Servers[i]
		client, err := api.NewClient(ctx, server.api(), host, r.settings.TelemetrySettings)
		if err != nil {
			closeClients(all)
			return nil, fmt.Errorf("registration: %w", err)
		}
		registration, err := client.NewCDRRegistration(cmp.Or(server.URI, config.URI))
		if err != nil {
			client.Close()
			closeClients(all)
			return nil, fmt.Errorf("registration: %w", err)
		}
		retry := backoff.NewExponentialBackOff()
		retry.InitialInterval, retry.MaxInterval = time.Second, time.Minute
		g := &registrar{
			registration: registration, interval: config.Interval, server: server.HTTP.Endpoint,
			client: client, status: status, store: r.store, logger: r.settings.Logger, retry: retry,
		}
		all = append(all, g)
		if err := g.restore(ctx); err != nil {
			closeClients(all)
			return nil, err
		}
	}
	return all, nil
}

// closeClients closes the clients of registrars that do not run.
func closeClients(all []*registrar) {
	for _, g := range all {
		g.client.Close()
	}
}

// run checks the registration at an interval until ctx ends. It does not remove the
// registration at its end, so that the Call Bridge keeps its records while the Collector
// restarts.
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

// register registers the receiver once, and reports changes.
func (g *registrar) register(ctx context.Context) error {
	done, err := g.registration.Ensure(ctx)
	g.save(ctx) // after an error too: the Call Bridge may have made the entry before
	switch {
	case ctx.Err() != nil:
	case err != nil:
		g.reportFailure(err)
	default:
		g.reportSuccess(done)
	}
	return err
}

// reportFailure reports an error, unless the last one was of the same kind.
func (g *registrar) reportFailure(err error) {
	kind := failureKindOf(err)
	if kind == g.failureKind {
		return
	}
	g.logger.Error("This receiver cannot be registered at the Call Bridge; trying again", zap.String("server", g.server), zap.Error(err))
	if g.failureKind == "" {
		g.status.reportFailure(fmt.Errorf("register at %s: %w", g.server, err))
	} else {
		g.status.reportOtherFailure(fmt.Errorf("register at %s: %w", g.server, err))
	}
	g.failureKind = kind
}

// failureKindOf distinguishes errors that need different action: by the server's answer, or
// by an error of the api package. Errors of the connection are one kind, because their texts
// contain changing port numbers.
func failureKindOf(err error) string {
	if refused, ok := errors.AsType[*api.Error](err); ok {
		return refused.Error()
	}
	for _, advice := range []error{
		api.ErrPaused, api.ErrSingleCDRReceiver, api.ErrCDRReceiversFull, api.ErrCDRReceiverNotShown, api.ErrCDRReceiverWithoutURI,
		api.ErrCDRReceiverUnreadable,
	} {
		if errors.Is(err, advice) {
			return advice.Error()
		}
	}
	return "connection"
}

func (g *registrar) reportSuccess(done api.Registration) {
	g.retry.Reset()
	server := zap.String("server", g.server)
	if g.failureKind != "" || done.Change != api.Present {
		g.logger.Info("This receiver is registered at the Call Bridge", server, zap.String("registration", string(done.Change)))
	}
	if g.failureKind != "" {
		g.failureKind = ""
		g.status.reportRecovery()
	}
	if done.Altered && !g.lastResult.Altered {
		g.logger.Warn("The Call Bridge shows another URI for this receiver than the one it was given; check that it posts here", server)
	}
	if done.Others > 0 && done.Others != g.lastResult.Others {
		g.logger.Warn("The Call Bridge has other CDR receivers with the scheme, host and path of this one; "+
			"remove those that no Collector uses any more", server, zap.Int("others", done.Others))
	}
	if done.Unreadable > 0 && done.Unreadable != g.lastResult.Unreadable {
		g.logger.Warn("The Call Bridge lists CDR receivers without a URI, and does not answer for them; none of them is changed", server,
			zap.Int("unreadable", done.Unreadable))
	}
	g.lastResult = done
}

// waitAfter returns how long to wait after a failure: at least the interval if only people
// can correct the failure at the Call Bridge; the remaining time of a pause that another
// component began; else an exponential backoff.
func (g *registrar) waitAfter(err error) time.Duration {
	if delay := api.RetryDelay(err); errors.Is(err, api.ErrPaused) {
		return delay
	} else if delay > 0 {
		return max(g.interval, delay)
	}
	wait := g.retry.NextBackOff()
	for _, permanent := range []error{
		api.ErrSingleCDRReceiver, api.ErrNoCDRReceivers, api.ErrCDRReceiverNotShown, api.ErrCDRReceiverWithoutURI,
		api.ErrCDRReceiverUnreadable,
	} {
		if errors.Is(err, permanent) {
			return max(wait, g.interval)
		}
	}
	return wait
}
