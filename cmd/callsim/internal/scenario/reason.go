// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package scenario

// Reason is why a leg ended.
type Reason string

// Every documented reason.
const (
	ReasonAPI                 Reason = "apiInitiatedTeardown"
	ReasonCallDeactivated     Reason = "callDeactivated"
	ReasonCallEnded           Reason = "callEnded"
	ReasonCallMoved           Reason = "callMoved"
	ReasonClient              Reason = "clientInitiatedTeardown"
	ReasonConfirmationTimeout Reason = "confirmationTimeout"
	ReasonDNSFailure          Reason = "dnsFailure"
	ReasonEncryptionRequired  Reason = "encryptionRequired"
	ReasonError               Reason = "error"
	ReasonIncorrectPasscode   Reason = "incorrectPasscode"
	ReasonIVRTimeout          Reason = "ivrTimeout"
	ReasonIVRUnknownCall      Reason = "ivrUnknownCall"
	ReasonLocal               Reason = "localTeardown"
	ReasonParticipantLimit    Reason = "participantLimitReached"
	ReasonRemoteBusy          Reason = "remoteBusy"
	ReasonRemoteRejected      Reason = "remoteRejected"
	ReasonRemote              Reason = "remoteTeardown"
	ReasonRingingTimeout      Reason = "ringingTimeout"
	ReasonTenantLimit         Reason = "tenantParticipantLimitReached"
	ReasonTimeout             Reason = "timeout"
	ReasonUnknownDestination  Reason = "unknownDestination"
)

// Remote reports whether the far end ended the leg.
func (r Reason) Remote() bool {
	return r == ReasonRemote || r == ReasonRemoteBusy || r == ReasonRemoteRejected
}

// hangUpReasons are the reasons when people leave; most often the far end hangs up.
var hangUpReasons = []Reason{
	ReasonRemote, ReasonRemote, ReasonRemote, ReasonRemote, ReasonRemote, ReasonRemote,
	ReasonLocal, ReasonAPI, ReasonClient, ReasonCallDeactivated, ReasonCallEnded,
}

// failure describes a leg that fails.
type failure struct {
	reason       Reason
	outgoing     bool
	inCall       bool // the leg is in the meeting's call from its start
	answered     bool // the far end is connected before it fails
	menu         bool // it fails in the interactive voice menu
	untilTimeout bool // it lasts as long as the bridge has patience, else a moment
	// confirmation is the status at the start, verdict the one at the end.
	confirmation, verdict string
}

var failures = []failure{
	{reason: ReasonConfirmationTimeout, outgoing: true, inCall: true, answered: true, untilTimeout: true, confirmation: "required", verdict: "required"},
	{reason: ReasonDNSFailure, outgoing: true, inCall: true},
	{reason: ReasonEncryptionRequired, inCall: true},
	{reason: ReasonError, inCall: true, answered: true, untilTimeout: true},
	{reason: ReasonIncorrectPasscode, menu: true},
	{reason: ReasonIVRTimeout, menu: true, untilTimeout: true},
	{reason: ReasonIVRUnknownCall, menu: true},
	{reason: ReasonParticipantLimit},
	{reason: ReasonRemoteBusy, outgoing: true, inCall: true},
	{reason: ReasonRemoteRejected, outgoing: true, inCall: true, answered: true, confirmation: "required", verdict: "rejected"},
	{reason: ReasonRingingTimeout, outgoing: true, inCall: true, untilTimeout: true},
	{reason: ReasonTenantLimit},
	{reason: ReasonTimeout, inCall: true, answered: true, untilTimeout: true},
	{reason: ReasonUnknownDestination},
}
