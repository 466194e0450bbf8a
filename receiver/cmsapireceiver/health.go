// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package cmsapireceiver

import (
	"fmt"
	"sync"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componentstatus"
	"go.uber.org/zap"
)

// health tells the host, on change, how the servers fare together: well when none
// has a problem. A server has one problem at a time, which is logged when it comes
// and when it goes.
type health struct {
	host component.Host

	mu   sync.Mutex
	open map[*target]problem
}

func newHealth(host component.Host) *health {
	return &health{host: host, open: make(map[*target]problem)}
}

// failed reports the problem of a server.
func (h *health) failed(t *target, p problem, err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if former, known := h.open[t]; known && former == p {
		return
	}
	h.open[t] = p
	t.logger.Error(problemTexts[p], zap.Stringer("problem", p), zap.Error(err))
	componentstatus.ReportStatus(h.host, componentstatus.NewRecoverableErrorEvent(fmt.Errorf("scrape %s: %w", t.name, err)))
}

// recovered reports that a server was scraped whole.
func (h *health) recovered(t *target) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if _, known := h.open[t]; known {
		t.logger.Info("The Call Bridge is scraped again")
	}
	h.close(t)
}

// removed ends the problem of a server that is not scraped any more.
func (h *health) removed(t *target) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.close(t)
}

func (h *health) close(t *target) {
	if _, known := h.open[t]; !known {
		return
	}
	delete(h.open, t)
	if len(h.open) == 0 {
		componentstatus.ReportStatus(h.host, componentstatus.NewEvent(componentstatus.StatusOK))
	}
}

// problemOf returns the problem of a server.
func (h *health) problemOf(t *target) (p problem, has bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	p, has = h.open[t]
	return p, has
}
