// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package verify

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"
	"time"
)

// prefix begins the names of kinds and attributes of the Meeting Server.
const prefix = "cisco.meeting_server."

// Object is a call, a leg, a recording or a streaming as the output has it.
type Object struct {
	// Kind is call, call_leg, recording or streaming.
	Kind, ID string
	// Trace, Span and Parent are ids in hexadecimal, "" for none.
	Trace, Span, Parent string
	Start, End          time.Time
	Outcome             string
	// Values of attributes by their last name: name, reason, direction, display_name.
	Values map[string]string
}

func spanID(kind, id string) string { return digest("span", kind, id)[:16] }

// callTrace is the trace that a call founds.
func callTrace(id string) string { return digest("trace", kindCall, id)[:32] }

// digest is step 2 and 3 of the recipe. GUIDs have ASCII letters only.
func digest(purpose, kind, id string) string {
	sum := sha256.Sum256([]byte(purpose + "\x00" + prefix + kind + "\x00" + strings.ToLower(id)))
	return hex.EncodeToString(sum[:])
}
