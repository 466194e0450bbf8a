// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package api

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
)

// ErrCDRRegistrationState is what every error about the state of a registration
// wraps, and ErrNewerCDRRegistrationState what the error about one of a newer release
// wraps: it must not be written over.
var (
	ErrCDRRegistrationState      = errors.New("the state of a CDR registration cannot be read")
	ErrNewerCDRRegistrationState = fmt.Errorf("%w: a newer release wrote it", ErrCDRRegistrationState)
)

const (
	// registrationVersion is the version of the state.
	registrationVersion = 1
	// maxRegistrationState bounds the state, in bytes. Ids are GUIDs; a server with
	// longer ones than fit is recognized by its URI alone.
	maxRegistrationState = 1 << 10
)

// registrationState is the state as JSON. It holds fingerprints in the place of
// URIs, which may hold tokens.
type registrationState struct {
	Version int    `json:"version"`
	ID      string `json:"id"`
	Shown   string `json:"shown,omitempty"`
	Altered bool   `json:"altered,omitempty"`
	Varies  bool   `json:"varies,omitempty"`
}

// Name tells the registration apart from others: by the server, and by the URI
// with its query, because another query is another registration. It is a short
// fingerprint that shows neither.
func (r *CDRRegistration) Name() string {
	return fingerprint(r.client.base + "\n" + r.own.target + "\n" + r.own.query)
}

// State returns what a later registration of the same name needs to know the entry
// of this one, at most 1 KiB: its id, and what the server made of the URI. It is
// nil before there is an entry.
func (r *CDRRegistration) State() []byte {
	if r.id == "" {
		return nil
	}
	state, err := json.Marshal(registrationState{Version: registrationVersion, ID: r.id, Shown: r.shown, Altered: r.altered, Varies: r.varies})
	if err != nil || len(state) > maxRegistrationState {
		return nil
	}
	return state
}

// Restore takes the State of an earlier registration of the same name, before the
// first Ensure. An entry that is not in the list any more is created anew: it was
// shown once, so somebody removed it.
func (r *CDRRegistration) Restore(state []byte) error {
	if len(state) == 0 {
		return nil
	}
	var restored registrationState
	switch err := json.Unmarshal(state, &restored); {
	case len(state) > maxRegistrationState:
		return fmt.Errorf("%w: it has %d bytes, and at most %d are read", ErrCDRRegistrationState, len(state), maxRegistrationState)
	case err != nil:
		return fmt.Errorf("%w: %w", ErrCDRRegistrationState, err)
	case restored.Version > registrationVersion:
		return fmt.Errorf("%w: its version is %d, and %d is read", ErrNewerCDRRegistrationState, restored.Version, registrationVersion)
	case restored.Version != registrationVersion:
		return fmt.Errorf("%w: its version is %d, and %d is read", ErrCDRRegistrationState, restored.Version, registrationVersion)
	}
	r.id, r.shown, r.altered, r.varies = restored.ID, restored.Shown, restored.Altered, restored.Varies
	return nil
}

// fingerprint returns a short name of a text that does not show the text, and ""
// for "".
func fingerprint(text string) string {
	if text == "" {
		return ""
	}
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:16])
}
