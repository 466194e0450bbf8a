// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package cmsapireceiver

import (
	"strings"

	"github.com/legato-otel/legato/internal/names"
)

// words is a documented set of a server's words, by lower case. What is not in it
// becomes one label, so that no server can add time series.
type words map[string]string

func newWords(list ...string) words {
	w := make(words, len(list))
	for _, word := range list {
		w[strings.ToLower(word)] = word
	}
	return w
}

func (w words) label(text string) string {
	if word, known := w[strings.ToLower(text)]; known {
		return word
	}
	return names.Other
}

// alarmTypes of /system/alarms: those of the reference of 3.0.
var alarmTypes = newWords(
	"callBrandingResourceInvalid", "callBridgeConnectionFailure", "callDistributionFailure", "cdrConnectionFailure", "c2wConnectionFailure",
	"databaseClusternodeOutofSync", "databaseConnectionError", "guestAccountConnectionFailure", "ivrBrandingResourceInvalid",
	"recorderLowDiskSpace", "recorderUnavailable", "turnServerUnavailable", "webBridgeArchivePushFailure", "webBridgeArchiveRetrievalFailure",
	"webBridgeBackgroundImagePushFailure", "webBridgeBackgroundImageRetrievalFailure", "webBridgeLoginLogoImagePushFailure",
	"webBridgeLoginLogoImageRetrievalFailure", "xmppAuthenticationRegistrationFailure", "xmppRegistrationFailure",
)

// unspecified is the label of an alarm without a reason.
const unspecified = "unspecified"

// failureReasons of an alarm.
var failureReasons = newWords(
	"authenticationFailure", "connectFailure", "dataFormatInvalid", "destinationReadOnly", "dnsFailure", "error", "fileNotFound",
	"fileSizeLimitExceeded", "internalServerError", "serviceUnavailable",
)

// features that a server may be licensed for.
var features = newWords(
	"callBridge", "webBridge", "turn", "ldap", "branding", "customizations", "recording", "streaming", "personal", "shared", "capacityUnits",
)

// licenseStates are the states of a licence.
var licenseStates = newWords("activated", "grace", "expired", "noLicense")

// legStates are the states of a leg, and callTypes those of a call.
var (
	legStates = newWords("initial", "ringing", "connected", "onHold")
	callTypes = newWords("coSpace", "forwarding", "adHoc", "lyncConferencing")
)

// subTypes of a leg, as call detail records have them.
var subTypes = newWords("lync", "avaya", "distributionLink", "lyncDistribution", "webApp")
