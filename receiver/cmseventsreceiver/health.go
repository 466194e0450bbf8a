// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package cmseventsreceiver

import (
	"fmt"
	"sync"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componentstatus"
	"go.uber.org/zap"
)

// health tells the host, on change, how the links fare together: well when all
// of them do.
type health struct {
	host component.Host

	mu      sync.Mutex
	failing map[*link]reason
}

func newHealth(host component.Host) *health {
	return &health{host: host, failing: make(map[*link]reason)}
}

// failed says that a link has no connection. What was said before for the same
// reason is not said again.
func (h *health) failed(l *link, f *failure) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if former, known := h.failing[l]; known && former == f.reason {
		return
	}
	h.failing[l] = f.reason
	level := l.logger.Warn
	if f.reason == unauthorized {
		level = l.logger.Error
	}
	level("No events from the Call Bridge; trying again", zap.String("reason", reasonNames[f.reason]), zap.Error(f))
	componentstatus.ReportStatus(h.host, componentstatus.NewRecoverableErrorEvent(fmt.Errorf("no events from %s: %w", l.name, f)))
}

// recovered says that a link has its connection.
func (h *health) recovered(l *link) {
	h.mu.Lock()
	defer h.mu.Unlock()
	l.logger.Info("Following the events of the Call Bridge")
	if _, known := h.failing[l]; !known {
		return
	}
	delete(h.failing, l)
	if len(h.failing) == 0 {
		componentstatus.ReportStatus(h.host, componentstatus.NewEvent(componentstatus.StatusOK))
	}
}
