// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package wire

import "github.com/legato-otel/legato/cmd/callsim/internal/scenario"

func (e *element) legStart(l scenario.Leg) {
	e.open("callLeg", l.ID).has("remoteParty", l.RemoteParty).has("localAddress", l.LocalAddress)
	e.displayName(l)
	e.has("remoteAddress", l.RemoteAddress).
		is("type", l.Type).
		has("subType", l.SubType).
		has("lyncSubType", l.LyncSubType).
		is("direction", l.Direction).
		has("call", l.Call()).
		is("groupId", l.Participant).
		has("sipCallId", l.SIPCallID).
		has("replacesSipCallId", l.ReplacesSIPCallID).
		has("ownerId", l.OwnerID).
		has("cdrTag", l.Tag).
		flag("guestConnection", l.Guest).
		flag("recording", l.Kind == scenario.KindRecorder).
		flag("streaming", l.Kind == scenario.KindStreamer).
		flag("canMove", l.CanMove).
		has("movedCallLeg", l.MovedFrom).
		has("movedCallLegCallBridge", l.MovedFromBridge).
		has("confirmationStatus", l.Confirmation).
		close("callLeg")
}

// displayName of a person is shown even when the far end sends none.
func (e *element) displayName(l scenario.Leg) {
	switch {
	case l.DisplayName != "":
		e.is("displayName", l.DisplayName)
	case l.Kind == scenario.KindPerson:
		e.empty("displayName")
	}
}

func (e *element) legUpdate(change scenario.LegChanged) {
	l := change.Leg
	e.open("callLeg", l.ID)
	if !change.Bare && l.Phase != scenario.PhaseConnecting {
		e.is("state", "connected")
	}
	e.has("call", l.Call())
	if l.Phase == scenario.PhaseMenu {
		e.is("ivr", "")
	}
	if l.Kind == scenario.KindPerson {
		e.boolean("deactivated", l.Phase == scenario.PhaseLobby)
	}
	e.has("ownerId", l.OwnerID).
		has("cdrTag", l.Tag).
		is("groupId", l.Participant).
		has("sipCallId", l.SIPCallID).
		has("displayName", l.DisplayName).
		flag("canMove", l.CanMove).
		has("confirmationStatus", l.Confirmation).
		close("callLeg")
}

func (e *element) legEnd(end scenario.LegEnded) {
	l := end.Leg
	e.open("callLeg", l.ID).
		has("cdrTag", l.Tag).
		is("reason", string(end.Reason)).
		boolean("remoteTeardown", end.Reason.Remote()).
		has("reasonDetails", end.Detail).
		has("confirmationStatus", l.Confirmation).
		seconds("durationSeconds", end.Duration).
		seconds("activatedDuration", end.Activated())
	if end.Media != nil {
		e.media(end.Media)
	}
	e.has("ownerId", l.OwnerID).has("sipCallId", l.SIPCallID).close("callLeg")
}
