// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package scenario

import "hash/fnv"

// HeavyLoss reports whether a leg is among the share with packet loss. It depends on the
// leg's identifier only, so that records and the API agree, and it draws nothing: the
// scenario is the same with and without it.
func HeavyLoss(id string, share float64) bool {
	const steps = 1 << 16
	h := fnv.New64a()
	_, _ = h.Write([]byte("loss " + id)) // it cannot fail
	return float64(h.Sum64()>>13%steps) < share*steps
}

// heavyLossPercent is the part of its time that such a leg is in alarm.
const heavyLossPercent = 40

// addLossAlarm adds the packet loss alarm to a leg of the share.
func (w *World) addLossAlarm(l *leg, m *Media) {
	if m.AudioIn == nil || !HeavyLoss(l.ID, w.cfg.PacketLoss) {
		return
	}
	for i := range m.Alarms {
		if m.Alarms[i].Kind == alarmKinds[0] {
			m.Alarms[i].Percent = heavyLossPercent
			return
		}
	}
	m.Alarms = append(m.Alarms, Alarm{Kind: alarmKinds[0], Percent: heavyLossPercent})
}
