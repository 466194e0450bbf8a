// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package mediasensereceiver

import (
	"fmt"
	"sync"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componentstatus"
	"go.uber.org/zap"
)

// health tells the host, on change, how the managers fare together: well when
// all of them do.
type health struct {
	host component.Host

	mu      sync.Mutex
	known   map[*manager]bool // subscribed at least once, or failed
	failing map[*manager]reason
}

func newHealth(host component.Host) *health {
	return &health{host: host, known: make(map[*manager]bool), failing: make(map[*manager]reason)}
}

// fail says that there is no subscription, or none that is known to be active.
// What was said before for the same reason is not said again.
func (h *health) fail(m *manager, why reason, err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if former, failed := h.failing[m]; failed && former == why {
		return
	}
	h.failing[m], h.known[m] = why, true
	m.logger.Error("No subscription to the events of MediaSense; trying again", zap.String("reason", reasonNames[why]), zap.Error(err))
	h.tell(componentstatus.NewRecoverableErrorEvent(fmt.Errorf("no subscription at %s: %w", m.server, err)))
}

// recovered says that there is a subscription.
func (h *health) recovered(m *manager) {
	h.mu.Lock()
	defer h.mu.Unlock()
	_, failed := h.failing[m]
	if h.known[m] && !failed {
		return
	}
	h.known[m] = true
	m.logger.Info("Subscribed to the events of MediaSense")
	if !failed {
		return
	}
	delete(h.failing, m)
	if len(h.failing) == 0 {
		h.tell(componentstatus.NewEvent(componentstatus.StatusOK))
	}
}

func (h *health) tell(event *componentstatus.Event) {
	if h.host != nil {
		componentstatus.ReportStatus(h.host, event)
	}
}
