// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package names

import "strings"

// Reason says why a call leg ended.
type Reason struct {
	// Name as the guide spells it.
	Name string
	// Failure tells that the leg ended because something failed.
	Failure bool
}

// LegReason returns what the guide knows of the reason of a leg's end.
func LegReason(text string) (known Reason, documented bool) {
	if known, documented = legReasons[text]; !documented && text != "" {
		known, documented = legReasons[strings.ToLower(text)]
	}
	return known, documented
}

// maxScanSeconds bounds how long a leg of a scanner lasts, in seconds. A Call
// Bridge refuses such a leg at once; a far end that does not answer the refusal
// keeps it for 32 s (RFC 3261, timer H).
const maxScanSeconds = 60

// Scan tells whether a leg that ended for this reason looks like the attempt of
// a SIP scanner: an address that leads nowhere, no call, over within a minute.
// Every reachable bridge has thousands of them, so they fail without being an
// error of the estate. seconds is how long the leg lasted.
func (r Reason) Scan(inCall bool, seconds float64) bool {
	return r.Name == "unknownDestination" && !inCall && seconds < maxScanSeconds
}

// legReasons of a leg's end (guide section 5), in the guide's spelling and in
// lower case: sources differ in the case of letters.
var legReasons = func() map[string]Reason {
	all := make(map[string]Reason)
	add := func(failure bool, names ...string) {
		for _, name := range names {
			all[name] = Reason{name, failure}
			all[strings.ToLower(name)] = Reason{name, failure}
		}
	}
	add(false, "apiInitiatedTeardown", "callDeactivated", "callEnded", "callMoved", "clientInitiatedTeardown", "localTeardown", "remoteTeardown")
	add(true, "confirmationTimeout", "dnsFailure", "encryptionRequired", "error", "incorrectPasscode", "ivrTimeout", "ivrUnknownCall",
		"participantLimitReached", "remoteBusy", "remoteRejected", "ringingTimeout", "tenantParticipantLimitReached", "timeout", "unknownDestination")
	return all
}()
