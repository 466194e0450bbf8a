// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package events

import (
	"encoding/json"
	"strconv"
)

// AppendAck appends the acknowledgement of a message to dst.
func AppendAck(dst []byte, id int64) []byte {
	dst = append(dst, `{"type":"messageAck","messageAck":{"messageId":`...)
	dst = strconv.AppendInt(dst, id, 10)
	return append(dst, `,"status":"success"}}`...)
}

// Subscription is one entry of a subscribeRequest.
type Subscription struct {
	Index int64
	Kind  SubKind
	// Call is the id of the call; "" for Calls.
	Call     string
	Elements []string
}

// AppendSubscribeRequest appends a request for a complete set to dst. The server ends all
// subscriptions that are not in the set.
func AppendSubscribeRequest(dst []byte, id int64, set []Subscription) []byte {
	dst = append(dst, `{"type":"message","message":{"messageId":`...)
	dst = strconv.AppendInt(dst, id, 10)
	dst = append(dst, `,"type":"subscribeRequest","subscriptions":[`...)
	for i := range set {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = set[i].append(dst)
	}
	return append(dst, `]}}`...)
}

func (s *Subscription) append(dst []byte) []byte {
	dst = append(dst, `{"index":`...)
	dst = strconv.AppendInt(dst, s.Index, 10)
	dst = append(dst, `,"type":"`...)
	dst = append(append(dst, s.Kind.String()...), '"')
	if s.Call != "" {
		dst = appendText(append(dst, `,"call":`...), s.Call)
	}
	if len(s.Elements) > 0 {
		dst = append(dst, `,"elements":[`...)
		for i, name := range s.Elements {
			if i > 0 {
				dst = append(dst, ',')
			}
			dst = appendText(dst, name)
		}
		dst = append(dst, ']')
	}
	return append(dst, '}')
}

func appendText(dst []byte, text string) []byte {
	quoted, err := json.Marshal(text)
	if err != nil { // cannot happen: each string has a JSON form
		return append(dst, `""`...)
	}
	return append(dst, quoted...)
}
