// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package page

import (
	"context"

	"github.com/legato-otel/legato/internal/archive/store"
)

// party that a request asks for.
func (r *apiRequest) party() (store.Party, error) {
	party := partyOf(r.form.values)
	if party == (store.Party{}) {
		r.form.Errors[paramAddress] = "or name must be given"
		return party, errParameter
	}
	return party, nil
}

func apiPerson(ctx context.Context, r *apiRequest) (any, error) {
	party, err := r.party()
	if err != nil {
		return nil, err
	}
	profile, err := r.view.PartyProfile(ctx, party, r.now)
	if err == nil && profile.Legs == 0 {
		err = errNotFound
	}
	return profile, err
}

func apiPersonLegs(ctx context.Context, r *apiRequest) (any, error) {
	party, err := r.party()
	if err != nil {
		return nil, err
	}
	page, err := r.page()
	if err != nil {
		return nil, err
	}
	found, err := r.view.PartyLegs(ctx, party, page)
	if err != nil {
		return nil, err
	}
	return apiPageOf(r, &found)
}

// room that a request asks for.
func (r *apiRequest) room() (store.RoomKey, error) {
	key := roomOf(r.form.values)
	if key == (store.RoomKey{}) {
		r.form.Errors[paramID] = "or name must be given"
		return key, errParameter
	}
	return key, nil
}

func apiRoom(ctx context.Context, r *apiRequest) (any, error) {
	key, err := r.room()
	if err != nil {
		return nil, err
	}
	profile, err := r.view.RoomProfile(ctx, key, r.now)
	if err == nil && profile.Meetings == 0 {
		err = errNotFound
	}
	return profile, err
}

func apiRoomMeetings(ctx context.Context, r *apiRequest) (any, error) {
	key, err := r.room()
	if err != nil {
		return nil, err
	}
	page, err := r.page()
	if err != nil {
		return nil, err
	}
	found, err := r.view.RoomConferences(ctx, key, page)
	if err != nil {
		return nil, err
	}
	return apiPageOf(r, &found)
}
