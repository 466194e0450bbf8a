// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package names

import "strings"

// Reason is the reason for the end of a call leg.
type Reason struct {
	// Name as the guide spells it.
	Name string
	// Failure means that the leg ended because of a failure.
	Failure bool
}

// LegReason returns the documented reason with this name, in any case of letters.
func LegReason(text string) (known Reason, documented bool) {
	if known, documented = legReasons[text]; !documented && text != "" {
		known, documented = legReasons[strings.ToLower(text)]
	}
	return known, documented
}

// maxScanSeconds is the longest duration of a scanner's leg, in seconds. A Call Bridge
// rejects such a leg at once; a far end that does not answer the rejection keeps it for 32
// s (RFC 3261, timer H).
const maxScanSeconds = 60

// Scan reports whether a leg with this reason looks like the attempt of a SIP scanner: an
// unknown destination, no call, over within a minute. Every reachable bridge has thousands
// of them, so they are failures but no errors of the estate. seconds is the duration of the
// leg.
func (r Reason) Scan(inCall bool, seconds float64) bool {
	return r.Name == "unknownDestination" && !inCall && seconds < maxScanSeconds
}

// legReasons are the reasons of guide section 5, in the guide's spelling and in lower case,
// because sources differ in case.
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
