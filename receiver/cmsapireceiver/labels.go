// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package cmsapireceiver

import (
	"strings"

	"github.com/legato-otel/legato/internal/names"
)

// labelSet is a documented set of words, by lower case. All other words share one label, so that
// no server can add time series.
type labelSet map[string]string

func newLabelSet(list ...string) labelSet {
	w := make(labelSet, len(list))
	for _, word := range list {
		w[strings.ToLower(word)] = word
	}
	return w
}

func (w labelSet) label(text string) string {
	if word, known := w[strings.ToLower(text)]; known {
		return word
	}
	return names.Other
}

// alarmTypes are the types of /system/alarms in the reference of 3.0.
var alarmTypes = newLabelSet(
	"callBrandingResourceInvalid", "callBridgeConnectionFailure", "callDistributionFailure", "cdrConnectionFailure", "c2wConnectionFailure",
	"databaseClusternodeOutofSync", "databaseConnectionError", "guestAccountConnectionFailure", "ivrBrandingResourceInvalid",
	"recorderLowDiskSpace", "recorderUnavailable", "turnServerUnavailable", "webBridgeArchivePushFailure", "webBridgeArchiveRetrievalFailure",
	"webBridgeBackgroundImagePushFailure", "webBridgeBackgroundImageRetrievalFailure", "webBridgeLoginLogoImagePushFailure",
	"webBridgeLoginLogoImageRetrievalFailure", "xmppAuthenticationRegistrationFailure", "xmppRegistrationFailure",
)

// unspecified is the label of an alarm without a reason.
const unspecified = "unspecified"

// failureReasons are the reasons of an alarm.
var failureReasons = newLabelSet(
	"authenticationFailure", "connectFailure", "dataFormatInvalid", "destinationReadOnly", "dnsFailure", "error", "fileNotFound",
	"fileSizeLimitExceeded", "internalServerError", "serviceUnavailable",
)

// features are the licensed features of a server.
var features = newLabelSet(
	"callBridge", "webBridge", "turn", "ldap", "branding", "customizations", "recording", "streaming", "personal", "shared", "capacityUnits",
)

// licenseStates are the states of a licence.
var licenseStates = newLabelSet("activated", "grace", "expired", "noLicense")

// legStates are the states of a leg, callTypes the types of a call.
var (
	legStates = newLabelSet("initial", "ringing", "connected", "onHold")
	callTypes = newLabelSet("coSpace", "forwarding", "adHoc", "lyncConferencing")
)

// subTypes are the subtypes of a leg, as in call detail records.
var subTypes = newLabelSet("lync", "avaya", "distributionLink", "lyncDistribution", "webApp")
