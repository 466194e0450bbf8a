// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package events

import (
	"encoding/xml"
	"fmt"
	"maps"
	"slices"
	"time"
)

// alarm is an alarm of a bridge; since is on the bridge's clock.
type alarm struct {
	kind, bridge, reason string
	since                time.Time
}

type alarmObject struct {
	XMLName xml.Name `xml:"alarm"`
	ID      string   `xml:"id,attr"`
	Type    string   `xml:"type"`
	Seconds int64    `xml:"activeTimeSeconds"`
	Reason  string   `xml:"failureReason,omitempty"`
	Bridge  string   `xml:"callBridge,omitempty"`
	Name    string   `xml:"callBridgeName,omitempty"`
}

// ReportDelivery sets whether a bridge fails to deliver its records, which raises an alarm.
func (c *Cluster) ReportDelivery(bridge int, fails bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.servers[bridge].deliveryFails = fails
	c.servers[bridge].reviewAlarms()
}

// reviewAlarms updates the alarms: records that are not delivered, and other bridges of the
// cluster that are down.
func (s *server) reviewAlarms() {
	now := make(map[string]alarm)
	if s.deliveryFails {
		now["cdr"] = alarm{kind: "cdrConnectionFailure", reason: "connectFailure"}
	}
	for _, other := range s.clustered() {
		if other != s && s.stage.CallBridge != "" && other.outages&^outageEnd != 0 {
			now[other.stage.CallBridge] = alarm{kind: "callBridgeConnectionFailure", bridge: other.stage.CallBridge, reason: "connectFailure"}
		}
	}
	for key, a := range now {
		a.since = s.now()
		if former, lasts := s.alarms[key]; lasts {
			a.since = former.since
		}
		now[key] = a
	}
	s.alarms = now
}

// activeAlarms returns the alarms as API objects.
func (s *server) activeAlarms() (list []any) {
	s.reviewAlarms()
	for _, key := range slices.Sorted(maps.Keys(s.alarms)) {
		a := s.alarms[key]
		o := alarmObject{
			ID:   fmt.Sprintf("%08x-0000-4000-8000-%012x", seedOf(s.hostID)&0xffffffff, seedOf(key)&0xffffffffffff),
			Type: a.kind, Seconds: max(0, int64(s.now().Sub(a.since)/time.Second)), Reason: a.reason, Bridge: a.bridge,
		}
		for _, other := range s.clustered() {
			if a.bridge != "" && other.stage.CallBridge == a.bridge {
				o.Name = other.stage.Name
			}
		}
		list = append(list, o)
	}
	return list
}
