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

// commonTextBuckets holds the index of each common text in the bucket of the text. No two of
// them have the same bucket, so that a look-up compares one text; a map takes several times as
// long.
var commonTextBuckets = func() (buckets [textBuckets]byte) {
	for i, text := range commonTexts[1:] {
		buckets[commonTextBucket(text)] = byte(i + 1)
	}
	return buckets
}()

const textBuckets = 128

func commonTextBucket(text string) byte {
	n := len(text)
	return (byte(n) + 3*text[n/2] + 13*text[n-1]) % textBuckets //nolint:gosec // the low bits are enough
}

// commonTextNumber returns the index of a common text, 0 for another text.
func commonTextNumber(text string) byte {
	if text == "" || len(text) > longestCommonText {
		return 0
	}
	if number := commonTextBuckets[commonTextBucket(text)]; commonTexts[number] == text {
		return number
	}
	return 0
}

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
