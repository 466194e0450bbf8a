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

// health reports the status of the component to the host on change: healthy if no server has a
// problem. A server has one problem at a time. It is logged at its beginning and its end.
type health struct {
	host component.Host

	mu   sync.Mutex
	open map[*target]problem
}

func newHealth(host component.Host) *health {
	return &health{host: host, open: make(map[*target]problem)}
}

// setProblem sets the problem of a server.
func (h *health) setProblem(t *target, p problem, err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if former, known := h.open[t]; known && former == p {
		return
	}
	h.open[t] = p
	t.logger.Error(problemTexts[p], zap.Stringer("problem", p), zap.Error(err))
	componentstatus.ReportStatus(h.host, componentstatus.NewRecoverableErrorEvent(fmt.Errorf("scrape %s: %w", t.name, err)))
}

// clearProblem ends the problem of a server after a complete scrape.
func (h *health) clearProblem(t *target) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if _, known := h.open[t]; known {
		t.logger.Info("The Call Bridge is scraped again")
	}
	h.close(t)
}

// forgetServer ends the problem of a removed server.
func (h *health) forgetServer(t *target) {
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
