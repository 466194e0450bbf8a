// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package sharedcomponent

import (
	"context"
	"errors"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componentstatus"
)

// instance counts what is done to it.
type instance struct {
	starts, stops     atomic.Int64
	startErr, stopErr error
	host              component.Host
	onStart           func(component.Host)
}

func (i *instance) Start(_ context.Context, host component.Host) error {
	i.starts.Add(1)
	i.host = host
	if i.onStart != nil {
		i.onStart(host)
	}
	return i.startErr
}

func (i *instance) Shutdown(context.Context) error {
	i.stops.Add(1)
	return i.stopErr
}

// signalHost is the host of one signal. It records the statuses that are reported to it.
type signalHost struct {
	extensions map[component.ID]component.Component
	onReport   func()

	mu       sync.Mutex
	reported []componentstatus.Status
}

func (h *signalHost) GetExtensions() map[component.ID]component.Component { return h.extensions }

func (h *signalHost) Report(event *componentstatus.Event) {
	if h.onReport != nil {
		h.onReport()
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.reported = append(h.reported, event.Status())
}

func (h *signalHost) statuses() []componentstatus.Status {
	h.mu.Lock()
	defer h.mu.Unlock()
	return append([]componentstatus.Status(nil), h.reported...)
}

// silentHost takes no status.
type silentHost struct{}

func (silentHost) GetExtensions() map[component.ID]component.Component { return nil }

type config struct{ name string }

type fixture struct {
	*Map[*config, *instance]
	made int
}

func newFixture() *fixture { return &fixture{Map: NewMap[*config, *instance]()} }

// signal is what a factory does for one signal.
func (f *fixture) signal(t *testing.T, key *config) *Component[*instance] {
	t.Helper()
	c, err := f.LoadOrStore(key, func() (*instance, error) {
		f.made++
		return new(instance), nil
	})
	require.NoError(t, err)
	return c
}

func TestSignalsOfOneConfigurationShareAnInstance(t *testing.T) {
	f := newFixture()
	key := &config{"a"}
	logs, metrics := f.signal(t, key), f.signal(t, key)
	assert.Same(t, logs, metrics)
	assert.Same(t, logs.Unwrap(), metrics.Unwrap())
	assert.Equal(t, 1, f.made)
}

// Two component ids may be configured alike and are two components.
func TestConfigurationsDifferByAddress(t *testing.T) {
	f := newFixture()
	first := f.signal(t, &config{"a"})
	assert.NotSame(t, first, f.signal(t, &config{"a"}))
}

func TestCreateError(t *testing.T) {
	f := newFixture()
	key := &config{"a"}
	refuse := errors.New("no")
	c, err := f.LoadOrStore(key, func() (*instance, error) { return nil, refuse })
	require.ErrorIs(t, err, refuse)
	assert.Nil(t, c)
	assert.NotNil(t, f.signal(t, key), "the next try may succeed")
}

func TestConcurrentCreate(t *testing.T) {
	f := newFixture()
	key := &config{"a"}
	var group sync.WaitGroup
	all := make([]*Component[*instance], 16)
	for i := range all {
		group.Go(func() { all[i] = f.signal(t, key) })
	}
	group.Wait()
	for _, c := range all {
		assert.Same(t, all[0], c)
	}
	assert.Equal(t, 1, f.made)
}

func TestStartOnce(t *testing.T) {
	f := newFixture()
	c := f.signal(t, &config{"a"})
	require.NoError(t, c.Start(t.Context(), new(signalHost)))
	require.NoError(t, c.Start(t.Context(), new(signalHost)))
	assert.EqualValues(t, 1, c.Unwrap().starts.Load())
}

// A signal whose Start returns must be able to rely on the instance, though
// another signal started it.
func TestStartWaitsForTheFirstStart(t *testing.T) {
	c := newFixture().signal(t, &config{"a"})
	var (
		started atomic.Bool
		group   sync.WaitGroup
	)
	c.Unwrap().onStart = func(component.Host) {
		for range 1000 {
			runtime.Gosched() // the others come in the meantime
		}
		started.Store(true)
	}
	for range 4 {
		group.Go(func() {
			assert.NoError(t, c.Start(t.Context(), new(signalHost)))
			assert.True(t, started.Load())
		})
	}
	group.Wait()
}

func TestStartErrorIsEverySignalsError(t *testing.T) {
	c := newFixture().signal(t, &config{"a"})
	c.Unwrap().startErr = errors.New("address in use")
	for range 3 {
		require.ErrorIs(t, c.Start(t.Context(), new(signalHost)), c.Unwrap().startErr)
	}
	assert.EqualValues(t, 1, c.Unwrap().starts.Load())
	require.NoError(t, c.Shutdown(t.Context()), "the Collector stops what did not start")
}

func TestShutdownOnce(t *testing.T) {
	c := newFixture().signal(t, &config{"a"})
	c.Unwrap().stopErr = errors.New("stuck")
	require.NoError(t, c.Start(t.Context(), new(signalHost)))
	for range 3 {
		require.ErrorIs(t, c.Shutdown(t.Context()), c.Unwrap().stopErr)
	}
	assert.EqualValues(t, 1, c.Unwrap().stops.Load())
}

func TestShutdownWithoutStart(t *testing.T) {
	f := newFixture()
	key := &config{"a"}
	c := f.signal(t, key)
	require.NoError(t, c.Shutdown(t.Context()))
	assert.Zero(t, c.Unwrap().starts.Load())
	assert.Empty(t, f.components)
}

// The key can be used again once the instance is stopped, also while the other
// signals of the former instance are still to be stopped.
func TestKeyIsFreeAfterShutdown(t *testing.T) {
	f := newFixture()
	key := &config{"a"}
	logs, metrics := f.signal(t, key), f.signal(t, key)
	require.NoError(t, logs.Start(t.Context(), new(signalHost)))
	require.NoError(t, logs.Shutdown(t.Context()))

	again := f.signal(t, key)
	assert.NotSame(t, logs, again)
	require.NoError(t, metrics.Shutdown(t.Context()))
	assert.Same(t, again, f.signal(t, key), "a late shutdown of the former instance takes nothing away")
	require.NoError(t, again.Start(t.Context(), new(signalHost)))
	assert.EqualValues(t, 1, again.Unwrap().starts.Load())
}

func TestShutdownForgetsItsOwnKeyOnly(t *testing.T) {
	f := newFixture()
	a, b := &config{"a"}, &config{"b"}
	first, second := f.signal(t, a), f.signal(t, b)
	require.NoError(t, first.Shutdown(t.Context()))
	assert.Same(t, second, f.signal(t, b))
}

func TestExtensionsAreTheHosts(t *testing.T) {
	c := newFixture().signal(t, &config{"a"})
	id := component.MustNewID("file_storage")
	host := &signalHost{extensions: map[component.ID]component.Component{id: new(instance)}}
	var atStart map[component.ID]component.Component
	c.Unwrap().onStart = func(h component.Host) { atStart = h.GetExtensions() }
	require.NoError(t, c.Start(t.Context(), host))
	require.NoError(t, c.Start(t.Context(), silentHost{}))
	assert.Contains(t, atStart, id)
	assert.Contains(t, c.Unwrap().host.GetExtensions(), id)
}

const (
	ok        = componentstatus.StatusOK
	broken    = componentstatus.StatusRecoverableError
	permanent = componentstatus.StatusPermanentError
)

func TestStatusReachesEverySignal(t *testing.T) {
	c := newFixture().signal(t, &config{"a"})
	first, second := new(signalHost), new(signalHost)
	require.NoError(t, c.Start(t.Context(), first))
	require.NoError(t, c.Start(t.Context(), silentHost{}))
	require.NoError(t, c.Start(t.Context(), second))
	for _, status := range []componentstatus.Status{ok, broken, ok} {
		componentstatus.ReportStatus(c.Unwrap().host, componentstatus.NewEvent(status))
	}
	want := []componentstatus.Status{ok, broken, ok}
	assert.Equal(t, want, first.statuses())
	assert.Equal(t, want, second.statuses())
}

// A signal that starts later hears what the instance's state is.
func TestStatusIsReplayed(t *testing.T) {
	c := newFixture().signal(t, &config{"a"})
	c.Unwrap().onStart = func(host component.Host) {
		componentstatus.ReportStatus(host, componentstatus.NewEvent(broken))
		componentstatus.ReportStatus(host, componentstatus.NewEvent(permanent))
	}
	first, second, silent := new(signalHost), new(signalHost), silentHost{}
	require.NoError(t, c.Start(t.Context(), first))
	require.NoError(t, c.Start(t.Context(), second))
	require.NoError(t, c.Start(t.Context(), silent))
	assert.Equal(t, []componentstatus.Status{broken, permanent}, first.statuses())
	assert.Equal(t, []componentstatus.Status{permanent}, second.statuses())
}

func TestNothingIsReplayedWhereNothingWasReported(t *testing.T) {
	c := newFixture().signal(t, &config{"a"})
	host := new(signalHost)
	require.NoError(t, c.Start(t.Context(), host))
	assert.Empty(t, host.statuses())
}

// A status reported while an older one is being replayed comes after it: the
// last one a host hears is the state the instance is in.
func TestReplayDoesNotOvertake(t *testing.T) {
	c := newFixture().signal(t, &config{"a"})
	require.NoError(t, c.Start(t.Context(), new(signalHost)))
	componentstatus.ReportStatus(c.Unwrap().host, componentstatus.NewEvent(broken))

	var replaying atomic.Bool
	reported := make(chan struct{})
	slow := new(signalHost)
	slow.onReport = func() {
		if !replaying.CompareAndSwap(false, true) {
			return
		}
		go func() {
			defer close(reported)
			componentstatus.ReportStatus(c.Unwrap().host, componentstatus.NewEvent(ok))
		}()
		for range 1000 {
			runtime.Gosched() // enough for the new status to overtake it, if it can
		}
	}
	require.NoError(t, c.Start(t.Context(), slow))
	<-reported
	assert.Equal(t, []componentstatus.Status{broken, ok}, slow.statuses())
}

// For the race detector: every host hears the same last status.
func TestConcurrentStatus(t *testing.T) {
	c := newFixture().signal(t, &config{"a"})
	require.NoError(t, c.Start(t.Context(), new(signalHost)))
	all := make([]*signalHost, 8)
	var group sync.WaitGroup
	for i := range all {
		all[i] = new(signalHost)
		group.Go(func() { assert.NoError(t, c.Start(t.Context(), all[i])) })
		group.Go(func() {
			componentstatus.ReportStatus(c.Unwrap().host, componentstatus.NewEvent([]componentstatus.Status{ok, broken}[i%2]))
			c.Unwrap().host.GetExtensions()
		})
	}
	group.Wait()
	want := all[0].statuses()
	for _, host := range all {
		got := host.statuses()
		require.NotEmpty(t, got)
		assert.Equal(t, want[len(want)-1], got[len(got)-1])
	}
}
