// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package scenario

import "hash/fnv"

// HeavyLoss tells whether a leg is one of the share whose packets are lost. It follows
// from the leg's identifier alone, so that records and the API agree on it, and it is no
// draw: the story is the same with and without it.
func HeavyLoss(id string, share float64) bool {
	const steps = 1 << 16
	h := fnv.New64a()
	_, _ = h.Write([]byte("loss " + id)) // it cannot fail
	return float64(h.Sum64()>>13%steps) < share*steps
}

// heavyLossPercent is the part of its time that such a leg is in alarm.
const heavyLossPercent = 40

// lose gives a leg of the share the alarm for its lost packets.
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
