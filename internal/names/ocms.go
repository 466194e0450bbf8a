// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package names

// OCMS is the prefix of all names for OCMS's accounting events, except those of SIP itself.
const OCMS = "oracle.ocms"

// Events of OCMS.
const (
	EventOCMSRequest  = OCMS + ".request"
	EventOCMSResponse = OCMS + ".response"

	// EventDialogSpan is a stitched record.
	EventDialogSpan = OCMS + ".dialog.span"
)

// Attributes of a SIP message, as Packetbeat has them. [SIPCallID] is with those of
// the Meeting Server, which sends it too.
const (
	SIPMethod = "sip.method"
	// SIPCode is the status code of a response, an Int.
	SIPCode = "sip.code"
	// SIPCSeqNumber is an Int.
	SIPCSeqNumber = "sip.cseq.number"
	SIPCSeqMethod = "sip.cseq.method"
	SIPFromTag    = "sip.from.tag"
	SIPToTag      = "sip.to.tag"
	SIPFromURI    = "sip.from.uri.original"
	SIPToURI      = "sip.to.uri.original"
)
