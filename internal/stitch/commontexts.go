// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package stitch

// commonTexts are texts that most legs have. Each is stored as one byte. The indices are
// stored, so an entry is never moved or removed; there are at most 31. Other texts are stored
// in full.
var commonTexts = [...]string{
	1:  "incoming",
	2:  "outgoing",
	3:  "sip",
	4:  "acano",
	5:  "lync",
	6:  "avaya",
	7:  "webApp",
	8:  "lyncdistribution",
	9:  "distributionLink",
	10: "audioVideo",
	11: "applicationSharing",
	12: "connected",
	13: "initial",
	14: "ringing",
	15: "onHold",
	16: "coSpace",
	17: "adHoc",
	18: "lyncConferencing",
	19: "forwarding",
	20: "optional",
	21: "required",
	22: "prohibited",
	23: "opus",
	24: "g722",
	25: "aac",
	26: "h264",
	27: "h264Lync",
	28: "remoteTeardown",
	29: "clientInitiatedTeardown",
	30: "callEnded",
	31: "callMoved",
}

var commonTextNumbers = func() map[string]byte {
	numbers := make(map[string]byte, len(commonTexts))
	for i, word := range commonTexts[1:] {
		numbers[word] = byte(i + 1)
	}
	return numbers
}()

// longestCommonText is the length of the longest of commonTexts.
const longestCommonText = len("clientInitiatedTeardown")

// commonTextOf returns the common text of a value, "" if the value is something else.
func commonTextOf(raw []byte) string {
	if len(raw) == 0 || raw[0]&tagMask != tagTrue {
		return ""
	}
	return commonTexts[raw[0]>>tagBits]
}

// isText reports whether a value is a text that is not empty.
func isText(raw []byte) bool {
	if len(raw) == 0 {
		return false
	}
	switch raw[0] & tagMask {
	case tagText, tagGUID:
		return len(raw) > 1
	default:
		return commonTextOf(raw) != ""
	}
}
