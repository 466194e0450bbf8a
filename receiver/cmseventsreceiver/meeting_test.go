// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package cmseventsreceiver

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

// The bodies of the records of a whole meeting.
func TestMeeting(t *testing.T) {
	runInBubble(t, 1, nil, func(r *harness) {
		b := r.bridges[0]
		r.wait(time.Second)
		b.addCall("call-1", callElements("corr"))
		r.wait(time.Second)
		b.addParticipant("call-1", "p-1", participantElements("Ines Ostrow"))
		b.updateParticipant("call-1", "p-1", elements{"audioMuted": true})
		b.updateCall("call-1", elements{"recording": "active", "lockState": "locked"})
		r.wait(time.Second)
		assert.Equal(t, gauges{calls: 1, recording: 1, locked: 1, participants: 1}, r.gauges())
		b.removeParticipant("call-1", "p-1", "remoteTeardown")
		b.removeCall("call-1")
		r.wait(time.Second)
		assert.Equal(t, gauges{}, r.gauges())
		assert.Equal(t, []string{
			"call active: Board, participants 1",
			"call info: Board, notLocked, participants 1, recording inactive, streaming inactive",
			"participant joined: Ines Ostrow in Board",
			"participant muted: Ines Ostrow in Board",
			"call updated: Board, locked, recording active",
			"call info: Board, locked, recording active",
			"participant left: remoteTeardown, Ines Ostrow in Board",
			"call ended: Board",
		}, r.bodies())
	})
}
