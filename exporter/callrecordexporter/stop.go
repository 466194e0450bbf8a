// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package callrecordexporter

import (
	"context"
	"time"

	"go.opentelemetry.io/collector/exporter"
	"go.uber.org/zap"

	"github.com/legato-otel/legato/internal/concurrency/bounded"
)

// boundedExporter stops in bounded time whatever the database and the queue's
// storage do. The helper has no bound: it waits for the export that is under way,
// and that for the database.
type boundedExporter struct {
	exporter.Logs
	exporter *callRecord
}

// afterGrace is how long those have to return that were cancelled when the grace
// of a stop had ended.
const afterGrace = time.Second

// Shutdown lets the exports under way end within shutdown_timeout and cancels them
// then: their records were not accepted, and come again. What does not end even so
// is left behind, and ends when the database or the storage answers.
func (b *boundedExporter) Shutdown(ctx context.Context) error {
	e := b.exporter
	grace, cancel := context.WithTimeout(ctx, e.config.ShutdownTimeout)
	defer cancel()
	defer context.AfterFunc(grace, e.cancelExports)()
	end, cancelEnd := bounded.Extend(grace, afterGrace)
	defer cancelEnd()
	// The page and the background end beside the queue, not behind it.
	if e.cancel != nil {
		e.cancel()
	}
	if e.page != nil {
		go func() { _ = e.page.stop(grace) }() // shutdown waits for it, and has its error
	}
	err := bounded.Call(end, b.Logs.Shutdown)
	if err != nil && ctx.Err() == nil && grace.Err() != nil {
		e.settings.Logger.Warn("Not all was done within shutdown_timeout; what was not stored is sent again by whoever has it",
			zap.Stringer("shutdown_timeout", e.config.ShutdownTimeout), zap.Error(err))
		return nil
	}
	return err
}
