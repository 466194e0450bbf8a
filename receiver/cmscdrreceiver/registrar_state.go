// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package cmscdrreceiver

import (
	"bytes"
	"context"
	"errors"
	"time"

	"go.uber.org/zap"

	"github.com/legato-otel/legato/internal/meetingserver/api"
	"github.com/legato-otel/legato/internal/otel/storageclient"
)

// registrationSaveTimeout bounds a save of a registration's state. A shutdown does not cancel
// the save, because the Call Bridge has the entry already.
const registrationSaveTimeout = time.Second

// restore restores the entry that the registration made before a restart. Without it a Call
// Bridge that shows the URI in another form would get a second entry. State of a newer
// release is an error.
func (g *registrar) restore(ctx context.Context) error {
	if g.store == nil {
		return nil
	}
	state, err := g.store.client.Get(ctx, keyRegistration+g.registration.Name())
	if err == nil {
		err = g.registration.Restore(state)
	}
	if errors.Is(err, api.ErrNewerCDRRegistrationState) {
		return storageclient.NewerStateError(err)
	}
	if err != nil {
		g.logger.Warn("Stored id of the CDR receiver cannot be read; a Call Bridge that alters its URI may get one more entry",
			zap.String("server", g.server), zap.Error(err))
		return nil
	}
	g.storedState = state
	return nil
}

// save stores the state of the registration if it changed. After a failure the next round
// of run stores it.
func (g *registrar) save(ctx context.Context) {
	state := g.registration.State()
	if g.store == nil || state == nil || bytes.Equal(state, g.storedState) {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), registrationSaveTimeout)
	defer cancel()
	err := g.store.client.Set(ctx, keyRegistration+g.registration.Name(), state)
	if err == nil {
		g.storedState, g.saveFailureLogged = state, false
		return
	}
	if !g.saveFailureLogged {
		g.saveFailureLogged = true
		g.logger.Warn("Id of the CDR receiver cannot be stored; trying again", zap.String("server", g.server), zap.Error(err))
	}
}
