// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package names

import "strings"

// Snake turns lower camel case into snake case: "rxAudio" into "rx_audio",
// "groupID" into "group_id". Characters other than ASCII letters stay.
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

// Attribute is the rule: path ("rxAudio/codec", "@flavour") under prefix.
func Attribute(prefix, path string) string {
	var b strings.Builder
	b.WriteString(prefix)
	for level := range strings.SplitSeq(path, "/") {
		b.WriteByte('.')
		b.WriteString(Snake(strings.TrimPrefix(level, "@")))
	}
	return b.String()
}

// MeetingServerAttribute is the rule for CMS call detail records with its
// exceptions: element is the object's element ("callLeg"), path as in
// Attribute. The path "record/@x" stands for an attribute of the record itself,
// "" for text directly in the object.
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

// references are the elements with a name of their own: what they hold is the
// id of something that has a prefix itself.
var references = map[string]string{
	"call":           CallID,
	"callLeg":        CallLegID,
	"coSpace":        CoSpaceID,
	"tenant":         TenantID,
	"callCorrelator": CallCorrelator,
	"sipCallId":      SIPCallID,
	"groupId":        ParticipantID,
}
