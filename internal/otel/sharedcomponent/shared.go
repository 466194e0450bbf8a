// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package sharedcomponent

import (
	"context"
	"sync"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componentstatus"
)

// Map maps keys to instances.
type Map[K comparable, C component.Component] struct {
	mu         sync.Mutex
	components map[K]*Component[C]
}

// NewMap returns an empty map.
func NewMap[K comparable, C component.Component]() *Map[K, C] {
	return &Map[K, C]{components: make(map[K]*Component[C])}
}

// LoadOrStore returns the instance of key. If there is none, create makes it.
func (m *Map[K, C]) LoadOrStore(key K, create func() (C, error)) (*Component[C], error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if c, ok := m.components[key]; ok {
		return c, nil
	}
	instance, err := create()
	if err != nil {
		return nil, err
	}
	c := &Component[C]{instance: instance, remove: func() { m.remove(key) }}
	m.components[key] = c
	return c, nil
}

func (m *Map[K, C]) remove(key K) {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.components, key)
}

// Component is an instance as the component of each signal.
type Component[C component.Component] struct {
	instance C
	remove   func()

	start    sync.Once
	startErr error
	stop     sync.Once
	stopErr  error
	hosts    hosts
}

// Unwrap returns the instance.
func (c *Component[C]) Unwrap() C { return c.instance }

// Start implements component.Component.
func (c *Component[C]) Start(ctx context.Context, host component.Host) error {
	c.hosts.add(host)
	c.start.Do(func() { c.startErr = c.instance.Start(ctx, &c.hosts) })
	return c.startErr
}

// Shutdown implements component.Component.
func (c *Component[C]) Shutdown(ctx context.Context) error {
	c.stop.Do(func() {
		c.stopErr = c.instance.Shutdown(ctx)
		c.remove()
	})
	return c.stopErr
}

// hosts is the host of an instance. It returns the extensions of the first signal's host and
// passes status events to all hosts.
type hosts struct {
	// reporting is held while events are passed on, so that all hosts get them in one
	// order and the last event is the state of the instance. Lock it before mu.
	reporting sync.Mutex

	mu        sync.Mutex // guards everything below
	all       []component.Host
	lastEvent *componentstatus.Event
}

var (
	_ component.Host           = (*hosts)(nil)
	_ componentstatus.Reporter = (*hosts)(nil)
)

func (h *hosts) add(host component.Host) {
	h.reporting.Lock()
	defer h.reporting.Unlock()
	h.mu.Lock()
	h.all = append(h.all, host)
	last := h.lastEvent
	h.mu.Unlock()
	if last != nil {
		componentstatus.ReportStatus(host, last)
	}
}

func (h *hosts) GetExtensions() map[component.ID]component.Component {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.all[0].GetExtensions()
}

func (h *hosts) Report(event *componentstatus.Event) {
	h.reporting.Lock()
	defer h.reporting.Unlock()
	h.mu.Lock()
	h.lastEvent = event
	all := h.all
	h.mu.Unlock()
	for _, host := range all {
		componentstatus.ReportStatus(host, event)
	}
}
