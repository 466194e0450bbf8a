// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package page

import "github.com/legato-otel/legato/internal/names"

// reasonWords say in plain words why a leg ended. Cisco's own word stands beside
// them, because people search for it.
var reasonWords = map[string]string{
	"apiInitiatedTeardown":          "Dropped through the API",
	"callDeactivated":               "Meeting was deactivated",
	"callEnded":                     "Meeting ended",
	"callMoved":                     "Moved to another bridge",
	"clientInitiatedTeardown":       "Removed by another participant",
	"confirmationTimeout":           "Did not confirm in time",
	"dnsFailure":                    "Host name was not found",
	"encryptionRequired":            "Encryption could not be met",
	"error":                         "Call failed",
	"incorrectPasscode":             "Wrong passcode",
	"ivrTimeout":                    "Stayed in the voice menu too long",
	"ivrUnknownCall":                "No such meeting, asked in the menu",
	"localTeardown":                 "Ended by the bridge",
	"participantLimitReached":       "Meeting was full",
	"remoteBusy":                    "Busy",
	"remoteRejected":                "Declined",
	"remoteTeardown":                "Hung up",
	"ringingTimeout":                "Did not answer",
	"tenantParticipantLimitReached": "Tenant was full",
	"timeout":                       "Connection timed out",
	"unknownDestination":            "Nobody has that address",
}

// why a leg ended.
type why struct {
	Words string
	// Cisco is the word on the wire; empty if there is none.
	Cisco   string
	Failure bool
}

func whyOf(reason string, failure bool) why {
	known, documented := names.LegReason(reason)
	switch {
	case reason == "":
		return why{Words: "End not seen", Failure: failure}
	case documented:
		return why{Words: reasonWords[known.Name], Cisco: reason, Failure: failure || known.Failure}
	case failure:
		return why{Words: "Failed", Cisco: reason, Failure: true}
	default:
		return why{Words: "Ended", Cisco: reason}
	}
}

// reasonChoices of the form, failures last.
var reasonChoices = func() (choices []choice) {
	choices = []choice{{"", "any"}, {"failure", "any failure"}}
	for _, failures := range []bool{false, true} {
		for _, name := range []string{
			"remoteTeardown", "callEnded", "localTeardown", "clientInitiatedTeardown", "apiInitiatedTeardown", "callDeactivated", "callMoved",
			"confirmationTimeout", "dnsFailure", "encryptionRequired", "error", "incorrectPasscode", "ivrTimeout", "ivrUnknownCall",
			"participantLimitReached", "remoteBusy", "remoteRejected", "ringingTimeout", "tenantParticipantLimitReached", "timeout", "unknownDestination",
		} {
			if known, _ := names.LegReason(name); known.Failure == failures {
				choices = append(choices, choice{name, reasonWords[name] + " (" + name + ")"})
			}
		}
	}
	return choices
}()

// choice of a select element.
type choice struct{ Value, Words string }

// activityWords name the activity of a running leg.
var activityWords = map[string]string{
	"connecting": "Connecting",
	"ivr":        "In the voice menu",
	"lobby":      "Waiting in the lobby",
	"connected":  "Connected",
}

// outcomeWords say which part of an object was not seen. One that is complete has none.
var outcomeWords = map[string]string{
	"partial":          "start not seen",
	"bridge_restarted": "bridge restarted",
	"call_ended":       "end not seen, ended with its call",
	"unlisted":         "end not seen, the bridge does not list it any more",
	"expired":          "end never came",
	"evicted":          "given up, memory was full",
	"incomplete":       "Collector stopped before the end",
}

func outcomeOf(outcome string) string {
	if outcome == "complete" || outcome == "" {
		return ""
	}
	if words := outcomeWords[outcome]; words != "" {
		return words
	}
	return outcome
}

// roleWords name legs that are no participants.
var roleWords = map[string]string{
	"sharing":           "shared screen",
	"distribution_link": "link between bridges",
	"recorder":          "recorder",
	"streamer":          "streamer",
}

// levelWords name the fill of a disk.
var levelWords = map[string]string{
	"normal":    "Normal",
	"low":       "Low on space",
	"critical":  "Critical: old recordings are deleted",
	"emergency": "Emergency: nothing is recorded",
}
