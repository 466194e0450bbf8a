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

// ErrCDRRegistrationState means that the state of a registration cannot be read.
// ErrNewerCDRRegistrationState means that a newer release wrote it; the caller must not
// overwrite it.
var (
	ErrCDRRegistrationState      = errors.New("the state of a CDR registration cannot be read")
	ErrNewerCDRRegistrationState = fmt.Errorf("%w: a newer release wrote it", ErrCDRRegistrationState)
)

const (
	// registrationVersion is the version of the state.
	registrationVersion = 1
	// maxRegistrationState is the largest size of the state in bytes. Ids are GUIDs; an
	// entry with a longer id is recognized by its URI alone.
	maxRegistrationState = 1 << 10
)

// registrationState is the state in JSON. It has fingerprints instead of URIs, which may
// contain tokens.
type registrationState struct {
	Version int    `json:"version"`
	ID      string `json:"id"`
	Shown   string `json:"shown,omitempty"`
	Altered bool   `json:"altered,omitempty"`
	Varies  bool   `json:"varies,omitempty"`
}

// Name identifies the registration: a fingerprint of the server and of the URI with its
// query, because another query is another registration.
func (r *CDRRegistration) Name() string {
	return fingerprint(r.client.base + "\n" + r.ownURI.target + "\n" + r.ownURI.query)
}

// State returns the state for a later registration with the same name, at most 1 KiB: the id
// of the entry, and how the server shows the URI. It is nil before there is an entry.
func (r *CDRRegistration) State() []byte {
	if r.id == "" {
		return nil
	}
	state, err := json.Marshal(registrationState{Version: registrationVersion, ID: r.id, Shown: r.shownFingerprint, Altered: r.altered, Varies: r.unstable})
	if err != nil || len(state) > maxRegistrationState {
		return nil
	}
	return state
}

// Restore loads the State of an earlier registration with the same name. It must precede the
// first Ensure. Ensure creates the entry again if it is no longer in the list, because
// somebody has removed it.
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
	r.id, r.shownFingerprint, r.altered, r.unstable = restored.ID, restored.Shown, restored.Altered, restored.Varies
	return nil
}

// fingerprint returns a hash of a text, and "" for "".
func fingerprint(text string) string {
	if text == "" {
		return ""
	}
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:16])
}
