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

// statusAggregator reports one status for all managers, when it changes: OK if all of them
// are subscribed.
type statusAggregator struct {
	host component.Host

	mu       sync.Mutex
	reported map[*manager]bool // managers that subscribed or failed before
	failing  map[*manager]failureReason
}

func newStatusAggregator(host component.Host) *statusAggregator {
	return &statusAggregator{host: host, reported: make(map[*manager]bool), failing: make(map[*manager]failureReason)}
}

// reportFailure reports that a manager has no active subscription, unless it reported the
// same reason last.
func (h *statusAggregator) reportFailure(m *manager, reason failureReason, err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if former, failed := h.failing[m]; failed && former == reason {
		return
	}
	h.failing[m], h.reported[m] = reason, true
	m.logger.Error("No subscription to the events of MediaSense; trying again", zap.String("reason", failureReasonNames[reason]), zap.Error(err))
	h.reportStatus(componentstatus.NewRecoverableErrorEvent(fmt.Errorf("no subscription at %s: %w", m.server, err)))
}

// reportRecovery reports that a manager has a subscription, unless it did so last.
func (h *statusAggregator) reportRecovery(m *manager) {
	h.mu.Lock()
	defer h.mu.Unlock()
	_, failed := h.failing[m]
	if h.reported[m] && !failed {
		return
	}
	h.reported[m] = true
	m.logger.Info("Subscribed to the events of MediaSense")
	if !failed {
		return
	}
	delete(h.failing, m)
	if len(h.failing) == 0 {
		h.reportStatus(componentstatus.NewEvent(componentstatus.StatusOK))
	}
}

func (h *statusAggregator) reportStatus(event *componentstatus.Event) {
	if h.host != nil {
		componentstatus.ReportStatus(h.host, event)
	}
}
