// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package sharedcomponent

import (
	"context"
	"sync"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componentstatus"
)

// Map holds the living instances by key.
type Map[K comparable, C component.Component] struct {
	mu   sync.Mutex
	held map[K]*Component[C]
}

// NewMap returns an empty map.
func NewMap[K comparable, C component.Component]() *Map[K, C] {
	return &Map[K, C]{held: make(map[K]*Component[C])}
}

// LoadOrStore returns the instance of key, made by create if there is none.
func (m *Map[K, C]) LoadOrStore(key K, create func() (C, error)) (*Component[C], error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if c, ok := m.held[key]; ok {
		return c, nil
	}
	instance, err := create()
	if err != nil {
		return nil, err
	}
	c := &Component[C]{instance: instance, forget: func() { m.forget(key) }}
	m.held[key] = c
	return c, nil
}

func (m *Map[K, C]) forget(key K) {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.held, key)
}

// Component is one instance, as each of its signals sees it.
type Component[C component.Component] struct {
	instance C
	forget   func()

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
		c.forget()
	})
	return c.stopErr
}

// hosts is the host of an instance: extensions come from the first signal's
// host, status events go to all of them.
type hosts struct {
	// telling is held while events are passed on, so that all hosts hear them
	// in one order and the last one is the instance's state. It is taken before
	// mu.
	telling sync.Mutex

	mu   sync.Mutex // guards everything below
	all  []component.Host
	last *componentstatus.Event
}

var (
	_ component.Host           = (*hosts)(nil)
	_ componentstatus.Reporter = (*hosts)(nil)
)

func (h *hosts) add(host component.Host) {
	h.telling.Lock()
	defer h.telling.Unlock()
	h.mu.Lock()
	h.all = append(h.all, host)
	last := h.last
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
	h.telling.Lock()
	defer h.telling.Unlock()
	h.mu.Lock()
	h.last = event
	all := h.all
	h.mu.Unlock()
	for _, host := range all {
		componentstatus.ReportStatus(host, event)
	}
}
