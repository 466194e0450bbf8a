// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package callrecordexporter

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/cenkalti/backoff/v5"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componentstatus"
	"go.uber.org/zap"

	"github.com/legato-otel/legato/internal/archive/store"
	"github.com/legato-otel/legato/internal/otel/limitedlog"
)

var errNotOpen = fmt.Errorf("archive: %w, and is tried again; nothing is lost as long as senders or a sending_queue keep the records", store.ErrUnreachable)

// openArchive opens the archive. A database that cannot be reached is no reason
// not to start, since it may not be this Collector's only work: it is tried again
// in the background. Anything else is.
func (e *callRecord) openArchive(ctx, background context.Context, host component.Host) error {
	archive, err := e.connect(ctx)
	switch {
	case err == nil:
		e.opened(background, archive)
	case errors.Is(err, store.ErrUnreachable):
		componentstatus.ReportStatus(host, componentstatus.NewRecoverableErrorEvent(err))
		e.wg.Go(func() { e.reach(background, host, err) })
	default:
		return fmt.Errorf("archive: %w", err)
	}
	return nil
}

// reach tries to open the archive until that succeeds or ctx ends. It logs the reason at
// once, and then at most once a minute.
func (e *callRecord) reach(ctx context.Context, host component.Host, err error) {
	wait := backoff.NewExponentialBackOff()
	wait.InitialInterval, wait.MaxInterval = time.Second, 30*time.Second
	var archive *store.Store
	awayLog := limitedlog.New(e.settings.Logger)
	for err != nil && ctx.Err() == nil {
		pause := wait.NextBackOff()
		awayLog.Warn("The archive is not open; trying again", zap.Stringer("retry_in", pause.Round(time.Millisecond)), zap.Error(err))
		select {
		case <-time.After(pause):
		case <-ctx.Done():
			return
		}
		archive, err = e.connect(ctx)
	}
	if err != nil {
		return
	}
	e.settings.Logger.Info("The archive is open")
	e.opened(ctx, archive)
	componentstatus.ReportStatus(host, componentstatus.NewEvent(componentstatus.StatusOK))
}

// opened begins to use the archive.
func (e *callRecord) opened(background context.Context, archive *store.Store) {
	e.archive.Store(archive)
	if e.page != nil {
		e.page.show(newHandler(e.config.HTTP.Get(), archive, e.settings.TelemetrySettings))
	}
	e.wg.Go(func() { e.addUpUsage(background, archive) })
	if e.config.Retention > 0 {
		e.wg.Go(func() { e.expire(background, archive) })
	}
}
