// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package callstitchprocessor

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/processor"

	"github.com/legato-otel/legato/internal/stitch"
	"github.com/legato-otel/legato/processor/callstitchprocessor/internal/metadata"
)

// callStitch is the processor. It owns the state and the goroutines.
type callStitch struct {
	config    *Config
	settings  processor.Settings
	telemetry *metadata.TelemetryBuilder
	next      consumer.Logs

	claimed   bool
	state     *state // nil before Start
	emitter   *emitter
	journal   *journal   // nil without storage
	committer *committer // likewise

	intake intake // guarded by state.mu
	closed bool   // likewise: nothing is taken any more

	cancel context.CancelFunc // of what the goroutines do
	wg     sync.WaitGroup
}

var _ processor.Logs = (*callStitch)(nil)

func newProcessor(config *Config, set processor.Settings, next consumer.Logs) (*callStitch, error) {
	telemetry, err := metadata.NewTelemetryBuilder(set.TelemetrySettings)
	if err != nil {
		return nil, err
	}
	return &callStitch{config: config, settings: set, telemetry: telemetry, next: next}, nil
}

// Capabilities implements consumer.Consumer: records are stamped in place.
func (*callStitch) Capabilities() consumer.Capabilities {
	return consumer.Capabilities{MutatesData: true}
}

// Start restores the state and begins to emit. What it did before it failed, it
// undoes.
func (p *callStitch) Start(ctx context.Context, host component.Host) error {
	if err := running.take(p.config, p.settings.ID); err != nil {
		return err
	}
	p.claimed = true
	if err := p.start(ctx, host); err != nil {
		return errors.Join(err, p.Shutdown(ctx))
	}
	return nil
}

func (p *callStitch) start(ctx context.Context, host component.Host) error {
	var err error
	if p.journal, err = openJournal(ctx, host, p.config.Storage, p.settings); err != nil {
		return err
	}
	state := newState(p.config)
	background, cancel := context.WithCancel(context.WithoutCancel(ctx))
	p.cancel = cancel
	lost := 0
	if p.journal != nil {
		if lost, err = p.journal.restore(ctx, state); err != nil {
			return err
		}
	}
	p.telemetry.ProcessorCallstitchStorageSegmentsLost.Add(ctx, int64(lost))
	p.telemetry.ProcessorCallstitchSendFailures.Add(ctx, 0)
	p.telemetry.ProcessorCallstitchStorageFailures.Add(ctx, 0)
	if err := observe(p.telemetry, state); err != nil {
		return err
	}

	p.state, p.closed = state, false
	p.intake = newIntake(state.engine)
	if p.journal != nil {
		p.committer = newCommitter(state, p.journal, p.settings.Logger, p.telemetry)
		p.wg.Go(func() { p.committer.run(background) })
	}
	p.emitter = newEmitter(state, p.committer, p.next, p.settings, p.telemetry)
	var emitting context.Context
	emitting, p.emitter.cancel = context.WithCancel(background)
	p.wg.Go(func() { p.emitter.run(emitting) })
	return nil
}

// errClosed is what a request gets that comes before Start or after Shutdown.
var errClosed = errors.New("the processor is not running")

// ConsumeLogs merges what the records say into the state, stamps them, and
// passes them on when the state is stored. An error is the sender's to repeat.
func (p *callStitch) ConsumeLogs(ctx context.Context, logs plog.Logs) error {
	if p.state == nil {
		return errClosed
	}
	write, err := p.take(logs)
	if err != nil {
		return err
	}
	if err := write.wait(ctx); err != nil {
		return err
	}
	return p.next.ConsumeLogs(ctx, logs)
}

// take merges and stamps the records. It returns the write after which that is
// stored.
func (p *callStitch) take(logs plog.Logs) (*write, error) {
	p.state.mu.Lock()
	defer p.state.mu.Unlock()
	if p.closed {
		return nil, errClosed
	}
	if err := p.committer.overdue(); err != nil {
		return nil, err
	}
	concerned, err := p.intake.merge(p.state.clock.now(), logs)
	p.emitter.look()
	if err != nil {
		p.intake.forget()
		if errors.Is(err, stitch.ErrFull) {
			p.emitter.wake()
			err = fmt.Errorf("%w: max_objects (%d) is reached, and the oldest are on their way out: "+
				"send again; raise max_objects or lower max_open if this lasts", err, p.config.MaxObjects)
		}
		return nil, err
	}
	p.intake.stamp()
	if !concerned {
		return nil, nil
	}
	return p.committer.due(), nil
}

// lastWrite is how long the last write may take when the shutdown's own time is
// up.
const lastWrite = 2 * time.Second

// Shutdown sends what is due, and keeps the rest in the storage; without
// storage it sends what is open as incomplete. Nothing is consumed or stored
// after it. It may come without Start, and more than once.
func (p *callStitch) Shutdown(ctx context.Context) error {
	var errs error
	if p.emitter != nil {
		p.close()
		p.emitter.finish(ctx)
		p.emitter = nil
	}
	if p.committer != nil {
		errs = p.finishCommitter(ctx)
		p.committer = nil
	}
	if p.cancel != nil {
		p.cancel()
	}
	p.wg.Wait()
	if p.journal != nil {
		errs = errors.Join(errs, p.journal.client.Close(context.WithoutCancel(ctx)))
		p.journal = nil
	}
	p.telemetry.Shutdown()
	if p.claimed {
		running.release(p.config)
		p.claimed = false
	}
	return errs
}

func (p *callStitch) close() {
	p.state.mu.Lock()
	defer p.state.mu.Unlock()
	p.closed = true
}

// finishCommitter has the last of the state written, for which there is some
// time even when the shutdown's own is up.
func (p *callStitch) finishCommitter(ctx context.Context) error {
	stop := context.AfterFunc(ctx, func() { time.AfterFunc(lastWrite, p.cancel) })
	defer stop()
	return p.committer.finish()
}
