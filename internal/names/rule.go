// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package names

import "strings"

// Snake converts lower camel case to snake case: "rxAudio" to "rx_audio", "groupID" to
// "group_id". Characters other than ASCII letters stay.
func Snake(camel string) string {
	var b strings.Builder
	b.Grow(len(camel) + 4)
	for i := range len(camel) {
		c := camel[i]
		if !isUpper(c) {
			b.WriteByte(c)
			continue
		}
		startsWord := i > 0 && camel[i-1] != '_' &&
			(!isUpper(camel[i-1]) || i+1 < len(camel) && isLower(camel[i+1]))
		if startsWord {
			b.WriteByte('_')
		}
		b.WriteByte(c + 'a' - 'A')
	}
	return b.String()
}

func isUpper(c byte) bool { return c >= 'A' && c <= 'Z' }
func isLower(c byte) bool { return c >= 'a' && c <= 'z' }

// Attribute applies the rule: it returns the attribute name of path ("rxAudio/codec",
// "@flavour") under prefix.
func Attribute(prefix, path string) string {
	var b strings.Builder
	b.WriteString(prefix)
	for level := range strings.SplitSeq(path, "/") {
		b.WriteByte('.')
		b.WriteString(Snake(strings.TrimPrefix(level, "@")))
	}
	return b.String()
}

// MeetingServerAttribute applies the rule for CMS call detail records and its exceptions.
// element is the object's element ("callLeg"), path is as in Attribute. A path "record/@x"
// is an attribute of the record itself, "" is text directly in the object.
func MeetingServerAttribute(element, path string) string {
	if key, ok := references[path]; ok {
		return key
	}
	if strings.HasPrefix(path, "record/") || strings.HasPrefix(path, "records/") {
		return Attribute(MeetingServer, path)
	}
	if path == "" {
		path = "text"
	}
	return Attribute(MeetingServer+"."+Snake(element), path)
}

// references are the elements whose value is the id of another kind of object; they have
// that object's name.
var references = map[string]string{
	"call":           CallID,
	"callLeg":        CallLegID,
	"coSpace":        CoSpaceID,
	"tenant":         TenantID,
	"callCorrelator": CallCorrelator,
	"sipCallId":      SIPCallID,
	"groupId":        ParticipantID,
}
